"""Check of a run at a host: Validate's findings on the file that would leave, its tokens, what it will cost, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import StudioError
from core.finetune.checks import Check
from core.finetune.hosted import Wish
from core.io.hosted import checking, costs
from core.io.hosted import rows as training
from core.validate.prices import limit_of
from core.version import Version
from ui import cache
from ui.finetune_check import check_line
from ui.layout import card


@dataclass(frozen=True)
class Host:
    """Whose model, and what is missing before it can be asked."""

    url: str = ""
    model: str = ""
    key: str | None = None
    missing: str = ""


@dataclass(frozen=True)
class Plan:
    """What the button would start."""

    wish: Wish | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    budget: float | None = None
    missing: str = ""


@st.cache_resource(max_entries=2, show_spinner=False)
def _pairs_report(dataset: str, version: str, model: str) -> Any:
    """Validate's report of rows that are pairs of answers."""
    from core.io import store, validating
    from core.validate.reading import of_rows

    made = training.rows_of(store.version(dataset, version), "train")
    return validating.check(of_rows(made, list(range(1, len(made) + 1))), model=model)


def report(version: Version, model: str) -> Any:
    """What Validate says to the training file, counted as the model counts."""
    with st.spinner("Checking the training file"):
        if training.holds_preferences(version):
            return _pairs_report(version.dataset, version.id, model)
        return cache.training_report(version.dataset, version.id, model, limit_of(model))


def show(version: Version, host: Host, plan: Plan, into: Any) -> tuple[list[Check], costs.Estimate | None]:
    """The card, its lines, and what the job is expected to take."""
    lines: list[Check] = []
    estimate = None
    with card("Check", into=into):
        if host.missing:
            lines.append(Check("FAIL", host.missing, "", "settings" if "key" in host.missing else None))
        if plan.wish:
            try:
                made = report(version, host.model)
                estimate = costs.estimate(made, host.url, host.model, plan.wish.hyperparameters, _tests(version, plan))
                lines += _found(made, plan.wish.method) + _costs(estimate, plan.budget, host)
            except StudioError as error:
                lines.append(Check("FAIL", error.title, str(error)))
        if plan.missing:
            lines.append(Check("FAIL", "A setting is not possible", plan.missing))
        leaked = cache.leaked(version.dataset, version.id) if training.measurable(version) else 0
        if leaked:
            lines.append(
                Check("WARN", f"{fmt.plural(leaked, 'test row')} also in train", f"of {fmt.count(version.splits['test'])}", "curate")
            )
        elif not training.measurable(version):
            lines.append(Check("WARN", "Nothing is measured afterwards", "no target or no test rows"))
        for line in lines:
            check_line(line)
    return lines, estimate


def _found(made: Any, method: str) -> list[Check]:
    """The findings of Validate that matter here, the worst first."""
    wrong = checking.another_format(made, method)
    failed = [Check("FAIL", one.sentence, one.detail, "validate") for one in made.failed]
    warned = [Check("WARN", one.sentence, one.detail, "validate") for one in made.checks if one.word == "WARN"]
    more = [Check("WARN", f"{fmt.plural(len(warned) - 2, 'more warning')}", "", "validate")] if len(warned) > 2 else []
    good = [] if failed else [Check("PASS", "The host would take this file", fmt.plural(made.examples, "example"))]
    return ([Check("FAIL", "Another format is needed", wrong, "validate")] if wrong else []) + failed + good + warned[:2] + more


def _costs(plan: costs.Estimate, budget: float | None, host: Host) -> list[Check]:
    """Trained tokens, and money."""
    tokens = Check("PASS", f"{fmt.tokens(plan.tokens)} trained tokens", f"{fmt.plural(plan.epochs, 'epoch')}, as expected")
    if plan.usd is None:
        return [tokens, Check("WARN", f"No price is known for {fmt.short(host.model, 40)}", "give it on Settings", "settings")]
    told = f"{fmt.cost(plan.training_usd)} to train" + (f", {fmt.cost(plan.evaluation_usd)} to measure" if plan.evaluation_usd else "")
    over = budget is not None and plan.usd > budget
    return [tokens, Check("FAIL" if over else "PASS", f"Over the budget of {fmt.cost(budget)}" if over else "Within the budget", told)]


def _tests(version: Version, plan: Plan) -> int:
    return min(int(plan.request.get("limit", 0)), version.splits.get("test", 0)) if training.measurable(version) else 0
