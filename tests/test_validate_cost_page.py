"""Tokens, what is learnt and cost on Validate & Cost, as a person meets them."""

from __future__ import annotations

import pytest

from core.io import pricing
from core.validate.offers import offers, parse, to_csv
from tests.doubles import ROOT, version
from tests.test_validate import good, jsonl, line
from tests.test_validate_page import app, labels, numbers, said, upload
from tests.tiny import tiny_model

LONG = [*good(10), line("word " * 400, "Price is $3.10"), line("q?", "Price is $4.20", weight=0)]


def shown(at, column: str):
    """The table that has this column."""
    return next(one.value for one in at.dataframe if column in one.value)


def count_as(at, model: str):
    """What typing a model's name does: the tester's selectbox knows no new options."""
    at.session_state["validate_model"] = model
    at.run()
    assert not at.exception
    return at


def with_limit(at, limit: int):
    next(one for one in at.number_input if one.label == "Longest example, tokens").set_value(limit).run()
    assert not at.exception
    return at


@pytest.mark.parametrize("view", ["Token figures", "Other devices", "Variants and evaluation", "Prices and limits"])
def test_what_lies_behind_the_figures_comes_when_asked_for(home, view):
    at = upload(jsonl(good(20)))
    at.pills(key="validate_behind").set_value(view).run()
    assert not at.exception
    if view == "Token figures":
        table = shown(at, "Median")
        assert list(table.columns) == ["Per example", "Least", "Most", "Mean", "Median", "p5", "p95", "10 %", "90 %"]
        assert "prints its 10 % and 90 % quantiles under the names p5 and p95" in said(at)
        assert "nothing; 0 only stops the learning" in shown(at, "Of a message")["Counts"].tolist()
    elif view == "Other devices":
        table = shown(at, "How known")
        assert table["How known"].tolist() == ["a guess: nothing was measured yet"] + ["estimate"] * 5
    elif view == "Variants and evaluation":
        before = shown(at, "Variants")["Variants"].tolist()
        at.number_input(key="validate_variants").set_value(9).run()
        assert shown(at, "Variants")["Variants"].tolist() != before
        assert "9 variants" in said(at)
    else:
        assert "gpt-4o-mini-2024-07-18" in shown(at, "Cached input")["Model"].tolist()
        assert all(shown(at, "Limit")["Source"].tolist())


def test_the_end_of_the_platform_is_said_with_the_days_left(home):
    assert "OpenAI takes no" in said(upload(jsonl(good(20))))


def test_examples_over_the_limit_say_what_becomes_of_their_answer(home):
    at = with_limit(upload(jsonl(LONG)), 100)
    assert numbers(at)["Over the limit"] == "1"
    control = next(one for one in at.segmented_control if one.label == "Which examples")
    control.set_value("Over the limit").run()
    table = next(one.value for one in at.dataframe if "answer left" in one.value)
    assert table["row"].tolist() == [11]
    assert table["answer"].tolist() == ["gone"]
    assert table["cut"].tolist()[0] == table["tokens"].tolist()[0] - 100
    assert "tokens are learnt" in said(at)
    assert "0 marked tokens" in said(at)
    assert "are cut" in said(at)
    next(one for one in at.segmented_control if one.label == "Which examples").set_value("Teach nothing").run()
    table = next(one.value for one in at.dataframe if "question" in one.value)
    assert table["row"].tolist() == [11, 12]
    assert "2 examples teach nothing" in said(at)
    assert not at.exception


def test_a_model_that_is_not_in_the_table_is_said():
    from core.io.validating import check, of_rows
    from ui.validate_cost import numbers as figures
    from ui.validate_source import Subject

    for model, unknown in (("llama-9", True), ("ft:gpt-4.1-mini-2025-04-14:org::x", False)):
        told = figures(Subject(check(of_rows(good(20)), model=model), "x", "x"))[1][2]
        assert told is not None
        assert ("may not be its own" in told) == unknown


def test_a_local_model_counts_with_its_template_and_is_measured_by_a_button(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny_model(tmp_path / "tiny")))
    at = upload(jsonl(good(20)))
    assert "a guess until it is measured" in said(at)
    count_as(at, "embedded")
    assert "learns the last answer and the end of its turn" in said(at)
    at.button(key="validate_probe").click().run()
    assert not at.exception
    assert "a guess until it is measured" not in said(at)
    assert "Measure again" in labels(at)


def test_a_typed_price_stands_beside_the_shipped_ones_and_a_damaged_table_can_be_reset(home):
    pricing.save(parse([{"Host": "Together", "Model": "Llama <b>8B</b>", "Training": 0.0, "Source": "my bill"}]))
    at = upload(jsonl(good(20)))
    costs = at.dataframe[0].value
    assert costs["Where"].tolist()[-1] == "Together, Llama <b>8B</b> (yours)"
    assert costs["Training"].tolist()[-1] == "free"
    assert costs["Time or until"].tolist()[-1] == "not stated"
    assert "Yours are marked" in said(at)
    (home / pricing.NAME).write_text("{")
    at = upload(jsonl(good(20)))
    assert "cannot be read" in " ".join(one.value for one in at.error).replace("\\", "")
    at.pills(key="validate_behind").set_value("Prices and limits").run()
    at.button(key="validate_prices_mend").click().run()
    assert not at.exception
    assert not at.error


def test_prices_are_reset_and_imported_in_settings(home):
    from streamlit.testing.v1 import AppTest

    pricing.save(parse([{"Host": "Together", "Model": "Llama 8B", "Training": 0.48}]))
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180).switch_page("../pages/settings.py").run()
    assert "1 row is yours" in said(at)
    at.button(key="settings_prices_reset").click().run()
    assert pricing.yours() == []
    table = to_csv(offers(parse([{"Host": "Fireworks", "Model": "Qwen", "Training": 3}])))
    at.file_uploader(key="settings_prices_file").upload("prices.csv", table.encode(), "text/csv").run()
    at.button(key="settings_prices_use").click().run()
    assert [one.title for one in pricing.yours()] == ["Fireworks, Qwen"]
    at.file_uploader(key="settings_prices_file").upload("prices.csv", table.replace("3.0", "dear").encode(), "text/csv").run()
    at.button(key="settings_prices_use").click().run()
    assert "'dear' is not a price" in " ".join(one.value for one in at.error).replace("\\", "")
    at.button(key="settings_prices_save").click().run()
    assert not at.exception
    assert [one.title for one in pricing.yours()] == ["Fireworks, Qwen"]


def test_a_version_is_priced_with_its_test_rows(home):
    version(rows=100)
    at = app().run()
    at.pills(key="validate_behind").set_value("Variants and evaluation").run()
    assert not at.exception
    assert next(one for one in at.number_input if one.label == "Test rows").value == 20
    assert "20 test rows on every model" in said(at)
