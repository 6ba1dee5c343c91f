"""What an augmentation asks for, and what the gates say about everything that came: planned and judged anew each time, from the
version and the journal, so that neither requests nor verdicts are stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.augment.asks import Ask, followed
from core.augment.asks import judged as to_judge
from core.augment.gates import SMALL_WRITER, HeldOut, Judge, Limits, Meaning, Near, bare
from core.augment.presets import AugmentSettings
from core.augment.reading import Read
from core.augment.report import Report, candidates, report
from core.augment.requests import compared, plan, plan_further
from core.errors import DataError
from core.io import files, meanings, store, written
from core.io.languages import identify
from core.version import Version


def train_rows(version: Version) -> pd.DataFrame:
    """The train rows with their row numbers in the version as index. Raises DataError when there are none."""
    if version.roles.split is None or not version.splits.get("train"):
        raise DataError("New rows are written from train rows only, so that nothing of the test can leak. Split this version on Curate.",
                        title=f"Version {version.number} has no train rows: split it first")  # fmt: skip
    return store.frame(version, split="train")


def asks(version: Version, settings: AugmentSettings) -> list[Ask]:
    """The requests of one augmentation, in row order."""
    return plan(train_rows(version), version.roles, settings)


def rounds(version: Version, settings: AugmentSettings, folder: Path) -> list[list[Ask]]:
    """The requests of a run, and those of each further round its journal holds."""
    more = written.further(folder)
    train = train_rows(version) if more else None
    return [asks(version, settings), *([] if train is None else [plan_further(train, version.roles, settings, one) for one in more])]


def all_asks(version: Version, settings: AugmentSettings, folder: Path) -> list[Ask]:
    """The same in one list."""
    return [ask for one in rounds(version, settings, folder) for ask in one]


def limits_in(folder: Path) -> Limits | None:
    """Where a person moved the gates of a run to; None where nobody did."""
    path = folder / "limits.json"
    return Limits.from_dict(files.read_json(path)) if path.exists() else None


def usual_limits(settings: AugmentSettings) -> Limits:
    """Where the gates stand as long as nobody moves them."""
    return SMALL_WRITER if settings.one_each else Limits()


def judge_for(version: Version, settings: AugmentSettings, *, limits: Limits | None = None, meaning: Meaning | None = None) -> Judge:
    """A judge that knows the train texts (nothing is written twice) and the rows kept aside; `limits` where the gates were moved,
    `meaning` as `core.io.meanings` gives it."""
    kept, aside = _texts(version, compared(settings, version.roles))
    stand = limits or usual_limits(settings)
    return Judge(HeldOut(aside), settings.keeps, version.task or "chat", stand, {bare(text) for _, text in kept}, language, Near(kept),
                 meaning, original=probable_language)  # fmt: skip


def held_out(version: Version, settings: AugmentSettings) -> HeldOut:
    """The rows kept aside, to recognise copies of them."""
    return HeldOut(_texts(version, compared(settings, version.roles))[1])


def _texts(version: Version, column: str) -> tuple[list[tuple[int, str]], list[str]]:
    """(row, text) of the train rows, and the texts of all others; none where the column is yet to be written."""
    if column not in version.columns:
        return [], []
    marker = version.roles.split
    rows = store.frame(version, [column, *([marker] if marker and marker != column else [])])
    texts = ["" if cell is None or cell != cell else str(cell) for cell in rows[column].tolist()]
    parts = rows[marker].astype("str").tolist() if marker else ["train"] * len(rows)
    kept = [(row, text) for row, (text, part) in enumerate(zip(texts, parts, strict=True)) if part == "train"]
    return kept, [text for text, part in zip(texts, parts, strict=True) if part != "train"]


def language(text: str, sure: float = 0.98) -> str:
    """The language's two letters when a text is long enough to be nearly sure, else ""."""
    if sum(map(str.isalpha, text)) < 40:
        return ""
    name, sureness = identify(text)
    return name if sureness > sure else ""


def probable_language(text: str) -> str:
    """The same of an original, which is what it says it is more often than what a writer sends back."""
    return language(text, 0.9)


def replies_in(folder: Path, planned: Sequence[Ask]) -> dict[str, Read]:
    """Key of the request -> what was read, from a journal, second requests among them."""
    first = written.came(folder, planned).reads
    seconds = followed(planned, first)
    return {**first, **written.came(folder, seconds).reads} if seconds else first


def judged(version: Version, settings: AugmentSettings, folder: Path, *, limits: Limits | None = None,
           meaning: Meaning | None = None) -> tuple[list[Ask], pd.DataFrame, Judge]:  # fmt: skip
    """The requests whose replies hold the variants, every variant as the gates see it, and the judge that knows them all."""
    planned = all_asks(version, settings, folder)
    reads = replies_in(folder, planned)
    shown, judge = to_judge(planned, reads), judge_for(version, settings, limits=limits, meaning=meaning)
    return shown, candidates(shown, reads, judge), judge


def review(version: Version, settings: AugmentSettings, folder: Path) -> tuple[pd.DataFrame, Report]:
    """Every variant so far with its gate, in row order, and the report card. Meanings count as far as they are known."""
    shown, frame, _ = judged(version, settings, folder, limits=limits_in(folder), meaning=meanings.remembered(folder, 0))
    return frame, report(shown, frame)
