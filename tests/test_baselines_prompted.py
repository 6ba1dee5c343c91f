"""The settings of language models on Baselines, walked as a person walks them: what is shown, the exact prompt, what it takes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import asking, evaluations, prompt_preview, prompting, store, testing
from core.io.passages import Source
from core.io.prompt_preview import Preview
from core.io.providers.addresses import for_child
from core.prompt import Prompt
from core.version import Version
from tests.loopback import KEY, Loopback
from tests.test_baselines_page import button, page, words
from tests.test_retrieved import ROLES, Listener, facts


def saved(table: pd.DataFrame | None = None) -> Version:
    prompt = Prompt(system="Answer briefly.", user="${question}", max_tokens=16)
    table = facts() if table is None else table
    return store.save("Houses", table, title="Import", roles=ROLES, task="qa", prompt=prompt, source_hash=str(len(table)))


def pick(at: Any, names: list[str]) -> Any:
    for family in ("trivial", "classical", "prompted"):
        found = next((group for group in at.button_group if str(group.key).startswith(f"baselines_{family}_")), None)
        if found:
            found.set_value(names if family == "prompted" else [])
    return at.run()


@pytest.mark.usefixtures("home")
def test_a_preview_is_exactly_what_is_sent_and_counts_its_tokens() -> None:
    one = saved()
    rows = testing.train_rows(one), testing.test_rows(one)
    with Loopback() as server:
        request = {"provider": {"name": "compatible", "base_url": server.url, "model": "small"}, "settings": {"passages": {"shots": 2}},
                   "source": Source().to_dict(), "prompt": {"system": "Say one name."}, "limit": 8}  # fmt: skip
        found = Preview("passages", request, one, rows)
        taken = found.of(found.places[0])
        complete, _ = asking.language_model(request["provider"], "qa", lambda *told: None, for_child(server.url, KEY))
        complete([found.speaker.questions(rows[1].take([found.places[0]]).without_targets())[0]], max_tokens=16, prefix=found.prompt.prefix)
        (asked,) = server.asked
    assert asked["messages"] == taken.messages
    assert asked["temperature"] == 0
    assert taken.messages[0]["content"] == "Say one name."
    assert len(taken.shown) == 2
    assert 20 < taken.tokens < 200
    assert found.size.most >= found.size.mean > 20
    assert found.size.usd == 0.0, "an address of this machine is free"
    assert found.size.limit is None
    assert found.size.fits
    assert prompt_preview.key_of("passages", request) != prompt_preview.key_of("passages", {**request, "seed": 1})


@pytest.mark.usefixtures("home")
def test_hosted_models_are_priced_before_they_are_asked() -> None:
    one = saved()
    request = {"provider": {"name": "openai", "model": "gpt-4o-mini"}, "settings": {"fewshot": {"shots": 8}}, "limit": 8}
    eight = Preview("fewshot", request, one, (testing.train_rows(one), testing.test_rows(one)))
    one_shot = Preview(
        "fewshot", {**request, "settings": {"fewshot": {"shots": 1}}}, one, (testing.train_rows(one), testing.test_rows(one))
    )
    assert eight.size.limit == 128_000
    assert 0 < (one_shot.size.usd or 0) < (eight.size.usd or 0) < 0.01
    assert eight.size.mean > 3 * one_shot.size.mean


def test_a_person_chooses_passages_sees_the_prompt_and_runs(home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    one = saved()
    with Loopback() as server:
        at = pick(page(one.dataset), ["fewshot", "passages"])
        assert not at.exception
        next(g for g in at.button_group if g.key == "baselines_asked").set_value("openai")
        at.run()
        assert "OpenAI has no key" in words(at)
        next(g for g in at.button_group if g.key == "baselines_asked").set_value("compatible")
        at.run()
        assert "Name the address and the model" in words(at)
        at.text_input(key="baselines_url").set_value(server.url)
        at.text_input(key="baselines_model_name").set_value("small")
        at.run()
        at.text_input(key=f"key_{server.url}").set_value(KEY)
        at.number_input(key="baselines_shots").set_value(2)
        at.selectbox(key="baselines_choose").set_value("shortest")
        at.text_area(key=f"baselines_system_{one.id}").set_value("Say one name.")
        at.number_input(key="baselines_retries").set_value(1)
        at.toggle(key="baselines_preview").set_value(True)
        at.run()
        assert not at.exception
        shown = "\n".join(str(code.value) for code in at.code)
        assert "Say one name." in shown
        assert "Passages that may help:" in shown
        assert "tokens in this prompt" in words(at)
        assert "16 passages from train rows" in words(at)
        assert not [answer for answer in testing.test_rows(one).targets or () if str(answer) in shown]
        button(at, "Run 2 baselines").click().run()
        assert not at.exception
    titles = {made.title for made in evaluations.of(one.dataset)}
    assert titles == {"small few-shot (2, shortest, own prompt, asked again)", "small + passages (2, own prompt, asked again)"}
    assert all(KEY.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_missing_text_file_is_a_reason(home) -> None:
    one = saved()
    at = pick(page(one.dataset), ["passages"])
    at.selectbox(key="baselines_source").set_value("file")
    at.run()
    assert "Choose where passages come from" in words(at)
    at.selectbox(key="baselines_source").set_value("version")
    at.run()
    assert not at.exception
    assert at.selectbox(key="baselines_source_version").value == one.id


def test_afterwards_a_row_tells_what_was_shown_and_the_model_what_it_took(home) -> None:
    one = saved()
    rows = testing.train_rows(one), testing.test_rows(one)
    given, _ = asking.given_for("passages", {}, None, one, rows)
    made = prompting.run_prompted(one, one.prompt or Prompt(), Listener(), title="Looker", predictor="passages", given=given)
    at = page(one.dataset)
    assert "8 prompts of 100 tokens on average, 100 at most" in words(at)
    at = AppTest.from_function(_one_row, args=(made.id, 2)).run()
    assert not at.exception
    texts = [str(code.value) for code in at.code]
    assert len(texts) == 4
    assert all(text.startswith("The house number") for text in texts)
    assert "train row" in str(at.caption[0].value)


def _one_row(id: str, place: int) -> None:
    from core.io import evaluations
    from ui.shown import shown

    shown(evaluations.load(id), place, "test")
