"""What hosted fine-tuning costs: a dated table, in USD per million tokens.

Source: OpenAI's pricing page (the training prices are the last ones it published, in late 2025) and its deprecations
page, read on the day of AS_OF. Retired models stay, marked. The platform is being wound down: from 6 January 2027 nobody
can start a job, from 14 January 2027 its fine-tuned models stop answering. Not known here: discounts, taxes, hosts
other than OpenAI, whether an account may still start jobs (only accounts that used fine-tuning lately can).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.validate.encodings import base_of, is_tuned

if TYPE_CHECKING:
    import pandas as pd

AS_OF = "2026-11-21"
SOURCE = "OpenAI's pricing and deprecations pages"
_LAST_JOB, _LAST_ANSWER, _GONE = "2027-01-06", "2027-01-14", "2026-10-23"


@dataclass(frozen=True)
class Price:
    """USD per million tokens; None where no price was published."""

    model: str
    training: float | None
    """Per million tokens of the file, times epochs."""
    input: float
    output: float
    cached: float | None
    batch_input: float
    batch_output: float
    base_input: float | None
    """What the model costs that is not fine-tuned."""
    base_output: float | None
    jobs_until: str
    """The last day before which a job can be started (ISO)."""
    answers_until: str
    """The day fine-tunes of it stop answering (ISO)."""
    training_context: int = 65_536
    """Tokens of one training example; longer ones are cut."""
    context: int = 128_000
    """Tokens of question and answer when asking."""
    note: str = ""


def _p(
    model: str,
    training: float | None,
    rates: tuple[float, float | None, float],
    batch: tuple[float, float],
    base: tuple[float, float],
    until: tuple[str, str] = (_LAST_JOB, _LAST_ANSWER),
    context: tuple[int, int] = (65_536, 128_000),
    note: str = "",
) -> Price:
    """`rates` are the fine-tuned model's input, cached input and output; `base` the untuned model's input and output."""
    given, cached, told = rates
    return Price(model, training, given, told, cached, *batch, *base, *until, *context, note)


PRICES: dict[str, Price] = {
    price.model: price
    for price in (
        _p("gpt-4.1-2025-04-14", 25.00, (3.00, 0.75, 12.00), (1.50, 6.00), (2.00, 8.00)),
        _p("gpt-4.1-mini-2025-04-14", 5.00, (0.80, 0.20, 3.20), (0.40, 1.60), (0.40, 1.60)),
        _p("gpt-4o-2024-08-06", 25.00, (3.75, 1.875, 15.00), (2.225, 12.50), (2.50, 10.00), note="batch prices as published"),
        _p("gpt-4o-mini-2024-07-18", 3.00, (0.30, 0.15, 1.20), (0.15, 0.60), (0.15, 0.60)),
        _p("gpt-4.1-nano-2025-04-14", 1.50, (0.20, 0.05, 0.80), (0.10, 0.40), (0.10, 0.40), (_GONE, _GONE)),
        _p("gpt-3.5-turbo-0125", 8.00, (3.00, None, 6.00), (1.50, 3.00), (0.50, 1.50), (_GONE, _GONE), (16_385, 16_385)),
        _p("davinci-002", 6.00, (12.00, None, 12.00), (6.00, 6.00), (2.00, 2.00), (_GONE, _GONE), (16_385, 16_385)),
        _p("babbage-002", 0.40, (1.60, None, 1.60), (0.80, 0.90), (0.40, 0.40), (_GONE, _GONE), (16_385, 16_385),
           "batch prices as published"),
        _p("o4-mini-2025-04-16", None, (4.00, 1.00, 16.00), (2.00, 8.00), (1.10, 4.40), (_GONE, _GONE),
           note="reinforcement only, $100 an hour and the grader's tokens"),
    )
}  # fmt: skip
ALIASES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-1106": "gpt-3.5-turbo-0125",
    "o4-mini": "o4-mini-2025-04-16",
}
DEFAULT = "gpt-4o-mini-2024-07-18"


def base_price(model: str) -> Price | None:
    """The row of a model's base, whichever way the model is named; `input` and `output` are the fine-tuned model's."""
    name = base_of(model).casefold()
    return PRICES.get(ALIASES.get(name, name))


def price_of(model: str) -> Price | None:
    """What asking the model of that name costs: fine-tuned rates for `ft:` names, the base model's rates otherwise.

    None when it is not in the table, or when no price for it as it is named is known.
    """
    found = base_price(model)
    if found is None or is_tuned(model):
        return found
    if found.base_input is None or found.base_output is None:
        return None
    return replace(found, input=found.base_input, output=found.base_output,
                   batch_input=found.base_input / 2, batch_output=found.base_output / 2)  # fmt: skip


def can_train(price: Price, today: str) -> bool:
    """Whether jobs can still be started on that day (ISO)."""
    return today < price.jobs_until


def limit_of(model: str) -> int:
    """Tokens of one training example of that model; 65,536 for a model that is not in the table."""
    if base_of(model) == "gpt-3.5-turbo-0613":
        return 4_096
    found = base_price(model)
    return found.training_context if found else 65_536


def table() -> pd.DataFrame:
    """The prices as people read them, one row per base model."""
    import pandas as pd

    return pd.DataFrame(
        [{"Model": p.model, "Training": p.training, "Input": p.input, "Output": p.output, "Batch input": p.batch_input,
          "Batch output": p.batch_output, "Untuned input": p.base_input, "Untuned output": p.base_output, "Jobs until": p.jobs_until,
          "Answers until": p.answers_until, "Longest example": p.training_context, "Note": p.note} for p in PRICES.values()]
    )  # fmt: skip
