"""What hosted fine-tuning costs: a dated table, in USD per million tokens.

Sources: OpenAI's pricing page (the training prices are the last ones it published, in late 2025) and its deprecations page,
read on the day of AS_OF. Retired models stay, marked. The platform is being wound down: from 6 January 2027 nobody can start
a job, from 14 January 2027 its fine-tuned models stop answering. What the untuned models cost is from litellm's price file.
Not known here: discounts, taxes, other hosts (their rows are typed by people, see `offers`), whether an account may still
start jobs (only accounts that used fine-tuning lately can). The longest examples of babbage-002, davinci-002 and o4-mini are
not stated in a current source: assumed as for gpt-3.5-turbo and gpt-4o.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from core.validate.encodings import base_of

if TYPE_CHECKING:
    import pandas as pd

AS_OF = "2026-11-21"
SOURCE = "OpenAI's pricing and deprecations pages"
UNTUNED_SOURCE = "litellm's model_prices_and_context_window.json"
OPENAI = "openai"
LAST_JOB, LAST_ANSWER, GONE = "2027-01-06", "2027-01-14", "2026-10-23"


@dataclass(frozen=True)
class Price:
    """One model at one host; USD per million tokens, None where no price is known."""

    model: str
    training: float | None
    """Per million tokens of the file, times epochs."""
    input: float | None
    """Of the fine-tuned model, like all that follow up to `base_input`."""
    output: float | None
    cached: float | None = None
    batch_input: float | None = None
    batch_output: float | None = None
    batch_cached: float | None = None
    base_input: float | None = None
    """What the model costs that is not fine-tuned (source: UNTUNED_SOURCE)."""
    base_output: float | None = None
    jobs_until: str = ""
    """The day from which no job can be started (ISO); empty where none is known."""
    answers_until: str = ""
    """The day fine-tunes of it stop answering (ISO)."""
    training_context: int = 65_536
    """Tokens of one training example; longer ones are cut."""
    context: int = 128_000
    """Tokens of question and answer when asking."""
    note: str = ""
    host: str = OPENAI
    source: str = SOURCE
    as_of: str = AS_OF
    yours: bool = False
    """Typed by a person, not shipped."""
    tokenizer: str = ""
    """Whose tokens count, where the model's name does not say: an encoding, a model, embedded or file:FOLDER."""

    @property
    def key(self) -> tuple[str, str]:
        """(host, model): what a row is known by."""
        return self.host, self.model

    @property
    def title(self) -> str:
        """How costs name it."""
        return self.model if self.host == OPENAI else f"{self.host}, {self.model}"


@dataclass(frozen=True)
class Rates:
    """What asking a model costs, in USD per million tokens."""

    input: float
    output: float
    batch_input: float
    batch_output: float


Three = tuple[float, float | None, float]


def _p(
    model: str,
    training: float | None,
    rates: Three,
    batch: Three,
    base: tuple[float, float] | tuple[None, None] = (None, None),
    until: tuple[str, str] = (LAST_JOB, LAST_ANSWER),
    context: tuple[int, int] = (65_536, 128_000),
    note: str = "",
) -> Price:
    """`rates` and `batch` are the fine-tuned model's input, cached input and output; `base` the untuned model's input and output."""
    return Price(model, training, rates[0], rates[2], rates[1], batch[0], batch[2], batch[1], *base, *until, *context, note)


PRICES: dict[str, Price] = {
    price.model: price
    for price in (
        _p("gpt-4.1-2025-04-14", 25.00, (3.00, 0.75, 12.00), (1.50, 0.50, 6.00), (2.00, 8.00)),
        _p("gpt-4.1-mini-2025-04-14", 5.00, (0.80, 0.20, 3.20), (0.40, 0.10, 1.60), (0.40, 1.60)),
        _p("gpt-4o-2024-08-06", 25.00, (3.75, 1.875, 15.00), (2.225, 0.90, 12.50), (2.50, 10.00), note="batch prices as published"),
        _p("gpt-4o-mini-2024-07-18", 3.00, (0.30, 0.15, 1.20), (0.15, 0.075, 0.60), (0.15, 0.60)),
        _p("gpt-4.1-nano-2025-04-14", 1.50, (0.20, 0.05, 0.80), (0.10, 0.025, 0.40), until=(GONE, GONE)),
        _p("gpt-3.5-turbo-0125", 8.00, (3.00, None, 6.00), (1.50, None, 3.00), until=(GONE, GONE), context=(16_385, 16_385)),
        _p("davinci-002", 6.00, (12.00, None, 12.00), (6.00, None, 6.00), until=(GONE, GONE), context=(16_385, 16_385),
           note="longest example assumed"),
        _p("babbage-002", 0.40, (1.60, None, 1.60), (0.80, None, 0.90), until=(GONE, GONE), context=(16_385, 16_385),
           note="batch prices as published; longest example assumed"),
        _p("o4-mini-2025-04-16", None, (4.00, 1.00, 16.00), (2.00, 0.50, 8.00), until=(GONE, GONE),
           note="reinforcement only, $100 an hour and the grader's tokens; longest example assumed"),
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
    """The shipped row of a model's base, whichever way the model is named; `input` and `output` are the fine-tuned model's."""
    name = base_of(model).casefold()
    return PRICES.get(ALIASES.get(name, name))


def rates_of(price: Price, *, tuned: bool) -> Rates | None:
    """Fine-tuned or untuned rates of a row; half of them in a batch where no batch price is stated. None where nobody says."""
    given, told = (price.input, price.output) if tuned else (price.base_input, price.base_output)
    if given is None or told is None:
        return None
    stated = tuned and price.batch_input is not None and price.batch_output is not None
    return Rates(given, told, price.batch_input if stated else given / 2, price.batch_output if stated else told / 2)  # type: ignore[arg-type]


def can_train(price: Price, today: str) -> bool:
    """Whether jobs can still be started on that day (ISO)."""
    return not price.jobs_until or today < price.jobs_until


def limit_of(model: str) -> int:
    """Tokens of one training example of that model; 65,536 for a model that is not in the table."""
    if base_of(model) == "gpt-3.5-turbo-0613":
        return 4_096
    found = base_price(model)
    return found.training_context if found else 65_536


def days_left(today: str) -> tuple[int, int]:
    """Days (never below 0) until OpenAI takes no more fine-tuning jobs, and until its fine-tuned models stop answering."""
    day = date.fromisoformat(today)
    jobs, answers = (max(0, (date.fromisoformat(end) - day).days) for end in (LAST_JOB, LAST_ANSWER))
    return jobs, answers


def shutdown(today: str) -> str:
    """The sentence people must have read before they pay for a hosted fine-tune."""
    from core import format as fmt

    jobs, answers = days_left(today)
    if not answers:
        return f"OpenAI's fine-tuned models stopped answering on {fmt.date(LAST_ANSWER)}. Train on this machine, or at another host."
    ends = f"its fine-tuned models stop answering on {fmt.date(LAST_ANSWER)} ({fmt.plural(answers, 'day')} left)"
    if not jobs:
        return f"OpenAI takes no fine-tuning jobs any more, and {ends}. Train on this machine, or at another host."
    return f"OpenAI takes no new fine-tuning jobs from {fmt.date(LAST_JOB)} ({fmt.plural(jobs, 'day')} left); {ends}."


def table() -> pd.DataFrame:
    """The shipped prices as people read them, one row per base model."""
    from core.validate.offers import as_table

    return as_table(list(PRICES.values()))
