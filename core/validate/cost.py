"""What a training file costs on each model, side by side with this machine; what writing variants and measuring cost.

| figure | formula |
|---|---|
| billable tokens | the sum over the examples of min(the model's longest example, tokens) |
| training | billable tokens x epochs x price of training |
| 1,000 answers | 1,000 x (mean question x price of input + mean answer x price of output), fine-tuned rates |
| in a batch | the same at batch rates; half where none is stated |
| augmentation | rows x variants requests: (mean text + 150 tokens of instruction) in, mean text out, untuned rates |
| evaluation | test rows: mean question in, mean answer out; a fine-tuned model at its own rates, an untuned one at its |

Rewards of prompt caching are not counted; validation tokens are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import SettingsError
from core.validate.accounting import Tokens
from core.validate.prices import Price, Rates, can_train, rates_of

LOCAL = "embedded"
INSTRUCTION = 150
"""Tokens of the instruction in a request for variants (assumed; the real request is counted on Augment)."""


@dataclass(frozen=True)
class CostRow:
    """What one model costs for this file."""

    model: str
    provider: str
    """openai, another host's name, or embedded for this machine."""
    training_usd: float | None
    """0.0 on this machine; None where no price per token is known."""
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
    billable: int = 0
    """Tokens of one epoch, each example at most the model's limit."""
    tokens: int = 0
    """Trained in all: per epoch times epochs."""
    note: str = ""
    yours: bool = False
    """The price was typed by a person."""
    memory: int = 0
    """Bytes at the peak, on this machine."""


@dataclass(frozen=True)
class AskedRow:
    """What asking one model costs besides training: writing variants, and measuring on test rows."""

    model: str
    augment_usd: float | None
    evaluate_tuned_usd: float | None
    evaluate_untuned_usd: float | None
    retired: bool = False


def cost_rows(usage: Callable[[Price], Tokens], prices: Sequence[Price], epochs: int, today: str) -> list[CostRow]:
    """One row per hosted model, in the order given. `usage(price)` counts the file as that model does; `today` is ISO.

    Raises SettingsError for less than one epoch.
    """
    _at_least(epochs, "epochs")
    return [_row(price, usage(price), epochs, today) for price in prices]


def _row(price: Price, tokens: Tokens, epochs: int, today: str) -> CostRow:
    billable = tokens.billable(price.training_context)
    rates = rates_of(price, tuned=True)
    asked, told = per_answer(tokens)
    return CostRow(
        price.title, price.host,
        None if price.training is None else billable * epochs * price.training / 1e6,
        None if rates is None else (asked * rates.input + told * rates.output) / 1e3,
        None if rates is None else (asked * rates.batch_input + told * rates.batch_output) / 1e3,
        not can_train(price, today), None, price.jobs_until, int((tokens.total > price.training_context).sum()), billable,
        billable * epochs, price.note, price.yours,
    )  # fmt: skip


def local_row(tokens: Tokens, epochs: int, limit: int, seconds: float | None, memory: int = 0, title: str = "This machine") -> CostRow:
    """Training on this machine: no dollars, but time and memory. `limit` is its longest row."""
    billable = tokens.billable(limit)
    cut = int((tokens.total > limit).sum())
    return CostRow(title, LOCAL, 0.0, 0.0, None, False, seconds, "", cut, billable, billable * epochs, memory=memory)


def asked_rows(
    usage: Callable[[Price], Tokens], prices: Sequence[Price], *, rows: int, variants: int, test_rows: int, today: str
) -> list[AskedRow]:
    """What `rows` x `variants` variants and the answers to `test_rows` cost on each model. Raises SettingsError below zero."""
    for value, name in ((rows, "rows"), (variants, "variants"), (test_rows, "test rows")):
        _at_least(value, name, 0)
    made = []
    for price in prices:
        asked, told = per_answer(usage(price))
        untuned, tuned = rates_of(price, tuned=False), rates_of(price, tuned=True)
        writing = _usd(untuned, rows * variants * (asked + INSTRUCTION), rows * variants * asked)
        measuring = [_usd(rates, test_rows * asked, test_rows * told) for rates in (tuned, untuned)]
        made.append(AskedRow(price.title, writing, measuring[0], measuring[1], not can_train(price, today)))
    return made


def per_answer(tokens: Tokens) -> tuple[float, float]:
    """Mean tokens of (question, answer), (0, 0) of nothing."""
    if not len(tokens):
        return 0.0, 0.0
    told = float(tokens.answer.mean())
    return float(tokens.total.mean()) - told, told


def _usd(rates: Rates | None, given: float, told: float) -> float | None:
    return None if rates is None else (given * rates.input + told * rates.output) / 1e6


def _at_least(value: int, name: str, least: int = 1) -> None:
    if value < least:
        raise SettingsError(f"{name} is {value}; at least {least} is needed.", title=f"Not a number of {name}")
