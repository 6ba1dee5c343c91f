"""Language models as predictors: the test prompt as it is, with a few solved rows, or with the most similar solved rows.

`complete` answers chats and comes in as an argument; it returns only what follows the prompt's prefix. Reading a reply
never guesses: what cannot be read is unread, refused, truncated or an error, with its reason, and never 0.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from core.errors import SettingsError
from core.predict.neighbours import Index
from core.predict.rows import needs
from core.prediction import Examples, Prediction
from core.prompt import Message, Prompt
from core.reading import Reading, read_reply
from core.reply import Reply

Complete = Callable[[Sequence[Sequence[Message]]], Sequence[Reply]]
"""Chats in, one reply per chat in the same order."""
FAILED = {"refusal": "refusal", "error": "error", "timeout": "timeout"}
"""How a reply finished -> status of the prediction, where nothing was said."""


@dataclass
class Prompted:
    """The model is asked with the test prompt and nothing else."""

    prompt: Prompt
    complete: Complete = field(repr=False)

    def fit(self, train: Examples) -> Self:
        """Learns nothing: only the labels are taken from the train rows."""
        self.labels_ = train.labels
        return self

    def questions(self, rows: Examples) -> list[list[Message]]:
        """One chat per row, in order."""
        return [self.prompt.question(row) for row in rows.rows()]

    def read(self, task: str, replies: Sequence[Reply]) -> list[Prediction]:
        return [prediction(task, reply, self.prompt.prefix, self.labels_) for reply in replies]

    def predict(self, rows: Examples) -> list[Prediction]:
        if not len(rows):
            return []
        replies = self.complete(self.questions(rows))
        if len(replies) != len(rows):
            raise ValueError(f"{len(replies)} replies to {len(rows)} questions")
        return self.read(rows.task, replies)


@dataclass
class FewShot(Prompted):
    """The same few train rows, solved, stand before every question; they are spread over the range of answers."""

    shots: int = 4
    """Solved rows shown."""
    longest: int = 600
    """Characters kept of each text of a solved row."""
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self.shots)

    def fit(self, train: Examples) -> Self:
        targets = needs(train, 1)
        self.labels_ = train.labels
        places = _spread(train.task, targets, self.shots, self.seed)
        self.shown_ = [message for place in places for message in _solved(self.prompt, train.take([place]), self.longest)]
        return self

    def questions(self, rows: Examples) -> list[list[Message]]:
        return [_after(self.shown_, question) for question in super().questions(rows)]


@dataclass
class Retrieval(Prompted):
    """The most similar train rows, solved, stand before each question, the most similar one last."""

    shots: int = 4
    """Solved rows shown."""
    longest: int = 600
    """Characters kept of each text of a solved row."""

    def __post_init__(self) -> None:
        _check(self.shots)

    def fit(self, train: Examples) -> Self:
        needs(train, 1)
        self.labels_, self.train_ = train.labels, train
        self.index_ = Index().fit(train.text)
        return self

    def questions(self, rows: Examples) -> list[list[Message]]:
        places, _ = self.index_.nearest(rows.text, self.shots)
        asked = super().questions(rows)
        return [
            _after(_solved(self.prompt, self.train_.take([int(p) for p in near[::-1]]), self.longest), question)
            for near, question in zip(places, asked, strict=True)
        ]


def prediction(task: str, reply: Reply, prefix: str = "", labels: Sequence[str] = ()) -> Prediction:
    """One reply, read. A number at the very end of a reply that ran out of tokens may be cut: it counts as truncated."""
    cost: dict[str, Any] = {"tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out, "seconds": reply.seconds, "usd": reply.usd}
    if reply.finish in FAILED:
        return Prediction(None, reply.text, FAILED[reply.finish], **cost, note=reply.error or reply.finish)
    found = _read(task, reply.text, prefix, labels)
    if reply.finish == "length" and (found.value is None or (task == "regression" and _cut_short(reply.text, prefix, found.value))):
        return Prediction(None, reply.text, "truncated", **cost, note="the answer was longer than the tokens it was given")
    if found.value is None:
        return Prediction(None, reply.text, "unread", **cost, note=found.reason)
    return Prediction(found.value, reply.text, **cost)


def _read(task: str, text: str, prefix: str, labels: Sequence[str]) -> Reading:
    """A model that repeats the prefix and one that continues it are read alike; "$" of "Price is $" still marks the amount."""
    if prefix and text.lstrip().startswith(prefix.strip()):
        text = text.lstrip()[len(prefix.strip()) :]
    sign = prefix.rstrip()[-1:]
    if task == "regression" and sign and not sign.isalnum() and text.lstrip()[:1].isdigit():
        text = sign + text.lstrip()
    return read_reply(task, text, labels)


def _cut_short(text: str, prefix: str, value: object) -> bool:
    """Whether the number that was read is the last thing said, so that digits of it may be missing."""
    return _read("regression", re.sub(r"[\d.,]+\s*$", "", text), prefix, ()).value != value


def _check(shots: int) -> None:
    if shots < 1:
        raise SettingsError(f"shots is {shots}; at least 1 solved row is needed, or choose the plain prompt.", title="No solved rows")


def _solved(prompt: Prompt, rows: Examples, longest: int) -> list[Message]:
    """User and assistant messages of solved rows, their texts cut; the system message is left to the question."""
    cut = [{name: _cut(value, longest) for name, value in row.items()} for row in rows.rows()]
    chats = [prompt.example(row, target) for row, target in zip(cut, rows.targets or (), strict=True)]
    return [message for chat in chats for message in chat if message["role"] != "system"]


def _cut(value: Any, longest: int) -> Any:
    return value[:longest].rstrip() + "…" if isinstance(value, str) and len(value) > longest else value


def _after(shown: Sequence[Message], question: Sequence[Message]) -> list[Message]:
    """The solved rows between the system message and the question."""
    return [*(m for m in question if m["role"] == "system"), *shown, *(m for m in question if m["role"] != "system")]


def _spread(task: str, targets: Sequence[Any], shots: int, seed: int) -> list[int]:
    """Places of train rows: evenly spaced numbers, or labels in turn; drawn by lot among equals."""
    rng = np.random.default_rng(seed)
    order = [int(i) for i in rng.permutation(len(targets))]
    if task == "regression":
        ranked = sorted(order, key=lambda i: float(targets[i]))
        cuts = np.linspace(0, len(ranked), min(shots, len(ranked)) + 1)
        chosen = [ranked[int((a + b) / 2)] for a, b in itertools.pairwise(cuts)]
    else:
        rounds: dict[Any, int] = {}
        turn = []
        for place in order:
            turn.append((rounds.get(targets[place], 0), len(turn), place))
            rounds[targets[place]] = rounds.get(targets[place], 0) + 1
        chosen = [place for _, _, place in sorted(turn)[:shots]]
    return [chosen[i] for i in rng.permutation(len(chosen))]
