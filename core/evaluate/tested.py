"""One function under the tester: its answers beside the truth, its metrics with intervals, its failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.evaluate.answers import make_answers
from core.evaluate.intervals import Measured, measure
from core.evaluate.metrics import metric
from core.evaluate.recorded import guess_task
from core.evaluation import answers_frame, drawn
from core.format import interval, plural
from core.format import metric as shown
from core.predict.own import FAILED, Own
from core.prediction import examples
from core.version import Roles

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tested:
    """What a function is worth; `print` shows it."""

    title: str
    task: str
    metrics: Mapping[str, Measured]
    """The headline first."""
    answers: pd.DataFrame
    """model, index, guess, truth, raw, status: a CSV of it can be imported on Baselines and compared on the command line."""
    failures: tuple[tuple[int, str], ...]
    """(place, reason) of the rows on which the function raised."""
    n: int
    coverage: float
    """Share of the rows with an answer that could be read."""

    def __str__(self) -> str:
        rows = [(metric(name).title, _value(name, one), interval(one.low, one.high, _unit(name))) for name, one in self.metrics.items()]
        wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
        lines = [f"{title:{wide[0]}}  {value:>{wide[1]}}  {ends}" for title, value, ends in rows]
        told = f"{self.title}: {plural(self.n, 'row')}, {self.coverage:.1%} of the answers could be read"
        lost = (
            [f"{plural(len(self.failures), 'row')} failed, first row {self.failures[0][0]}: {self.failures[0][1]}"] if self.failures else []
        )
        return "\n".join([told, *lines, *lost])


def _unit(name: str) -> str:
    unit = metric(name).unit
    return "number" if unit == "target" else unit


def _value(name: str, one: Measured) -> str:
    return shown(_unit(name), one.value)


def tested(
    function: Callable[..., Any],
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    size: int,
    *,
    target: str,
    text: Sequence[str],
    task: str | None,
    target_range: tuple[float, float] | None,
    seed: int,
    seconds: float | None,
) -> Tested:
    """See `core.evaluate.test`."""
    import pandas as pd

    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    if not len(frame):
        raise DataError("There is no row to test on.", title="No rows")
    if target not in frame:
        have = ", ".join(map(str, frame.columns)) or "none"
        raise DataError(f"The rows have no '{target}'. Name the column of the right answers with target=; there are: {have}.",
                        title="No targets")  # fmt: skip
    columns = tuple(text) or tuple(str(name) for name in frame.columns if name != target)
    if not columns:
        raise DataError(f"The rows hold nothing but '{target}'.", title="Nothing to answer from")
    kind = task or guess_task(frame[target].tolist())
    whole = examples(frame.reset_index(drop=True), Roles(text=columns, target=target), kind)
    places = drawn(len(whole), size)
    asked = whole.take(places)
    own = Own(function, seconds)
    predictions = own.fit(asked.without_targets()).predict(asked.without_targets())
    table = answers_frame(asked, predictions, places)
    guesses = [one.value for one in predictions]
    answers = make_answers(kind, asked.targets or (), guesses, labels=whole.labels, target_range=target_range)
    kept = pd.DataFrame(table.assign(model=own.title)[["model", "index", "guess", "truth", "raw", "status"]])
    failures = tuple(
        (place, one.note.removeprefix(FAILED)) for place, one in zip(places, predictions, strict=True) if one.note.startswith(FAILED)
    )
    return Tested(own.title, kind, measure(answers, seed=seed), kept, failures,
                  len(asked), float(answers.read.mean()))  # fmt: skip
