"""`leakage TRAIN TEST`: what the train rows already know of the test rows."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from core.version import Roles, Version

HELP = "find test rows that train rows already know: copies, near copies, shared groups, told answers"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("train", metavar="TRAIN", help="a file or a version id (its train and validation rows)")
    parser.add_argument("test", metavar="TEST", help="a file or a version id (its test rows)")
    parser.add_argument("--on", metavar="COL", nargs="+", action="extend", help="the columns to compare; default: the text columns")
    parser.add_argument("--group", metavar="COL", help="no value of this column may be on both sides")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.curate.leakage import leakage

    train, first = _rows(args.train, ("train", "validation"))
    test, second = _rows(args.test, ("test",))
    roles = _roles(train, first)
    both = [name for name in train.columns if name in test.columns]
    on = args.on or [name for name in roles.text if name in both] or [_longest(train, both)]
    say(f"Comparing {', '.join(on)} of {len(train):,} train and {len(test):,} test rows")
    report = leakage(
        train,
        test,
        on,
        group=args.group or (roles.group if roles.group in both else None),
        time=roles.time if roles.time in both else None,
        parent=roles.parent_row or ("parent_row" if "parent_row" in train else None),
        target=roles.target if roles.target in both else None,
        same_table=first is not None and second is not None and first.id == second.id,
    )
    return report.to_dict()


def _rows(name: str, splits: tuple[str, ...]) -> tuple[pd.DataFrame, Version | None]:
    """A file's rows, or those of a version that stand in these splits (all when it is not split)."""
    from core.io.commands import read_data

    frame, version = read_data(name)
    marker = version.roles.split if version else None
    return (frame.loc[frame[marker].astype("str").isin(splits)] if marker else frame), version


def _roles(train: pd.DataFrame, version: Version | None) -> Roles:
    from core.load.roles import guess

    return version.roles if version else guess(train).roles


def _longest(train: pd.DataFrame, names: list[str]) -> str:
    """The column with the longest texts, when no role says which one is the text."""
    from core.errors import DataError

    if not names:
        raise DataError(
            "TRAIN and TEST have no column in common. Name the columns alike, or convert one of them.", title="Nothing to compare"
        )
    return max(names, key=lambda name: float(train[name].astype("str").str.len().mean()) if len(train) else 0.0)


def show(result: dict[str, Any]) -> str:
    from core.curate.leakage import LEVELS
    from core.format import count

    lines = [f"{name:12} {count(result[name]['count']):>7}" for name in LEVELS]
    meaning = {
        "clean": "Clean: nothing found.",
        "warn": "Warn: look at these rows; they may tell more than they should.",
        "blocked": "Blocked: these test rows measure memory. Take their copies out of train.",
    }
    return "\n".join([*lines, meaning[result["verdict"]]])
