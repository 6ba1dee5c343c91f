"""What a training file costs on each model, side by side with this machine.

Training: tokens of the file (each example at most the model's limit) times epochs times the price. 1,000 answers: the
mean question in, the mean answer out. Rewards of prompt caching are not counted; validation tokens are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import SettingsError
from core.validate.accounting import Tokens
from core.validate.encodings import encoding_of
from core.validate.prices import PRICES, Price, base_price, can_train

LOCAL = "embedded"


@dataclass(frozen=True)
class CostRow:
    """What one model costs for this file."""

    model: str
    provider: str
    """openai, or embedded for this machine."""
    training_usd: float | None
    """0.0 on this machine; None where no price per token is published."""
    usd_per_1000: float | None
    """1,000 answers of the fine-tuned model."""
    batch_usd_per_1000: float | None
    """The same within 24 hours instead of at once; None where there is no such offer."""
    retired: bool
    seconds: float | None = None
    """Estimated time of the training; None where nobody says."""
    until: str = ""
    """The day from which no job can be started (ISO)."""
    cut: int = 0
    """Examples longer than the model's limit."""
    tokens: int = 0
    """Trained in all: per epoch times epochs."""
    note: str = ""


def cost_rows(usage: Callable[[str], Tokens], models: Sequence[str], epochs: int, today: str) -> list[CostRow]:
    """One row per hosted model, in the order given. `usage(encoding)` counts the file in that encoding; `today` is ISO.

    Raises SettingsError for a model that is not in the table.
    """
    if epochs < 1:
        raise SettingsError(f"epochs is {epochs}; at least 1 is needed.", title="No training")
    rows = []
    for model in models:
        price = base_price(model)
        if price is None:
            raise SettingsError(f"There is no price for '{model}'. Choose of {', '.join(PRICES)}.", title="Unknown price")
        rows.append(_row(model, price, usage(encoding_of(price.model)[0]), epochs, today))
    return rows


def _row(model: str, price: Price, tokens: Tokens, epochs: int, today: str) -> CostRow:
    trained = tokens.billable(price.training_context) * epochs
    asked, told = per_answer(tokens)
    return CostRow(
        model, "openai",
        None if price.training is None else trained * price.training / 1e6,
        (asked * price.input + told * price.output) / 1e3,
        (asked * price.batch_input + told * price.batch_output) / 1e3,
        not can_train(price, today), None, price.jobs_until, int((tokens.total > price.training_context).sum()), trained, price.note,
    )  # fmt: skip


def local_row(tokens: Tokens, epochs: int, limit: int, rate: float, title: str = "This machine") -> CostRow:
    """Training on this machine: no dollars, but time. `rate` is training tokens per second, `limit` its longest row."""
    trained = tokens.billable(limit) * epochs
    seconds = trained / rate if rate > 0 else None
    return CostRow(title, LOCAL, 0.0, 0.0, None, False, seconds, "", int((tokens.total > limit).sum()), trained)


def per_answer(tokens: Tokens) -> tuple[float, float]:
    """Mean tokens of (question, answer), (0, 0) of nothing."""
    if not len(tokens):
        return 0.0, 0.0
    told = float(tokens.answer.mean())
    return float(tokens.total.mean()) - told, told
