"""Language models as predictors: the test prompt as it is, or with a few solved rows before it.

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
from core.predict.rows import needs
from core.prediction import Examples, Prediction
from core.prompt import Message, Prompt
from core.reading import Reading, read_reply
from core.reply import Reply

Complete = Callable[[Sequence[Sequence[Message]]], Sequence[Reply]]
"""Chats in, one reply per chat in the same order."""
CHOICES = ("spread", "lot", "shortest")
FAILED = {"refusal": "refusal", "error": "error", "timeout": "timeout"}
"""How a reply finished -> status of the prediction, where nothing was said."""


@dataclass(frozen=True)
class Shown:
    """One thing that stands before a question."""

    source: str
    """Where it comes from, for people: "train row 12", "notes.md, passage 3"."""
    text: str
    answer: str = ""
    """The right reply of a solved row; empty for passages."""
    place: int = -1
    """The train row's place, from 0, or the passage's."""


@dataclass
class Prompted:
    """The model is asked with the test prompt and nothing else."""

    prompt: Prompt
    complete: Complete = field(repr=False)

    def fit(self, train: Examples) -> Self:
        """Learns nothing: only the labels are taken from the train rows."""
        self.labels_ = train.labels
        return self

    def shown(self, rows: Examples) -> list[list[Shown]]:
        """What stands before the question of each row, as the model reads it, the first first."""
        return [[] for _ in range(len(rows))]

    def questions(self, rows: Examples, shown: Sequence[Sequence[Shown]] | None = None) -> list[list[Message]]:
        """One chat per row, in order. `shown` is what `shown(rows)` gave, where it is at hand."""
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
    choose: str = "spread"
    """How they are chosen among the train rows: spread over the range of answers, by lot, or the shortest (fewest tokens)."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_shots(self.shots)
        if self.choose not in CHOICES:
            raise SettingsError(f"choose is '{self.choose[:40]}'; it must be one of {', '.join(CHOICES)}.", title="Unknown choice")

    def fit(self, train: Examples) -> Self:
        targets = needs(train, 1)
        self.labels_ = train.labels
        self.places_ = self._chosen(train, targets)
        self.solved_ = [solved(self.prompt, train.take([place]), self.longest) for place in self.places_]
        return self

    def _chosen(self, train: Examples, targets: Sequence[Any]) -> list[int]:
        if self.choose == "spread":
            return _spread(train.task, targets, self.shots, self.seed)
        if self.choose == "shortest":
            return sorted(range(len(train)), key=lambda place: (len(train.text[place]), place))[: self.shots]
        return [int(place) for place in np.random.default_rng(self.seed).permutation(len(train))[: self.shots]]

    def shown(self, rows: Examples) -> list[list[Shown]]:
        return [[as_shown(place, chat) for place, chat in zip(self.places_, self.solved_, strict=True)] for _ in range(len(rows))]

    def questions(self, rows: Examples, shown: Sequence[Sequence[Shown]] | None = None) -> list[list[Message]]:
        before = [message for chat in self.solved_ for message in chat]
        return [after(before, question) for question in super().questions(rows)]


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


def check_shots(shots: int) -> None:
    if shots < 1:
        raise SettingsError(f"shots is {shots}; at least 1 solved row is needed, or choose the plain prompt.", title="No solved rows")


def solved(prompt: Prompt, rows: Examples, longest: int) -> list[Message]:
    """User and assistant messages of solved rows, their texts cut; the system message is left to the question."""
    cut = [{name: _cut(value, longest) for name, value in row.items()} for row in rows.rows()]
    chats = [prompt.example(row, target) for row, target in zip(cut, rows.targets or (), strict=True)]
    return [message for chat in chats for message in chat if message["role"] != "system"]


def as_shown(place: int, chat: Sequence[Message]) -> Shown:
    """A solved train row as it is shown to people: what the user and the assistant say in it."""
    said = {one["role"]: one["content"] for one in chat}
    return Shown(f"train row {place + 1:,}", said.get("user", ""), said.get("assistant", ""), place)


def _cut(value: Any, longest: int) -> Any:
    return value[:longest].rstrip() + "…" if isinstance(value, str) and len(value) > longest else value


def after(before: Sequence[Message], question: Sequence[Message]) -> list[Message]:
    """The solved rows between the system message and the question."""
    return [*(m for m in question if m["role"] == "system"), *before, *(m for m in question if m["role"] != "system")]


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
