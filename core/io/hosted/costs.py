"""What a hosted fine-tune costs: estimated before from the file's tokens, told after from the tokens the host trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.errors import SettingsError
from core.format import cost
from core.io import pricing
from core.io.costing import usage
from core.io.providers.addresses import OPENAI
from core.validate.cost import per_answer
from core.validate.encodings import base_of
from core.validate.offers import find
from core.validate.prices import Price, rates_of

if TYPE_CHECKING:
    from core.validate.report import Report


@dataclass(frozen=True)
class Estimate:
    """What is to be expected of a job."""

    rows: int
    epochs: int
    tokens: int
    """Trained in all: per epoch, each row at most the model's limit, times epochs."""
    training_usd: float | None
    """None where no price is known."""
    evaluation_usd: float | None

    @property
    def usd(self) -> float | None:
        """Training and the answers to the test rows."""
        return None if self.training_usd is None else self.training_usd + (self.evaluation_usd or 0.0)


def price_at(base_url: str, model: str) -> Price | None:
    """The price of a model at an address: OpenAI's at its own, else a row people typed whose host is part of the address's name."""
    table = pricing.prices()
    if base_url in ("", OPENAI):
        found = find(table, model)
        return found if found is not None and found.key[0] == "openai" else None
    host = (urlsplit(base_url).hostname or "").casefold()
    names = {base_of(model).casefold(), model.casefold()}
    return next((row for row in table if row.host != "openai" and row.host.casefold() in host and row.model.casefold() in names), None)


def estimate(made: Report, base_url: str, model: str, hyperparameters: Mapping[str, Any], tests: int) -> Estimate:
    """`made` is Validate's report of the training file, `tests` the test rows that are answered afterwards."""
    price = price_at(base_url, model)
    asked = hyperparameters.get("n_epochs", "auto")
    epochs = made.epochs if asked == "auto" else int(asked)
    tokens = made.tokens if price is None else usage(made)(price)
    trained = tokens.billable(price.training_context if price else made.tokens.limit) * epochs
    rates = rates_of(price, tuned=True) if price else None
    question, answer = per_answer(tokens)
    evaluation = None if rates is None else tests * (question * rates.input + answer * rates.output) / 1e6
    return Estimate(made.examples, epochs, trained, trained_usd(price, trained), evaluation)


def trained_usd(price: Price | None, tokens: int | None) -> float | None:
    """What so many trained tokens cost; None where a number is missing."""
    return None if price is None or price.training is None or tokens is None else tokens * price.training / 1e6


def within(plan: Estimate, budget: float | None) -> None:
    """Raises SettingsError when a job is expected to cost more than the budget."""
    if budget is not None and plan.usd is not None and plan.usd > budget:
        raise SettingsError(
            f"This job is expected to cost {cost(plan.usd)} ({plan.tokens:,} trained tokens and the answers to test rows); it may cost "
            f"{cost(budget)}. Allow more, train fewer epochs or fewer rows.",
            title="Over the budget",
        )
