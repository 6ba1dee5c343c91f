"""The price table as people change it: checked, kept, exported, imported, reset; other hosts priced beside the shipped rows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.__main__ import parser
from core.errors import DataError, SettingsError
from core.io import costing, pricing
from core.io.commands import cost as command
from core.validate.offers import COLUMNS, as_table, changed, find, from_csv, offers, parse, to_csv
from core.validate.prices import OPENAI, PRICES, SOURCE, Price, rates_of

OTHER = {"Host": "Together", "Model": "Llama 8B", "Training": 0.5, "Input": "0.2", "Output": "$0.20", "Source": "my bill of May"}


def row(**more: object) -> dict:
    return {**OTHER, **more}


def test_the_shipped_table_is_unchanged_by_a_round_through_table_and_csv():
    assert changed(parse(as_table(offers()).to_dict("records"))) == []
    assert changed(from_csv(to_csv(offers()).encode())) == []
    assert changed(from_csv(b"\xef\xbb\xbf" + to_csv(offers()).replace("\n", "\r\n").encode())) == []


def test_a_row_of_another_host_holds_what_was_typed_and_nothing_more():
    (made,) = parse([row()])
    assert (made.host, made.model, made.training, made.input, made.output) == ("Together", "Llama 8B", 0.5, 0.2, 0.2)
    assert (made.batch_input, made.base_input, made.jobs_until, made.title) == (None, None, "", "Together, Llama 8B")
    rates = rates_of(made, tuned=True)
    assert rates is not None
    assert (rates.batch_input, rates_of(made, tuned=False)) == (0.1, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Training": "cheap"}, "Row 1, Training: 'cheap' is not a price"),
        ({"Training": -1}, "'-1' is not a price"),
        ({"Training": float("inf")}, "'inf' is not a price"),
        ({"Training": "1e9"}, "'1e9' is not a price"),
        ({"Training": True}, "'True' is not a price"),
        ({"Output": None}, "Input is given and Output is not"),
        ({"Longest example": 0}, "whole number of tokens"),
        ({"Longest example": "12.5"}, "whole number of tokens"),
        ({"Jobs until": "soon"}, "a day like 2027-01-06"),
        ({"Tokenizer": "p50k_base"}, "Row 1, Tokenizer: 'p50k_base' is not o200k_base"),
        ({"Tokenizer": "llama"}, "'llama' is not o200k_base"),
        ({"Model": " "}, "Row 1 names no model"),
        ({"Model": "a\nb"}, "plain text of at most 200 characters"),
        ({"Note": "x" * 201}, "plain text of at most 200 characters"),
        ({"Training": None, "Input": None, "Output": None}, "no price is given"),
    ],
)
def test_a_bad_cell_is_refused_with_row_column_value_and_what_it_may_be(wrong, said):
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        parse([row(**wrong)])


def test_the_same_model_twice_and_too_many_rows_are_refused_and_empty_rows_passed_over():
    with pytest.raises(DataError, match="Rows 1 and 3 both are Together, Llama 8B"):
        parse([row(), {}, row()])
    with pytest.raises(DataError, match="at most 500"):
        parse([row(Model=str(i)) for i in range(501)])
    assert parse([{}, {"Host": "", "Model": float("nan"), "Note": "left over"}]) == []


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "Host and Model"), (b"a,b\n1,2\n", "it reads 'a, b'"), (b"\xff\xfeH", "UTF-8"), (b'Host,Model\n"x', "no CSV")]
)
def test_what_is_no_price_table_is_refused(data, said):
    with pytest.raises(DataError, match=said):
        from_csv(data)


def test_cells_that_start_like_a_formula_come_back_as_they_were():
    text = to_csv(parse([row(Note="=1+1", Source="@me")]))
    assert "'=1+1" in text
    (made,) = from_csv(text.encode())
    assert (made.note, made.source) == ("=1+1", "@me")


def test_the_table_is_kept_dated_marked_and_reset(home):
    table = as_table(pricing.prices())
    table.loc[table["Model"] == "gpt-4o-mini-2024-07-18", "Training"] = 4.0
    kept = pricing.save(parse([*table.to_dict("records"), row(Source="")]))
    assert [(one.host, one.source, one.as_of, one.yours) for one in kept] == [
        (OPENAI, "typed here", pricing.today(), True), ("Together", "typed here", pricing.today(), True),
    ]  # fmt: skip
    again = pricing.prices()
    assert len(again) == len(PRICES) + 1
    assert [one.training for one in again if one.yours] == [4.0, 0.5]
    assert {one.source for one in again if not one.yours} == {SOURCE}
    assert pricing.save(again) == kept
    pricing.reset()
    assert pricing.prices() == list(PRICES.values())
    assert pricing.save(pricing.prices()) == []
    assert not (home / pricing.NAME).exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"rows": [{"host": "x"}]}', '{"rows": [{"host": "x", "model": "y", "training": "z"}]}'])
def test_a_table_damaged_by_hand_is_said_and_can_be_reset(home, text):
    home.mkdir(parents=True, exist_ok=True)
    (home / pricing.NAME).write_text(text)
    with pytest.raises(DataError):
        pricing.prices()
    pricing.reset()
    assert pricing.prices()


def test_a_row_is_found_by_alias_tuned_name_title_and_host():
    rows = offers(parse([row()]))
    assert find(rows, "ft:gpt-4.1-2025-04-14:o::x:ckpt-step-7") is PRICES["gpt-4.1-2025-04-14"]
    assert find(rows, "gpt-4o") is PRICES["gpt-4o-2024-08-06"]
    for name in ("together/llama 8b", "Llama 8B", "Together, Llama 8B"):
        found = find(rows, name)
        assert found is not None
        assert found.host == "Together"
    assert find(rows, "gpt-9") is None
    with pytest.raises(SettingsError, match="Together/Llama 8B"):
        costing.chosen(["gpt-9"], rows)


def test_a_typed_host_is_priced_beside_the_others_with_its_own_limit(home, tmp_path):
    pricing.save(parse([row(**{"Longest example": 12})]))
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"a thing {i}", "completion": f"{i} dollars"}) + "\n" for i in range(20)))
    arguments = parser("cost").parse_args(["cost", str(path), "--model", "Together/Llama 8B", "--epochs", "2"])
    (made,) = command.run(arguments, lambda text: None)["rows"]
    assert (made["model"], made["provider"]) == ("Together, Llama 8B", "Together")
    assert made["training_usd"] == pytest.approx(20 * 12 * 2 * 0.5 / 1e6)
    table = tmp_path / "prices.csv"
    table.write_text(to_csv(offers(parse([row(Training=5)]))))
    arguments = parser("cost").parse_args(["cost", str(path), "--model", "Together/Llama 8B", "--epochs", "2", "--prices", str(table)])
    (other,) = command.run(arguments, lambda text: None)["rows"]
    assert other["training_usd"] > 10 * made["training_usd"]
    assert [one.training for one in pricing.yours()] == [0.5]


def test_every_field_people_edit_is_a_field_of_a_price():
    assert set(COLUMNS) <= set(Price.__dataclass_fields__)


def test_a_corrected_price_is_what_a_budget_is_counted_with(home):
    from core.io.writers import Writer

    usual = Writer("openai", model="gpt-4o-mini").known_rates()
    assert usual == (0.15, 0.60)
    row = find(pricing.prices(), "gpt-4o-mini")
    pricing.save([replace(row, base_input=0.30, base_output=1.20)])
    corrected = Writer("openai", model="gpt-4o-mini")
    assert corrected.known_rates() == (0.30, 1.20)
    assert corrected.batch_rates() == (0.15, 0.60)
    assert pricing.asking("gpt-nobody") is None
