"""Prices by date, the cost of training and of answers, this machine beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.__main__ import parser
from core.errors import SettingsError
from core.io import costing
from core.io.commands import cost as command
from core.io.pricing import asking
from core.validate.accounting import Tokens
from core.validate.cost import asked_rows, cost_rows, local_row
from core.validate.prices import AS_OF, PRICES, base_price, can_train, days_left, limit_of, shutdown, table
from tests.doubles import shared


def tokens(totals: list[int], answer: int = 10, limit: int = 65_536) -> Tokens:
    total = np.array(totals)
    same = np.full(len(totals), answer)
    return Tokens(np.arange(len(totals)), np.full(len(totals), 2), total, same, same, same, limit)


def rows(used: Tokens, models: list[str], epochs: int = 3, today: str = AS_OF):
    return cost_rows(lambda price: used, costing.chosen(models, list(PRICES.values())), epochs, today)


def test_the_documented_examples_come_out():
    used = tokens([1000] * 100)
    mini, old = rows(used, ["gpt-4o-mini-2024-07-18", "gpt-3.5-turbo"])
    assert mini.training_usd == pytest.approx(0.90)
    assert old.training_usd == pytest.approx(2.40)


def test_answers_cost_the_fine_tuned_rates_and_half_in_a_batch():
    (row,) = rows(tokens([110] * 4), ["gpt-4.1-mini"])
    assert row.usd_per_1000 == pytest.approx(1000 * (100 * 0.80 + 10 * 3.20) / 1e6)
    assert row.batch_usd_per_1000 == pytest.approx(1000 * (100 * 0.40 + 10 * 1.60) / 1e6)


def test_each_example_is_billed_up_to_the_models_own_limit():
    used = tokens([20_000, 100])
    new, old = rows(used, ["gpt-4o-mini", "babbage-002"], 1)
    assert (new.tokens, new.cut) == (20_100, 0)
    assert (old.tokens, old.cut) == (16_485, 1)


@pytest.mark.parametrize(
    ("today", "retired"), [("2026-10-22", set()), ("2026-11-21", {"gpt-4.1-nano"}), ("2027-01-06", {"gpt-4.1-nano", "gpt-4o-mini"})]
)
def test_a_model_retires_on_its_day(today, retired):
    found = rows(tokens([10]), ["gpt-4.1-nano", "gpt-4o-mini"], today=today)
    assert {row.model for row in found if row.retired} == retired


def test_reinforcement_by_the_hour_has_no_price_per_token():
    (row,) = rows(tokens([10]), ["o4-mini"])
    assert row.training_usd is None
    assert row.usd_per_1000 is not None


def test_an_unknown_model_is_refused_with_the_choices():
    with pytest.raises(SettingsError, match="gpt-4o-mini"):
        rows(tokens([10]), ["gpt-9"])
    with pytest.raises(SettingsError, match="epochs"):
        rows(tokens([10]), ["gpt-4o"], 0)


def test_a_name_decides_which_rates_count(home):
    assert asking("gpt-9") is None
    tuned, plain = asking("ft:gpt-4o-mini-2024-07-18:org::id"), asking("gpt-4o-mini")
    assert tuned is not None
    assert plain is not None
    assert (tuned.input, tuned.output) == (0.30, 1.20)
    assert (plain.input, plain.output) == (0.15, 0.60)
    assert base_price("ft:gpt-4.1-2025-04-14:o::x:ckpt-step-7") is PRICES["gpt-4.1-2025-04-14"]


@pytest.mark.parametrize(
    ("model", "limit"), [("gpt-4o-mini", 65_536), ("gpt-3.5-turbo", 16_385), ("gpt-3.5-turbo-0613", 4_096), ("other", 65_536)]
)
def test_limits_follow_the_model(model, limit):
    assert limit_of(model) == limit


def test_the_table_has_every_price_with_its_day():
    shown = table()
    assert len(shown) == len(PRICES)
    assert [p.model for p in PRICES.values() if can_train(p, AS_OF)] == [
        "gpt-4.1-2025-04-14", "gpt-4.1-mini-2025-04-14", "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18",
    ]  # fmt: skip


def test_this_machine_takes_time_and_no_dollars():
    row = local_row(tokens([100, 300]), 2, 256, 14.0, 2**30)
    assert (row.training_usd, row.billable, row.tokens, row.cut, row.memory) == (0.0, 356, 712, 1, 2**30)
    assert (row.seconds, row.provider) == (14.0, "embedded")


def run(*words: str) -> dict:
    return command.run(parser("cost").parse_args(["cost", *words]), lambda text: None)


def test_the_command_gives_the_contracts_keys(home, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"a thing {i}", "completion": f"{i} dollars"}) + "\n" for i in range(20)))
    result = run(str(path), "--model", "gpt-4o-mini", "--model", "embedded", "--epochs", "2")
    assert list(result) == ["as_of", "rows"]
    assert [row["model"] for row in result["rows"]] == ["embedded", "gpt-4o-mini"]
    assert all(
        list(row) == ["model", "provider", "training_usd", "usd_per_1000", "batch_usd_per_1000", "retired"] for row in result["rows"]
    )
    assert len(run(str(path))["rows"]) == len(PRICES) + 1
    assert "local" in command.show(result)
    one = run(str(path), "--model", "gpt-4o", "--epochs", "1")["rows"][0]["training_usd"]
    assert run(str(path), "--model", "gpt-4o", "--epochs", "7")["rows"][0]["training_usd"] == pytest.approx(7 * one)
    with pytest.raises(SettingsError):
        run(str(path), "--epochs", "0")


def test_the_days_left_are_said_and_never_below_nothing():
    assert days_left("2026-11-21") == (46, 54)
    assert days_left("2027-03-01") == (0, 0)
    assert "46 days left" in shutdown("2026-11-21")
    assert "takes no fine-tuning jobs any more" in shutdown("2027-01-10")
    assert "(1 day left)" in shutdown("2027-01-13")
    assert "stopped answering" in shutdown("2027-01-14")


def test_every_shipped_price_is_dated_and_says_where_it_is_from():
    for price in PRICES.values():
        assert (price.as_of, bool(price.source), price.yours) == (AS_OF, True, False)
    stated = {name: (p.training, p.input, p.cached, p.output, p.batch_input, p.batch_cached, p.batch_output) for name, p in PRICES.items()}
    assert stated == {
        "gpt-4.1-2025-04-14": (25.00, 3.00, 0.75, 12.00, 1.50, 0.50, 6.00),
        "gpt-4.1-mini-2025-04-14": (5.00, 0.80, 0.20, 3.20, 0.40, 0.10, 1.60),
        "gpt-4o-2024-08-06": (25.00, 3.75, 1.875, 15.00, 2.225, 0.90, 12.50),
        "gpt-4o-mini-2024-07-18": (3.00, 0.30, 0.15, 1.20, 0.15, 0.075, 0.60),
        "gpt-4.1-nano-2025-04-14": (1.50, 0.20, 0.05, 0.80, 0.10, 0.025, 0.40),
        "gpt-3.5-turbo-0125": (8.00, 3.00, None, 6.00, 1.50, None, 3.00),
        "davinci-002": (6.00, 12.00, None, 12.00, 6.00, None, 6.00),
        "babbage-002": (0.40, 1.60, None, 1.60, 0.80, None, 0.90),
        "o4-mini-2025-04-16": (None, 4.00, 1.00, 16.00, 2.00, 0.50, 8.00),
    }
    assert [p.model for p in PRICES.values() if p.base_input is not None] == [p.model for p in PRICES.values() if can_train(p, AS_OF)]


def test_variants_and_evaluation_are_priced_by_hand():
    (row,) = asked_rows(
        lambda price: tokens([110] * 4), [PRICES["gpt-4o-mini-2024-07-18"]], rows=200, variants=3, test_rows=50, today=AS_OF
    )
    assert row.augment_usd == pytest.approx(600 * ((100 + 150) * 0.15 + 100 * 0.60) / 1e6)
    assert row.evaluate_untuned_usd == pytest.approx(50 * (100 * 0.15 + 10 * 0.60) / 1e6)
    assert row.evaluate_tuned_usd == pytest.approx(50 * (100 * 0.30 + 10 * 1.20) / 1e6)
    (retired,) = asked_rows(lambda price: tokens([110]), [PRICES["babbage-002"]], rows=1, variants=1, test_rows=1, today=AS_OF)
    assert (retired.augment_usd, retired.evaluate_untuned_usd) == (None, None)
    with pytest.raises(SettingsError, match="variants is -1"):
        asked_rows(lambda price: tokens([1]), [PRICES["davinci-002"]], rows=1, variants=-1, test_rows=0, today=AS_OF)


def test_the_command_prices_variants_evaluation_and_devices_when_asked(home, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"a thing {i}", "completion": f"{i} dollars"}) + "\n" for i in range(20)))
    result = run(str(path), "--model", "gpt-4o-mini", "--variants", "2", "--test-rows", "100", "--devices")
    assert [row["device"] for row in result["devices"]][:3] == ["this machine", "T4, 16 GB", "A10, 24 GB"]
    assert {row["known"] for row in result["devices"]} == {"guess", "estimate"}
    (asking,) = result["asking"]
    assert 0 < asking["evaluation_usd"] < asking["tuned_evaluation_usd"]
    twice = run(str(path), "--model", "gpt-4o-mini", "--variants", "4")["asking"][0]["variants_usd"]
    assert twice == pytest.approx(2 * asking["variants_usd"])
    assert "T4, 16 GB" in command.show(result)
    with pytest.raises(SettingsError, match="--variants"):
        run(str(path), "--variants", "-1")


def test_the_real_pricing_file_costs_what_its_tokens_say(home):
    """200 lines of one public course: 25,000-odd tokens, three epochs by the rule of thumb."""
    path = shared("pricer/fine_tune_train_2024_200.jsonl")
    from core.io.validating import check, read

    made = check(*read(str(path)))
    usd = run(str(path), "--model", "gpt-4o-mini")["rows"][0]["training_usd"]
    assert made.epochs == 3
    assert usd == pytest.approx(made.tokens.billable() * 3 * 3.00 / 1e6)
