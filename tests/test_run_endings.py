"""What a run leaves when it ends: checkpoints compared, base and adapter measured, what was forgotten, what it went on from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, MissingError
from core.evaluate.perplexity import Surprise
from core.finetune.choosing import Checkpoint, by_loss, by_score, epoch_of, told
from core.finetune.forgetting import Question, questions_told, right, texts_told
from core.finetune.settings import TrainSettings
from core.io import evaluations, files, jobs, store
from core.io.embedded import Engine, tokenizer
from core.io.lora import choosing, forgetting, runs
from tests import doubles
from tests.tiny import tiny_model

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def engine(tiny):
    made = Engine(tiny)
    yield made
    made.close()


@pytest.fixture
def prices(home, tiny, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    return doubles.version("regression", 60)


def started(version, more: dict | None = None, **settings) -> jobs.Job:
    chosen = TrainSettings(**{"learning_rate": 0.02, "batch": 4, "max_tokens": 128, "max_steps": 6, **settings}).to_dict()
    request = {"dataset": version.dataset, "version": version.id, "limit": 5, "forgetting": False, "settings": chosen, **(more or {})}
    return jobs.start("finetune", request, title="Fine-tune", dataset=version.dataset)


def asked(version, **request) -> jobs.Job:
    return jobs.start("finetune", {"dataset": version.dataset, "version": version.id, "limit": 5, **request}, title="Later")


# --- log probabilities


def test_log_probabilities_are_those_of_one_pass_over_each_text_alone(engine, tiny):
    import torch

    from core.io.embedded.loading import load_base

    texts = ["the price is 12 dollars", "누가?", "a blue kettle with a lid and more of it"]
    found = engine.log_probabilities(texts)
    model, words = load_base(tiny), tokenizer(tiny)
    for text, row in zip(texts, found, strict=True):
        ids = torch.tensor([words(text, add_special_tokens=False)["input_ids"]])
        with torch.inference_mode():
            scores = torch.log_softmax(model(ids).logits[0].float(), dim=-1)
        wanted = scores[:-1].gather(1, ids[0, 1:, None])[:, 0].tolist()
        assert row == pytest.approx(wanted, abs=0.1)
        assert len(row) == ids.shape[1] - 1


def test_a_completion_is_scored_after_its_prompt_and_its_end_on_demand(engine):
    chat = [{"role": "user", "content": "the price"}]
    whole = engine.log_probabilities(["12 dollars"], before=[chat], prefix="It is ")
    ended = engine.log_probabilities(["12 dollars"], before=[chat], prefix="It is ", end=True)
    assert len(ended[0]) == len(whole[0]) + 1
    assert ended[0][:-1] == pytest.approx(whole[0], abs=0.1)
    assert all(value <= 0 for value in ended[0])


def test_pieces_of_a_text_are_read_one_after_the_other(engine):
    whole, apart = engine.log_probabilities(["the price is 12 dollars", ["the price", " is", " 12 dollars"]])
    assert apart == pytest.approx(whole, abs=0.1)
    chat = [{"role": "text", "content": "the price"}]
    after = engine.log_probabilities([" is 12 dollars"], before=[chat])[0]
    assert after == pytest.approx(whole[-len(after) :], abs=0.1)


# --- the pure parts


def test_ties_between_checkpoints_go_to_the_earlier_step():
    kept = [Checkpoint(10, 1, 0.5, 0.6), Checkpoint(20, 2, 0.4, 0.6), Checkpoint(30, 3, 0.4, 0.7), Checkpoint(40, 4, 0.9, 0.7)]
    assert by_loss(kept).step == 20
    assert by_score(kept, "accuracy").step == 30
    assert by_score([replace(one, score=one.val_loss) for one in kept], "mae").step == 20
    assert by_score([replace(one, score=None) for one in kept], "mae").step == 20, "by loss where no score is defined"
    assert by_loss([Checkpoint(5, 1), Checkpoint(9, 2)]).step == 9
    assert epoch_of(45, 360, 8) == 1.0
    assert told(kept, 64, "accuracy")["chosen"] == 30
    with pytest.raises(DataError, match="keep set to each"):
        by_score([], "mae")


def test_a_rise_of_perplexity_beyond_its_interval_is_a_finding_and_none_within_it():
    rng = np.random.default_rng(0)
    before = [Surprise(float(nats), 20) for nats in rng.normal(60, 8, 30)]
    worse = [Surprise(one.nats * 1.3 + float(rng.normal(0, 1)), 20) for one in before]
    same = [Surprise(one.nats + float(rng.normal(0, 6)), 20) for one in before]
    found = texts_told("Korean", before, worse)
    assert found["before"] == pytest.approx(math.exp(sum(one.nats for one in before) / 600))
    assert found["low"] < found["difference"] < found["high"]
    assert found["ratio_low"] < found["ratio"] == pytest.approx(found["after"] / found["before"])
    assert "general Korean text" in found["finding"]
    assert texts_told("English", before, same)["finding"] == ""
    assert texts_told("English", worse, before)["finding"] == "", "better than before is no loss"


def test_questions_lost_beyond_chance_are_a_finding():
    known = [True] * 30 + [False] * 10
    lost = [False] * 12 + [True] * 18 + [False] * 10
    found = questions_told(known, lost)
    assert (found["n"], found["before"], found["after"], found["lost"], found["won"]) == (40, 0.75, 0.45, 12, 0)
    assert found["high"] < 0
    assert "12 are lost" in found["finding"]
    assert questions_told(known, [not known[0], *known[1:]])["finding"] == ""


@pytest.mark.parametrize(("reply", "answers", "fine"), [
    ("The capital is Paris.", ("Paris",), True), ("Parisian food", ("Paris",), False), ("수도는 서울입니다", ("서울",), True),
    ("50 minutes", ("5",), False), ("It has 8 legs", ("8", "eight"), True), ("", ("ice",), False), ("price", ("ice",), False),
])  # fmt: skip
def test_an_answer_counts_as_a_word_and_korean_with_its_particle(reply, answers, fine):
    assert right(reply, Question("", "", answers)) is fine


def test_the_shipped_page_and_questions_are_whole():
    texts, questions = forgetting.shipped()
    assert list(texts) == ["English", "Korean"]
    assert all(350 <= len(" ".join(s for part in paragraphs for s in part).split()) <= 600 for paragraphs in texts.values())
    assert [one.language for one in questions] == ["English"] * 20 + ["Korean"] * 20
    assert len({one.question for one in questions}) == 40
    assert all(right(one.answers[0], one) for one in questions)


# --- the job


def test_base_and_adapter_answer_the_same_test_rows_and_the_base_only_once(prices):
    first = started(prices)
    assert first.state == "done", first.error
    tuned, base = (evaluations.load((first.result or {})[name]) for name in ("evaluation", "base_evaluation"))
    assert (tuned.family, base.family, base.predictor) == ("tuned", "prompted", "prompted")
    assert tuned.answers["index"].tolist() == base.answers["index"].tolist()
    assert base.settings["prompt"] == tuned.settings["prompt"] == prices.prompt.to_dict()
    for one in (tuned, base):
        found = one.notes["perplexity"]
        assert found["n"] == 5
        assert found["low"] < found["value"] < found["high"]
        assert one.notes["bits_per_byte"]["value"] > 0
    assert tuned.notes["perplexity"]["value"] < base.notes["perplexity"]["value"], "it was trained on such answers"
    made = runs.adapter(first.id)
    assert (made.evaluation, made.base_evaluation) == (tuned.id, base.id)
    second = started(prices, learning_rate=0.01)
    assert (second.result or {})["base_evaluation"] == base.id
    assert len([one for one in evaluations.of(prices.dataset) if one.family == "prompted"]) == 1
    assert not (second.folder / "base_answers.jsonl").exists()


def test_kept_checkpoints_are_compared_and_the_chosen_one_alone_sees_the_test(prices):
    job = started(prices, keep="each", choose="score", evaluate_every=2)
    assert job.state == "done", job.error
    found = files.read_json(job.folder / choosing.RESULT)
    assert list(runs.kept_checkpoints(job.id)) == [one["step"] for one in found["checkpoints"]] == [2, 4, 6]
    assert (found["rows"], found["metric"]) == (12, "mae")
    assert found["chosen"] == min(found["checkpoints"], key=lambda one: (one["score"], one["step"]))["step"]
    assert all(one["low"] <= one["score"] <= one["high"] for one in found["checkpoints"])
    made = runs.adapter(job.id)
    assert made.step == found["chosen"] == (job.result or {})["choosing"]["chosen"]
    assert (made.folder / WEIGHTS).read_bytes() == (runs.referred(f"{job.id}:step-{made.step}") / WEIGHTS).read_bytes()
    tuned = [one for one in evaluations.of(prices.dataset) if one.family == "tuned"]
    assert [one.notes["step"] for one in tuned] == [made.step]
    other = next(step for step in (2, 4, 6) if step != made.step)
    again = asked(prices, measure=f"{job.id}:step-{other}")
    assert again.state == "done", again.error
    second = evaluations.load((again.result or {})["evaluation"])
    assert second.notes["step"] == other
    assert f"Step {made.step} of the same run" in second.notes["second_look"]
    assert second.title.endswith(f"step {other}")
    assert runs.adapter(job.id).evaluation == tuned[0].id
    choosing.take(made, other)
    assert runs.adapter(job.id).step == other
    before = evaluations.load(tuned[0].id)
    assert before.title == f"{made.title}, step {made.step}"
    assert runs.about_of(Path(before.notes["adapter"]))["id"] == job.id
    assert Path(before.notes["adapter"]).name == f"step-{made.step:06d}"
    with pytest.raises(MissingError, match="its steps 2, 4, 6 are"):
        runs.referred(f"{job.id}:step-5")


def test_a_comparison_on_demand_goes_on_where_it_was_stopped(prices, monkeypatch):
    job = started(prices, keep="each", evaluate_every=3)
    assert not (job.folder / choosing.RESULT).exists()
    real, calls = choosing.complete_with, []

    def counted(*how):
        complete = real(*how)
        return lambda requests, **more: calls.append(len(requests)) or complete(requests, **more)

    monkeypatch.setattr(choosing, "complete_with", counted)
    later = asked(prices, compare=job.id)
    assert later.state == "done", later.error
    assert calls == [12, 12]
    before = files.read_json(later.folder / choosing.RESULT)
    (later.folder / "result.json").unlink()
    lines = files.read_lines(later.folder / "compared.jsonl")
    (later.folder / "compared.jsonl").unlink()
    for line in lines[:17]:
        files.append_line(later.folder / "compared.jsonl", line)
    jobs.resume(later.id)
    assert calls == [12, 12, 7]
    after = files.read_json(job.folder / choosing.RESULT)
    assert [one["score"] for one in after["checkpoints"]] == [one["score"] for one in before["checkpoints"]]
    assert runs.adapter(job.id).choosing["chosen"] == after["chosen"]


def test_a_run_without_kept_checkpoints_says_how_to_keep_them(prices):
    job = started(prices)
    later = asked(prices, compare=job.id)
    assert "keep set to each" in (later.error or {})["message"]


def test_what_was_forgotten_is_measured_at_the_end_and_the_base_asked_once(prices, monkeypatch):
    job = started(prices, {"forgetting": True})
    assert job.state == "done", job.error
    found = files.read_json(job.folder / forgetting.RESULT)
    assert [one["language"] for one in found["texts"]] == ["English", "Korean"]
    assert all(one["before"] > 1 and one["after"] > 1 and one["before"] != one["after"] for one in found["texts"])
    assert found["questions"]["n"] == 40
    assert runs.adapter(job.id).forgetting == found
    assert set((job.result or {})["forgetting"]) == {"findings", "perplexity", "questions"}
    real, asks = forgetting._asked, []
    monkeypatch.setattr(forgetting, "_asked", lambda base, adapter, say: asks.append(adapter) or real(base, adapter, say))
    again = started(prices, {"forgetting": True})
    assert asks == [runs.adapter(again.id).folder]
    assert files.read_json(again.folder / forgetting.RESULT) == found, "the same run forgets the same"


# --- going on


def test_a_run_goes_on_with_new_rows_alone_and_remembers_from_what(prices):
    first = started(prices)
    frame = doubles.frame("regression", 60)
    more = frame[frame["split"] == "train"].head(10).assign(text=[f"a new thing {i}" for i in range(10)])
    grown = store.save("Things", pd.concat([frame, more], ignore_index=True), title="Added", roles=prices.roles, task="regression",
                       prompt=prices.prompt, source_hash="grown")  # fmt: skip
    second = started(grown, {"continue_from": first.id, "only_new": True})
    assert second.state == "done", second.error
    made = runs.adapter(second.id)
    assert (made.rows, made.continued["new"], made.continued["rows"], made.continued["adapter"]) == (10, 10, 36, first.id)
    assert made.lineage == "continued from tiny fine-tuned (6 steps), 10 rows new since"
    third = started(grown, {"continue_from": second.id, "only_new": True})
    assert "trained on all 46 train rows already" in (third.error or {})["message"]
    whole = started(grown, {"continue_from": first.id})
    assert (runs.adapter(whole.id).rows, runs.adapter(whole.id).continued["new"]) == (46, 10)


def test_what_does_not_fit_is_said_before_anything_is_trained(prices, tmp_path):
    first = started(prices)
    for settings, words in [
        ({"rank": 4}, "another rank: 16"),
        ({"alpha": 8}, "another alpha: 32"),
        ({"targets": "attention"}, "other layers"),
    ]:
        job = started(prices, {"continue_from": first.id}, **settings)
        assert words in (job.error or {})["message"]
        assert not (job.folder / "history.jsonl").exists()
    other = tiny_model(tmp_path / "other", seed=3, width=48)
    job = started(prices, {"continue_from": first.id, "base": str(other)})
    assert "was trained on tiny, and this run is on other" in (job.error or {})["message"]
