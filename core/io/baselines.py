"""The job that runs baselines: one predictor after another, each saved the moment it is done, failures told and passed over.

Request: {dataset, version, names, settings: {name: {...}}, limit, seed} and, for language models, what `core.io.asking` reads.
Live figures are one per predictor: {state, title, family, value, low, high, n, share, began, seconds, evaluation, reason}, which is
what a page draws while it runs; the answers of a predictor that is asked row by row are told in the folder as they arrive
(`told_rows`).
"""

from __future__ import annotations

import math
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError, Stopped, StudioError
from core.evaluation import Evaluation
from core.io import asking, files, store
from core.io.prompting import How, run_prompted
from core.io.testing import LANGUAGE_MODEL_ROWS, declared_labels, run_predictor, target_range, test_rows, train_rows
from core.predict.parts import Parts
from core.predict.registry import entry
from core.prediction import Examples, Prediction
from core.task import task
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

MODEL = asking.MODEL
SHOWN = 300
"""Characters of a text and of a reply that are told while it runs."""


def run(request: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """Run the named predictors. Returns {"evaluations": [id], "failed": [{name, title, reason}], "seconds"}.

    Raises SettingsError for unknown names, DataError when the version cannot be measured on; Stopped after a cancel.
    """
    names = list(request["names"])
    if not names:
        raise SettingsError("No predictor is chosen. Choose at least one.", title="Nothing to run")
    entries = {name: entry(name) for name in names}
    version = store.version(request["dataset"], request["version"])
    desk.say(0, len(names), "Reading the rows")
    rows = train_rows(version), test_rows(version)
    before = {line["name"]: line for line in files.read_lines(desk.journal("finished"))}
    begun, parts = time.perf_counter(), Parts(time.perf_counter)
    done, failed = [line["evaluation"] for line in before.values() if line["name"] in names], []
    for place, name in enumerate(names):
        if name in before:
            continue
        teller = _Teller(desk, name, asking.titled(name, request), entries[name].family, place, len(names), rows)
        try:
            made = _one(name, request, version, rows, teller, desk, parts)
        except Stopped:
            raise
        except Exception as error:
            reason = _reason(error)
            failed.append({"name": name, "title": teller.title, "reason": reason})
            teller.tell(place + 1, f"{teller.title} failed", state="failed", reason=reason)
            continue
        files.append_line(desk.journal("finished"), {"name": name, "evaluation": made.id})
        done.append(made.id)
        teller.finished(made)
    return {"evaluations": done, "failed": failed, "seconds": time.perf_counter() - begun}


def _reason(error: Exception) -> str:
    if isinstance(error, StudioError):
        return f"{error.title}. {error}"
    traceback.print_exc()
    return f"This is a mistake in the studio: {type(error).__name__}: {error}"


def _one(
    name: str, request: Mapping[str, Any], version: Version, rows: tuple[Examples, Examples], teller: _Teller, desk: Desk, parts: Parts
) -> Evaluation:
    """One predictor, fitted or asked, timed and saved."""
    settings, seed = dict(request.get("settings", {}).get(name, {})), int(request.get("seed", 0))
    kind = entry(name)
    teller.began()
    if "complete" not in kind.needs:
        encode = None
        if "encode" in kind.needs:
            from core.io.encoder import encoder

            encode = encoder(teller.step)
        return run_predictor(name, settings, version, seed=seed, encode=encode, progress=teller.step, rows=rows, parts=parts)
    limit = int(request.get("limit") or LANGUAGE_MODEL_ROWS)
    teller.asked = min(limit, len(rows[1]))
    complete, notes = asking.language_model(
        request.get("provider"), version.task or "chat", teller.step, desk.environment, request.get("budget")
    )
    given, about = asking.given_for(name, settings, request.get("source"), version, rows, teller.step)
    if "passages" in kind.needs:
        about |= {"source": dict(request.get("source") or {})}
    return run_prompted(
        version,
        asking.prompt_of(version, rows[0], request.get("prompt")),
        complete,
        title=teller.title,
        predictor=name,
        how=How(limit, retries=asking.retries_of(request), seed=seed),
        settings=settings,
        given=given,
        notes={**notes, **about},
        progress=teller.step,
        arrived=teller.live,
        journal=desk.journal("replies"),
        rows=rows,
    )


class _Teller:
    """How one predictor tells the page where it is."""

    def __init__(self, desk: Desk, name: str, title: str, family: str, place: int, total: int, rows: tuple[Examples, Examples]) -> None:
        self.desk, self.name, self.title, self.family, self.place, self.total = desk, name, title, family, place, total
        self.rows, self.figure = rows, {"title": title, "family": family}
        self.asked = len(rows[1])
        self.told: Counter[str] = Counter()

    def began(self) -> None:
        """Nothing is told of this predictor yet: what an earlier try told is forgotten."""
        _rows_of(self.desk.folder, self.name).unlink(missing_ok=True)
        self.tell(self.place, self.title, state="working", began=time.time())

    def tell(self, done: int, message: str, **figure: Any) -> None:
        self.figure |= figure
        self.desk.say(done, self.total, message, **{self.name: dict(self.figure)})

    def step(self, done: int, total: int, message: str) -> None:
        self.desk.say(self.place, self.total, message if self.title in message else f"{self.title}: {message}")

    def live(self, rows: Examples, predictions: Sequence[Prediction]) -> None:
        """The headline over the rows answered so far, and those that are new."""
        from core.evaluate.answers import make_answers

        train, test = self.rows
        self.write(rows, predictions)
        guesses = [p.value for p in predictions]
        labels = declared_labels(train, test)
        answers = make_answers(rows.task, rows.targets or (), guesses, labels=labels, target_range=target_range(train))
        self.tell(
            self.place, f"{self.title}, row {len(guesses):,} of {self.asked:,}", share=len(guesses) / self.asked, **_headline(answers)
        )

    def write(self, rows: Examples, predictions: Sequence[Prediction]) -> None:
        """Each new answer as a line of the folder; rows of one text are told apart by their number."""
        seen: Counter[str] = Counter()
        for text, truth, one in zip(rows.text, rows.targets or (), predictions, strict=True):
            seen[text] += 1
            if seen[text] > self.told[text]:
                self.told[text] += 1
                line = {"text": text[:SHOWN], "truth": truth, "guess": one.value, "status": one.status, "raw": one.raw[:SHOWN]}
                files.append_line(_rows_of(self.desk.folder, self.name), line)

    def finished(self, made: Evaluation) -> None:
        from core.evaluate.answers import answers_of

        seconds = made.fit_seconds + made.predict_seconds
        self.tell(self.place + 1, self.title, state="done", seconds=round(seconds, 3), evaluation=made.id, **_headline(answers_of(made)))


def _rows_of(folder: Path, name: str) -> Path:
    return folder / f"rows_{name}.jsonl"


def told_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """What a predictor has answered so far in a running job, in order of arrival: {text, truth, guess, status, raw}."""
    path = _rows_of(folder, name)
    return files.read_lines(path) if path.exists() else []


def _headline(answers: Any) -> dict[str, Any]:
    from core.evaluate.intervals import PREVIEW, measure

    found = measure(answers, [task(answers.task).headline], count=PREVIEW)
    one = next(iter(found.values()))
    ends = {"value": one.value, "low": one.low, "high": one.high}
    return {**{key: value if math.isfinite(value) else None for key, value in ends.items()}, "n": answers.n}
