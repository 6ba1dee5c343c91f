"""Training rows: exactly the test prompt's tokens, then the answer, then the end of the turn; only the latter two are learnt.

The question comes from the same `Prompt` and the same chat template as at test time, and it is turned into tokens by
itself, so the model is never asked anything that differs by a token from what it was trained on. What does not fit is
cut from the end of the question and counted; a row that can teach nothing is counted too and left out.
Not known here: which model, which files. `render` and `encode` come from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import DataError
from core.prediction import Examples
from core.prompt import Message, Prompt
from core.task import Target

Render = Callable[[list[Message], str], str]
"""(chat, prefix) -> the text the model is given: `core.io.embedded.generate.render` with its tokenizer."""
Encode = Callable[[list[str]], list[list[int]]]
IGNORED = -100
"""The label of a token that is read and not learnt (PyTorch's cross entropy leaves it out)."""
NOTHING = ("no room for the answer", "the answer is empty")


@dataclass(frozen=True)
class TrainingRow:
    prompt: tuple[int, ...]
    """Tokens read and not learnt."""
    answer: tuple[int, ...]
    """Tokens learnt: the answer without its prefix, and the end of the turn."""
    row: int
    """Place in the rows it was made of, from 0."""
    cut: int = 0
    """Tokens of the question that were left out to fit."""

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)

    def ids(self) -> list[int]:
        return [*self.prompt, *self.answer]

    def labels(self, answers_only: bool = True) -> list[int]:
        """One label per token of `ids()`."""
        return [IGNORED] * len(self.prompt) + list(self.answer) if answers_only else self.ids()


@dataclass(frozen=True)
class TrainingRows:
    rows: tuple[TrainingRow, ...]
    left_out: dict[int, str]
    """Rows that teach nothing -> why (one of NOTHING)."""
    cut: tuple[int, ...]
    """Rows whose question lost its end."""
    answers_cut: tuple[int, ...]
    """Rows whose very answer is longer than the limit and lost its end."""

    @property
    def tokens(self) -> int:
        """Tokens of one epoch, padding not counted."""
        return sum(map(len, self.rows))

    @property
    def learnt(self) -> int:
        return sum(len(row.answer) for row in self.rows)

    @property
    def longest(self) -> int:
        return max(map(len, self.rows), default=0)

    def reasons(self) -> dict[str, int]:
        return dict(Counter(self.left_out.values()))


def training_rows(examples: Examples, prompt: Prompt, render: Render, encode: Encode, end: int, max_tokens: int) -> TrainingRows:
    """Every example as tokens, in order. `end` is the token that ends a turn. Raises DataError when nothing can be learnt."""
    if examples.targets is None:
        raise DataError("The train rows have no targets. Choose what to predict on Explore.", title="Nothing to learn")
    chats = [prompt.question(row) for row in examples.rows()]
    return supervised(chats, answer_texts(examples, prompt, examples.targets), prompt.prefix, render, encode, end, max_tokens)


def supervised(
    chats: Sequence[list[Message]], answers: Sequence[str], prefix: str, render: Render, encode: Encode, end: int, max_tokens: int
) -> TrainingRows:
    """Chats that end with the user's message, and what to say after `prefix`, as tokens. Raises DataError as above."""
    questions = encode([render(chat, prefix) for chat in chats])
    tails = encode([_tail(chat, render, prefix) for chat in chats])
    replies = encode(list(answers))
    made, left_out, cut, answers_cut = [], {}, [], []
    for row, (question, tail, reply, text) in enumerate(zip(questions, tails, replies, answers, strict=True)):
        room = max_tokens - len(tail) - 1
        if not text.strip() or room < 1:
            left_out[row] = NOTHING[1] if room >= 1 else NOTHING[0]
            continue
        answer = [*reply, end][: room + 1]
        if len(answer) <= len(reply):
            answers_cut.append(row)
        over = max(0, len(question) + len(answer) - max_tokens)
        kept = [*question[: max(0, len(question) - len(tail) - over)], *tail] if over else question
        if over:
            cut.append(row)
        made.append(TrainingRow(tuple(kept), tuple(answer), row, over))
    if not made:
        why = ", ".join(f"{reason} ({n})" for reason, n in Counter(left_out.values()).items()) or "there are none"
        raise DataError(f"None of the {len(chats)} train rows teaches anything: {why}. Allow longer rows, or choose another target.",
                        title="Nothing to learn")  # fmt: skip
    return TrainingRows(tuple(made), left_out, tuple(cut), tuple(answers_cut))


