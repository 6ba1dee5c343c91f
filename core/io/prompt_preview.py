"""What a language model will be asked, before it is: the exact messages of a real test row, their tokens, what all of them will cost.

The row's target is not among them. Tokens are those of the model's own tokenizer and chat template where it is at hand, else counted
with the encoding its name stands for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.evaluation import drawn
from core.io import asking, counting
from core.io.providers.hosted import asked_as
from core.io.writers import Writer
from core.predict.prompted import Shown
from core.predict.registry import make
from core.prediction import Examples
from core.prompt import Message, Prompt
from core.validate.encodings import EMBEDDED
from core.validate.prices import base_price
from core.version import Version

SAMPLE = 20
"""Prompts that are counted for the average and the largest."""
FRAME = 3
"""Tokens around each message of a hosted model, and before its answer."""
ANSWERED = 0.5
"""Share of the longest reply that answers are taken to have, for estimates."""


@dataclass(frozen=True)
class Taken:
    """What a row's question takes."""

    messages: list[Message]
    """As they are sent."""
    prefix: str
    """What a local model continues; empty for hosted ones, who are told in the question how to begin."""
    shown: list[Shown]
    tokens: int


@dataclass(frozen=True)
class Size:
    """Tokens of the prompts that will be sent, from a sample of them, and what that costs."""

    mean: float
    most: int
    counted: int
    """Prompts in the sample."""
    limit: int | None
    """Tokens the model reads, question and answer; None where nobody says."""
    usd: float | None
    """For all rows asked; None where no price is known."""

    @property
    def fits(self) -> bool:
        return self.limit is None or self.most <= self.limit


class Preview:
    """A prompted predictor, fitted but never asked."""

    def __init__(self, name: str, request: Mapping[str, Any], version: Version, rows: tuple[Examples, Examples]) -> None:
        """`request` as `core.io.baselines` reads it. Raises what making and fitting the predictor raises."""
        train, self.test = rows
        self.request, self.name = request, name
        settings = dict(request.get("settings", {}).get(name, {}))
        self.prompt: Prompt = asking.prompt_of(version, train, request.get("prompt"))
        given, self.about = asking.given_for(name, settings, request.get("source"), version, rows)
        self.speaker: Any = make(name, settings, seed=int(request.get("seed", 0)), prompt=self.prompt, complete=_nobody, **given).fit(train)
        self.places = drawn(len(self.test), int(request.get("limit") or 250))
        provider = dict(request.get("provider") or {})
        self.writer = Writer.from_dict({"name": "embedded", **provider})
        self.model = EMBEDDED if self.writer.name == "embedded" else self.writer.model

    def of(self, place: int) -> Taken:
        """The question to the test row at this place."""
        bare = self.test.take([place]).without_targets()
        (shown,) = self.speaker.shown(bare)
        (messages,) = self.speaker.questions(bare, [shown])
        if self.model == EMBEDDED:
            return Taken(messages, self.prompt.prefix, shown, self.count([messages])[0])
        return Taken(asked_as(messages, self.prompt.prefix), "", shown, self.count([messages])[0])

    @cached_property
    def size(self) -> Size:
        """Average and largest prompt of the first rows that will be asked, and the cost of all of them."""
        some = self.test.take([self.places[i] for i in drawn(len(self.places), SAMPLE)]).without_targets()
        counts = self.count(self.speaker.questions(some)) or [0]
        mean = sum(counts) / len(counts)
        return Size(mean, max(counts), len(some), self.limit, self._usd(mean))

    @property
    def limit(self) -> int | None:
        if self.model == EMBEDDED:
            from core.io import embedded

            return int(embedded.facts().config.get("max_position_embeddings", 0)) or None
        known = base_price(self.model)
        return known.context if known else None

    def _usd(self, mean: float) -> float | None:
        rates = self.writer.known_rates()
        if rates is None:
            return None
        return len(self.places) * (mean * rates[0] + ANSWERED * self.prompt.max_tokens * rates[1]) / 1e6

    def count(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Tokens of each chat with the start of its answer."""
        render = counting.render_of(self.model) if self.model == EMBEDDED else None
        if render:
            return counting.count_of(EMBEDDED)([render(list(chat), self.prompt.prefix) for chat in chats])  # type: ignore[arg-type]
        count = counting.count_of(self.model)
        sent = [asked_as(chat, self.prompt.prefix) for chat in chats]
        return [sum(count([one["content"] for one in chat])) + FRAME * (len(chat) + 1) for chat in sent]


def _nobody(requests: Any, **how: Any) -> Any:
    raise RuntimeError("a preview asks nobody")


def key_of(name: str, request: Mapping[str, Any]) -> str:
    """What a preview depends on, as one text: the key of a cache."""
    kept = {part: request.get(part) for part in ("seed", "limit", "provider", "prompt", "source")}
    return json.dumps([name, request.get("settings", {}).get(name, {}), kept], sort_keys=True, default=str)
