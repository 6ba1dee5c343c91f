"""Rows for which an expression over their columns is true stay, or leave.

Where it is unknown, because a value is missing, a row is not true: it leaves, or stays when the others are kept.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.curate.fields import Settings, setting
from core.curate.formula import read_formula
from core.curate.table import Tokenizer, kept, with_reasons
from core.curate.truths import Evaluation
from core.format import short


@dataclass(frozen=True)
class ExpressionSettings(Settings):
    expression: str = setting(
        "", 'What has to be true, such as price > 10 and len(text) < 500 and category in ("a", "b").', "text", empty="all rows stay"
    )
    keep: str = setting("true", "Which rows stay: those for which it is true or the others.", "choice", choices=("true", "others"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.expression.strip():
            read_formula(self.expression)

    def columns_named(self) -> list[str]:
        return read_formula(self.expression).columns() if self.expression.strip() else []


def expression(rows: pd.DataFrame, settings: ExpressionSettings, tokenizer: Tokenizer | None = None) -> pd.DataFrame:
    """Rows for which it is true stay (or leave); unknown is not true. Raises DataError for texts compared with numbers."""
    if not settings.expression.strip():
        return kept(rows)
    made = read_formula(settings.expression)
    parts = made.tree.values if isinstance(made.tree, ast.BoolOp) and isinstance(made.tree.op, ast.And) else [made.tree]
    found = [Evaluation(made, rows).truth(part) for part in parts]
    reasons: list[str | None] = [None] * len(rows)
    if settings.keep == "others":
        for place in np.flatnonzero(np.logical_and.reduce([one.values for one in found])).tolist():
            reasons[place] = f"{short(settings.expression.strip(), 80)} is true"
        return with_reasons(rows, reasons)
    for part, one in reversed(list(zip(parts, found, strict=True))):
        source = short(made.source(part), 80)
        for place in np.flatnonzero(~one.values).tolist():
            reasons[place] = f"{source} is false" if one.known[place] else f"{source} is unknown: a value is missing"
    return with_reasons(rows, reasons)


def expression_sentence(settings: ExpressionSettings) -> str:
    if not settings.expression.strip():
        return "no expression yet: all rows stay"
    return short(settings.expression.strip(), 80) if settings.keep == "true" else f"not ({short(settings.expression.strip(), 80)})"