def chats_of(messages: Sequence[Sequence[Message]]) -> tuple[list[list[Message]], list[str]]:
    """Recorded chats as (everything before the last answer, the last answer). Raises DataError naming rows without one."""
    wrong = [i for i, chat in enumerate(messages, start=1) if len(chat) < 2 or chat[-1].get("role") != "assistant"]
    if wrong:
        raise DataError(f"{len(wrong)} chats do not end with an answer (rows {', '.join(map(str, wrong[:5]))}). Each needs a last message "
                        "of role 'assistant'. Check the file on Validate & Cost.", title="An answer is missing")  # fmt: skip
    return [list(chat[:-1]) for chat in messages], [str(chat[-1].get("content") or "") for chat in messages]


def answer_texts(examples: Examples, prompt: Prompt, targets: Sequence[Target]) -> list[str]:
    """What each row's model should say after the prefix."""
    replies = [prompt.reply(row, target) for row, target in zip(examples.rows(), targets, strict=True)]
    return [reply[len(prompt.prefix) :] for reply in replies]


def _tail(chat: list[Message], render: Render, prefix: str) -> str:
    """What the template puts after the user's words: it must survive a cut."""
    whole, said = render(chat, prefix), chat[-1]["content"].rstrip()
    return whole[whole.rfind(said) + len(said) :] if said and said in whole else ""


def order(lengths: Sequence[int], steps: int, batch: int, seed: int, group_by_length: bool = True) -> list[int]:
    """Positions of the rows for `steps` batches, one after the other: epoch after epoch, each a new shuffle.

    With `group_by_length` the rows of 16 batches at a time are sorted by length before they are cut into batches, and
    those batches are shuffled. Known in advance, so a resumed run goes on exactly where the killed one was.
    """
    rng = np.random.default_rng(seed)
    plan: list[int] = []
    while len(plan) < steps * batch:
        epoch = rng.permutation(len(lengths)).tolist()
        plan += _grouped(epoch, lengths, batch, rng) if group_by_length else epoch
    return plan[: steps * batch]


def _grouped(epoch: list[int], lengths: Sequence[int], batch: int, rng: np.random.Generator) -> list[int]:
    grouped: list[int] = []
    for start in range(0, len(epoch), 16 * batch):
        window = sorted(epoch[start : start + 16 * batch], key=lambda i: lengths[i])
        chunks = [window[i : i + batch] for i in range(0, len(window), batch)]
        full, rest = [c for c in chunks if len(c) == batch], [c for c in chunks if len(c) < batch]
        grouped += [i for k in rng.permutation(len(full)).tolist() for i in full[k]] + [i for c in rest for i in c]
    return grouped


def collate(rows: Sequence[TrainingRow], pad: int, answers_only: bool = True) -> dict[str, Any]:
    """A batch as arrays, padded on the left so that all answers end together: (rows, longest) each.

    Because they do, the model has to compute its 50,000 scores for the last `logits_to_keep` places only, and `labels`
    covers just those: (rows, logits_to_keep). That saves a fifth of the work and most of the memory.
    """
    width = max(map(len, rows))
    keep = width if not answers_only else max(len(row.answer) for row in rows) + 1
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    labels = np.full((len(rows), width), IGNORED, dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, width - len(row) :] = row.ids()
        mask[i, width - len(row) :] = 1
        labels[i, width - len(row) + 1 :] = row.labels(answers_only)[1:]  # the first token follows from nothing
    places = np.maximum(np.cumsum(mask, axis=1) - 1, 0)
    return {"input_ids": ids, "attention_mask": mask, "position_ids": places, "labels": labels[:, -keep:], "logits_to_keep": keep}


def end_to_end(rows: Sequence[TrainingRow], answers_only: bool = True) -> dict[str, Any]:
    """A batch as one sequence without padding: arrays of (1, tokens), `row_ends` where each row stops, in order.

    Positions begin at 0 in each row. `logits_to_keep` are the places whose next token is learnt, (learnt,), and `labels`,
    (1, learnt), those next tokens: no score is computed for nothing.
    """
    ids = [token for row in rows for token in row.ids()]
    following = [label for row in rows for label in (*row.labels(answers_only)[1:], IGNORED)]
    labels = np.array(following, dtype=np.int64)
    learnt = np.flatnonzero(labels != IGNORED)
    return {
        "input_ids": np.array([ids], dtype=np.int64),
        "position_ids": np.array([[place for row in rows for place in range(len(row))]], dtype=np.int64),
        "labels": labels[None, learnt],
        "shift_labels": labels[None, learnt],
        "logits_to_keep": learnt,
        "row_ends": np.cumsum([len(row) for row in rows]).tolist(),
    }
