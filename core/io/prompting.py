"""A language model under the tester: asked the test rows, its replies journalled, unread ones asked again, what was shown kept.

Temperature is 0 for everyone. A second run with the same journal asks only for what is missing or failed. Re-asking is the same for
every model: what cannot be read is told so, and its tokens, seconds and cost are added to the row's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.evaluation import Evaluation, answers_frame, drawn
from core.io import evaluations, files
from core.io.testing import LANGUAGE_MODEL_ROWS, about_evaluation, evaluation_id, test_rows, train_rows
from core.predict.prompted import Prompted, Shown
from core.prediction import Examples, Prediction
from core.prompt import Message, Prompt, as_chat
from core.reply import Reply
from core.version import Version

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, str], None]
BATCH = 32
"""Questions asked at once: what a stop or a crash can lose."""
UNREADABLE = ("unread", "truncated")


@dataclass(frozen=True)
class How:
    """How a language model is asked, besides its prompt."""

    limit: int | None = LANGUAGE_MODEL_ROWS
    """Test rows asked, drawn by lot; None asks all."""
    batch: int = BATCH
    retries: int = 0
    """How often a reply that cannot be read is asked for again."""
    seed: int = 0


def run_prompted(
    version: Version,
    prompt: Prompt,
    complete: Callable[..., Sequence[Reply]],
    *,
    title: str,
    predictor: str = "prompted",
    family: str = "prompted",
    how: How | None = None,
    settings: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    notes: Mapping[str, Any] | None = None,
    fit_seconds: float = 0.0,
    training_usd: float | None = None,
    progress: Progress | None = None,
    arrived: Callable[[Examples, list[Prediction]], None] | None = None,
    journal: Path | None = None,
    rows: tuple[Examples, Examples] | None = None,
) -> Evaluation:
    """Ask a language model test rows and save its evaluation with what was shown before each question.

    `complete(requests, max_tokens=, prefix=, seed=)` answers chats. `settings` are the predictor's, `given` what it takes from outside
    (passages, encode). Replies go to `journal` as they arrive; `arrived` is told the rows and predictions so far.
    """
    from core.predict.registry import PREDICTORS, make

    how = how or How()
    train, whole = rows or (train_rows(version), test_rows(version))
    asked = drawn(len(whole), how.limit)
    test = whole if len(asked) == len(whole) else whole.take(asked)
    ask: dict[str, Any] = {"max_tokens": prompt.max_tokens, "prefix": prompt.prefix, "seed": how.seed}
    brought = {"prompt": prompt, "complete": lambda requests: complete(requests, **ask), **(given or {})}
    speaker: Any = Prompted(prompt, brought["complete"])
    if predictor in PREDICTORS:
        speaker = make(predictor, settings, seed=how.seed, **brought)
    told = {**dict(settings or {}), "prompt": prompt.to_dict(), **({"retries": how.retries} if how.retries else {})}
    id = evaluation_id(predictor, {**told, "title": title, "notes": dict(notes or {})}, version, how.seed, how.limit)
    start = time.perf_counter()
    speaker.fit(train)
    fitted = time.perf_counter() - start
    start = time.perf_counter()
    talk = _Talk(speaker, test, lambda requests: complete(requests, **ask), id, journal, title)
    talk.answer(how.batch, progress, arrived)
    for _ in range(how.retries):
        talk.again(how.batch, progress, arrived)
    return evaluations.save(
        Evaluation(
            id=id,
            predictor=predictor,
            title=title,
            family=family,
            answers=answers_frame(test, talk.predictions(), asked),
            settings=told,
            fit_seconds=fit_seconds or fitted,
            predict_seconds=time.perf_counter() - start,
            training_usd=training_usd,
            notes={**dict(notes or {}), "asked": talk.account()},
            **about_evaluation(version, train, whole, how.seed),
        ),
        shown=shown_frame(asked, talk.shown),
    )


@dataclass(frozen=True)
class Answered:
    """What a model said to some rows that are kept nowhere: for the command line."""

    predictions: list[Prediction]
    fit_seconds: float
    predict_seconds: float
    account: Mapping[str, Any]
    shown: list[list[Shown]]


def answered(speaker: Any, train: Examples, test: Examples, how: How, progress: Progress | None = None, title: str = "") -> Answered:
    """Fit a predictor that speaks and ask it these rows, without a journal."""
    start = time.perf_counter()
    speaker.fit(train)
    fitted = time.perf_counter()
    talk = _Talk(speaker, test, speaker.complete, "", None, title)
    talk.answer(how.batch, progress, None)
    for _ in range(how.retries):
        talk.again(how.batch, progress, None)
    return Answered(talk.predictions(), fitted - start, time.perf_counter() - fitted, talk.account(), talk.shown)


class _Talk:
    """Questions to one model, and its replies by place."""

    def __init__(
        self, speaker: Any, test: Examples, complete: Callable[[Any], Sequence[Reply]], id: str, journal: Path | None, title: str
    ) -> None:
        self.speaker, self.test, self.complete, self.id, self.journal, self.title = speaker, test, complete, id, journal, title
        self.bare = test.without_targets()
        self.shown: list[list[Shown]] = speaker.shown(self.bare)
        self.replies, self.tries, self.sizes = remembered(journal, id, len(test))

    def answer(self, batch: int, progress: Progress | None, arrived: Any) -> None:
        """Ask for what is missing."""
        missing = [place for place in range(len(self.test)) if place not in self.replies]
        for first in range(0, len(missing), batch):
            places = missing[first : first + batch]
            for place, reply in zip(places, self.complete(self.questions(places)), strict=True):
                self._keep(place, reply, 1)
            self._tell(progress, arrived)

    def again(self, batch: int, progress: Progress | None, arrived: Any) -> None:
        """Ask once more for what cannot be read and was not asked more often than the others."""
        least = min(self.tries.values(), default=1)
        unread = [place for place, one in enumerate(self.predictions()) if one.status in UNREADABLE and self.tries[place] == least]
        for first in range(0, len(unread), batch):
            places = unread[first : first + batch]
            chats = [
                again(chat, self.replies[place].text, self.speaker.prompt.prefix, self.test)
                for place, chat in zip(places, self.questions(places), strict=True)
            ]
            for place, reply in zip(places, self.complete(chats), strict=True):
                self._keep(place, _added(self.replies[place], reply), self.tries[place] + 1)
            self._tell(progress, arrived)

    def questions(self, places: Sequence[int]) -> list[list[Message]]:
        return self.speaker.questions(self.bare.take(list(places)), [self.shown[place] for place in places])

    def predictions(self) -> list[Prediction]:
        return self.speaker.read(self.test.task, [self.replies[place] for place in range(len(self.test))])

    def _keep(self, place: int, reply: Reply, tries: int) -> None:
        self.replies[place], self.tries[place] = reply, tries
        if tries == 1:
            self.sizes[place] = reply.tokens_in
        if self.journal:
            files.append_line(self.journal, {"key": self.id, "index": place, "reply": asdict(reply), "tries": tries})

    def _tell(self, progress: Progress | None, arrived: Any) -> None:
        known = sorted(self.replies)
        if arrived:
            arrived(self.test.take(known), self.speaker.read(self.test.task, [self.replies[place] for place in known]))
        if progress:
            progress(len(known), len(self.test), f"{self.title}, row {len(known):,} of {len(self.test):,}")

    def account(self) -> dict[str, Any]:
        """What the questions took: tokens of the average and the largest prompt, cost, how many were asked again or remembered."""
        replies = [self.replies[place] for place in range(len(self.test))]
        first = [size for size in self.sizes.values() if size is not None]
        paid = [reply.usd for reply in replies if reply.usd is not None]
        repeated = [place for place in range(len(replies)) if self.tries[place] > 1]
        read = self.predictions()
        return {
            "prompt_tokens_mean": sum(first) / len(first) if first else None,
            "prompt_tokens_most": max(first, default=None),
            "usd": sum(paid) if paid else None,
            "asked_again": len(repeated),
            "read_then": sum(read[place].status == "ok" for place in repeated),
            "remembered": sum(reply.cached for reply in replies),
            "estimated": any(reply.estimated for reply in replies),
            "failed": sum(reply.finish in ("error", "timeout") for reply in replies),
        }


def again(chat: Sequence[Message], said: str, prefix: str, rows: Examples) -> list[Message]:
    """The question with the reply that could not be read, and what is wanted instead."""
    wanted = {
        "regression": "Answer with one number and nothing else.",
        "classification": f"Answer with one of: {', '.join(rows.labels[:40])}.",
    }.get(rows.task, "Answer in a few words.")
    told = prefix + said if said.strip() else "(nothing)"
    return [*as_chat(chat), {"role": "assistant", "content": told}, {"role": "user", "content": f"That cannot be read. {wanted}"}]


def _added(before: Reply, after: Reply) -> Reply:
    """The later reply with the tokens, seconds and cost of both; the earlier one where the later failed."""
    kept = before if after.finish in ("error", "timeout") else after
    sums = {name: _sum(getattr(before, name), getattr(after, name)) for name in ("tokens_in", "tokens_out", "seconds", "usd")}
    return replace(kept, **sums, cached=before.cached and after.cached, estimated=before.estimated or after.estimated)


def _sum(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one + other


def remembered(journal: Path | None, id: str, n: int) -> tuple[dict[int, Reply], dict[int, int], dict[int, int | None]]:
    """What an earlier run left, by place: replies, how often each was asked for, tokens of the first question. Failed ones are gone."""
    lines = [line for line in files.read_lines(journal) if line.get("key") == id and line["index"] < n] if journal else []
    good = [line for line in lines if line["reply"]["finish"] not in ("error", "timeout")]
    sizes = {line["index"]: line["reply"]["tokens_in"] for line in good if int(line.get("tries", 1)) == 1}
    return {line["index"]: Reply(**line["reply"]) for line in good}, {line["index"]: int(line.get("tries", 1)) for line in good}, sizes


def shown_frame(places: Sequence[int], shown: Sequence[Sequence[Shown]]) -> pd.DataFrame | None:
    """What stood before each question, as JSON by place in the test split; None when nothing did."""
    import pandas as pd

    if not any(shown):
        return None
    cells = [json.dumps([asdict(one) for one in some], ensure_ascii=False) for some in shown]
    return pd.DataFrame({"index": list(places), "shown": cells})
