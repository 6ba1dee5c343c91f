"""Reading answers, metrics, intervals, paired tests. `test` puts any Python function on the table of a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from core.evaluate.tested import Tested


def test(
    function: Callable[..., Any],
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    size: int = 250,
    *,
    target: str = "target",
    text: Sequence[str] = (),
    task: str | None = None,
    target_range: tuple[float, float] | None = None,
    seed: int = 0,
    seconds: float | None = 60.0,
) -> Tested:
    """What a function is worth on these rows, with 95 % intervals: `print(test(price, rows, target="price"))`.

    `function` is given one row at a time as a dict of its columns and `text`, without the target (or all rows as a list, when
    its first parameter is called `rows`), and answers with a number, a label or a text; None where it does not know. An exception,
    or no answer within `seconds`, is a counted failure of its row. `size` rows are drawn by lot, the same ones every time. `task` is
    guessed from the targets unless it is said; `target_range` (lowest and highest target of the train rows) clips numbers as the
    studio does. Raises DataError for rows without targets, SettingsError for an asynchronous function, ModelError when the function
    fails on all of them.
    """
    from core.evaluate.tested import tested

    return tested(function, rows, size, target=target, text=text, task=task, target_range=target_range, seed=seed, seconds=seconds)


test.__test__ = False  # type: ignore[attr-defined]  # not a test, although its name says so
