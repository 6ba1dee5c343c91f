"""A checked training file priced: this machine, every host of the price table, other devices; what past estimates were worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from core.errors import SettingsError
from core.io import pricing, probing
from core.io.checking import counted
from core.io.counting import count_of
from core.validate.accounting import Tokens, count_tokens
from core.validate.cost import AskedRow, CostRow, asked_rows, cost_rows, local_row
from core.validate.devices import Error, Offer, Past, error_of, offers
from core.validate.encodings import encoding_of, is_local
from core.validate.offers import find
from core.validate.prices import OPENAI, Price

LOCAL_LIMIT = 256
"""Tokens of the longest row when the built-in model is trained, unless a setting says otherwise."""
WIDE = 65_536
COUNTED = 50_000
"""Examples that are counted once more for this machine: about ten seconds of short rows."""


def usage(made: Any) -> Callable[[Price], Tokens]:
    """Tokens of a report's chats as each model counts them; each way of counting once.

    Texts count alike in one encoding. Pictures and tool definitions do not, so a file that holds any is counted model by model.
    """
    found: dict[str, Tokens] = {}
    plain = not made.tokens.estimated
    if made.rules != "classic" and not is_local(made.model):
        found[encoding_of(made.model)[0] if plain else made.model] = made.tokens

    def of(price: Price) -> Tokens:
        name = price.tokenizer or price.model
        key = encoding_of(name)[0] if plain and not is_local(name) and not name.endswith("_base") else name
        if key not in found:
            how = name if is_local(name) else key if plain else name
            found[key] = counted(made, how, WIDE) or count_tokens(made.chats, count_of(how), WIDE, name)
        return found[key]

    return of


def chosen(names: Sequence[str], table: Sequence[Price]) -> list[Price]:
    """Rows of the table by name, called as they were asked for. Raises SettingsError for one that is not there."""
    rows = []
    for name in names:
        row = find(table, name)
        if row is None:
            known = ", ".join(one.model if one.host == OPENAI else f"{one.host}/{one.model}" for one in table)
            raise SettingsError(f"There is no price for '{name[:80]}'. Choose of {known}, or add its price.", title="Unknown price")
        rows.append(replace(row, model=name) if row.host == OPENAI else row)
    return rows


def costs(made: Any, prices: Sequence[Price], epochs: int, tokens_of: Callable[[Price], Tokens] | None = None) -> list[CostRow]:
    """This machine, then every model, priced today."""
    tokens_of = tokens_of or usage(made)
    return [local(made, epochs)[0], *cost_rows(tokens_of, prices, epochs, pricing.today())]


def local(made: Any, epochs: int) -> tuple[CostRow, list[Offer], bool]:
    """(this machine's row, other devices by formula, whether this machine's rate was measured).

    Counted with the built-in model's own tokenizer and template once it is unpacked; until then, and for more than COUNTED
    examples, with the file's.
    """
    from core.io import embedded

    limit = made.tokens.limit if is_local(made.model) else LOCAL_LIMIT
    if is_local(made.model) and made.rules != "classic":
        tokens = made.tokens
    elif embedded.is_ready() and len(made.chats) <= COUNTED:
        tokens = count_tokens(made.chats, count_of("embedded"), limit)
    else:
        tokens = made.tokens
    plan = probing.plan(len(tokens), tokens.billable(limit), min(limit, int(tokens.total.max(initial=0))), epochs)
    row = local_row(tokens, epochs, limit, plan["seconds"], plan["memory"], f"This machine, {embedded.TITLE}")
    return row, offers(plan["tokens"], plan["steps"], plan["parameters"], plan["memory"]), plan["measured"]


def asked(made: Any, prices: Sequence[Price], *, rows: int, variants: int, test_rows: int,
          tokens_of: Callable[[Price], Tokens] | None = None) -> list[AskedRow]:  # fmt: skip
    """What writing variants and measuring on test rows cost, model by model."""
    return asked_rows(tokens_of or usage(made), prices, rows=rows, variants=variants, test_rows=test_rows, today=pricing.today())


def past_error() -> Error | None:
    """How far the estimates of this workspace's finished trainings were off: what each was told before it began, and what it took."""
    from core.io.lora import adapters

    past = [Past(one.seconds, float(one.estimate.get("seconds") or 0), one.memory, int(one.estimate.get("memory") or 0))
            for one in adapters() if not one.stopped and one.estimate]  # fmt: skip
    return error_of(past)
