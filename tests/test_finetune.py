"""What is learnt, what is cut, what it takes, and what a loss history says: no model needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, SettingsError
from core.finetune.advice import advise, fall, smooth
from core.finetune.autotrain import parse
from core.finetune.estimates import adapter_parameters, estimate, memory_of, steps_of
from core.finetune.rows import IGNORED, chats_of, collate, order, supervised, training_rows
from core.finetune.settings import (
    ANSWER_TOKENS,
    ATTENTION,
    CLOSED_BOOK,
    KOREAN_QA,
    NAMED,
    PRESETS,
    TITLES,
    TrainSettings,
    changed,
    meaning,
    preset,
    rate_at,
)
from core.prediction import examples
from core.prompt import Prompt
from core.version import Roles

END = 1
SMOL = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
        "head_dim": 64, "vocab_size": 49152}  # fmt: skip
PROMPT = Prompt(system="Be brief.", user="What does this cost?\n\n${text}", prefix="Price is $", decimals=0, max_tokens=8)


def render(chat: list[dict[str, str]], prefix: str) -> str:
    return "".join(f"<{m['role']}>{m['content']}</>" for m in chat) + "<assistant>" + prefix


def encode(texts: list[str]) -> list[list[int]]:
    """One token per character, numbered from 2 so that END is free."""
    return [[ord(letter) + 2 for letter in text] for text in texts]


def decode(ids: list[int]) -> str:
    return "".join("■" if i == END else chr(i - 2) for i in ids)


def things(texts: list[str], prices: list[float]):
    frame = pd.DataFrame({"text": texts, "price": prices})
    return examples(frame, Roles(text=("text",), target="price"), "regression")


def test_a_training_row_is_the_test_prompt_then_the_answer_then_the_end():
    rows = things(["a kettle", "한국어 의자"], [12.4, 1299.0])
    made = training_rows(rows, PROMPT, render, encode, END, 500)
    for row, data, answer in zip(made.rows, rows.rows(), ["12", "1299"], strict=True):
        test_prompt = encode([render(PROMPT.question(data), PROMPT.prefix)])[0]
        assert list(row.prompt) == test_prompt
        assert decode(list(row.answer)) == answer + "■"
        assert row.labels() == [IGNORED] * len(test_prompt) + list(row.answer)
        assert row.labels(answers_only=False) == row.ids()
    assert made.learnt == len("12■1299■")
    assert made.tokens == sum(len(row.ids()) for row in made.rows)


def test_a_long_row_loses_the_end_of_its_question_and_never_its_answer():
    rows = things(["short", "x" * 300], [5, 77])
    made = training_rows(rows, PROMPT, render, encode, END, 120)
    assert made.cut == (1,)
    assert made.left_out == {}
    assert made.answers_cut == ()
    long = made.rows[1]
    text = decode(long.ids())
    assert len(long) == 120
    assert text.endswith("x</><assistant>Price is $77■")
    assert text.startswith("<system>Be brief.</><user>What does this cost?")
    assert long.cut == len(render(PROMPT.question({"text": "x" * 300}), PROMPT.prefix)) + 3 - 120


def test_rows_that_teach_nothing_are_counted_with_their_reason():
    chats = [[{"role": "user", "content": "q"}]] * 3
    made = supervised(chats, ["yes", "  ", "a" * 100], "", render, encode, END, 40)
    assert made.left_out == {1: "the answer is empty"}
    assert made.reasons() == {"the answer is empty": 1}
    assert made.answers_cut == (2,)
    assert made.rows[1].answer[-1] != END
    assert [row.row for row in made.rows] == [0, 2]
    with pytest.raises(DataError, match=r"no room for the answer \(3\)"):
        supervised(chats, ["yes"] * 3, "", render, encode, END, 12)


def test_recorded_chats_need_a_last_answer():
    good = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert chats_of([good]) == ([[good[0]]], ["a"])
    with pytest.raises(DataError, match="rows 2"):
        chats_of([good, good[:1]])


def test_a_batch_ends_together_and_scores_cover_the_answers_alone():
    rows = training_rows(things(["a", "a longer thing"], [5, 1234]), PROMPT, render, encode, END, 500).rows
    batch = collate(rows, pad=0)
    assert batch["input_ids"].shape == (2, len(rows[1]))
    assert batch["attention_mask"].sum(axis=1).tolist() == [len(row) for row in rows]
    assert batch["logits_to_keep"] == len("1234■") + 1 == batch["labels"].shape[1]
    assert [[label for label in line if label != IGNORED] for line in batch["labels"].tolist()] == [list(row.answer) for row in rows]
    assert batch["position_ids"][0, -1] == len(rows[0]) - 1
    assert batch["labels"][:, 0].tolist() == [IGNORED, IGNORED]  # nothing is predicted from nothing
    whole = collate(rows, pad=0, answers_only=False)
    assert [[label for label in line if label != IGNORED] for line in whole["labels"].tolist()] == [row.ids()[1:] for row in rows]


def test_the_order_is_known_in_advance_and_every_epoch_sees_every_row_once():
    lengths = np.random.default_rng(0).integers(5, 90, 103).tolist()
    plan = order(lengths, 30, 8, seed=3)
    assert plan == order(lengths, 30, 8, seed=3) != order(lengths, 30, 8, seed=4)
    assert len(plan) == 240
    assert sorted(plan[:103]) == list(range(103)) == sorted(plan[103:206])
    loose = order(lengths, 30, 8, seed=3, group_by_length=False)

    def padding(one):
        return sum(max(lengths[i] for i in one[k : k + 8]) * 8 for k in range(0, 240, 8))

    assert padding(plan) < 0.8 * padding(loose)


def test_steps_follow_rows_epochs_batch_and_limits():
    base = TrainSettings(batch=8, epochs=1)
    assert steps_of(2331, base) == 292
    assert steps_of(2331, replace(base, accumulate=2)) == 146
    assert steps_of(2331, replace(base, epochs=3, max_steps=400)) == 400
    assert steps_of(2331, replace(base, train_rows=80)) == 10
    assert steps_of(3, replace(base, epochs=0.01)) == 1


def test_adapter_size_is_what_peft_makes_of_it():
    assert adapter_parameters(SMOL, TrainSettings(rank=16)) == 4_884_480  # peft's own count on the embedded model
    assert adapter_parameters(SMOL, TrainSettings(rank=16, targets="attention")) == 1_843_200
    assert adapter_parameters(SMOL, TrainSettings(rank=16, targets="q_proj, k_proj,v_proj,o_proj")) == 1_843_200
    assert adapter_parameters(SMOL, TrainSettings(rank=16, targets="self_attn.q_proj")) == 30 * 16 * 2 * 576
    assert adapter_parameters(SMOL, TrainSettings(rank=16, dora=True)) == 4_884_480 + 30 * (2 * 576 + 2 * 192 + 2 * 1536 + 576)


def test_memory_grows_with_batch_and_shrinks_with_bits():
    one = memory_of(134_515_008, SMOL, TrainSettings(batch=8), 220, "bf16")
    assert 2 << 30 < one < 5 << 30
    assert memory_of(134_515_008, SMOL, TrainSettings(batch=16), 220, "bf16") > one
    assert memory_of(134_515_008, SMOL, TrainSettings(quantization="4-bit"), 220, "bf16") < one
    assert memory_of(134_515_008, SMOL, TrainSettings(), 220, "fp32") > one


def test_a_measured_rate_decides_the_time():
    settings = TrainSettings(epochs=2, batch=8)
    slow = estimate(800, 160_000, 220, 134_515_008, SMOL, settings, rate=500)
    fast = estimate(800, 160_000, 220, 134_515_008, SMOL, settings, rate=1000)
    assert slow.steps == 200
    assert slow.tokens == 320_000
    assert slow.seconds == pytest.approx(640)
    assert fast.seconds == pytest.approx(320)
    checked = estimate(800, 160_000, 220, 134_515_008, SMOL, settings, rate=500, validation_tokens=12_000)
    assert checked.seconds == pytest.approx(640 + 7 * 12_000 / 3 / 500)


@pytest.mark.parametrize(("losses", "word"), [
    ([2.0, 1.5], "early"), ([2.0, 1.5, 1.2, 1.0], "improving"), ([2.0, 1.0, 1.001, 0.999], "settled"),
    ([2.0, 1.0, 1.2, 1.3], "overfitting"), ([2.0, 1.1, 1.0, 1.2], "settled"), ([2.0, 2.1, 2.2, 2.2], "not learning"),
])  # fmt: skip
def test_advice_follows_the_validation_loss(losses, word):
    history = [
        record for step, loss in enumerate(losses) for record in ({"step": step * 10, "loss": loss}, {"step": step * 10, "val_loss": loss})
    ]
    assert advise(history).word == word


def test_overfitting_names_the_step_it_began_at():
    history = [{"step": step, "val_loss": loss} for step, loss in [(0, 2.0), (25, 0.9), (50, 1.1), (75, 1.4)]]
    assert "since step 25" in advise(history).sentence
    assert advise(history).step == 25
    assert fall(history) == pytest.approx(0.55)
    assert fall(history[:1]) is None


def test_a_smoothed_line_starts_at_the_first_value():
    assert smooth([4.0, 4.0, 4.0]) == pytest.approx([4.0] * 3)
    assert smooth([4.0, 2.0])[0] == pytest.approx(4.0)


@pytest.mark.parametrize(("field", "value"), [("learning_rate", 0), ("epochs", 0), ("rank", 0), ("batch", 257), ("schedule", "often"), ("quantization", "2-bit"),
                                              ("dropout", float("nan")), ("targets", ""), ("targets", "q_proj;v_proj"), ("targets", " , "), ("keep", "all"), ("choose", "luck"),
                                              ("patience", -1), ("report_to", "mlflow"), ("precision", "fp8")])  # fmt: skip
def test_an_impossible_setting_is_refused_by_name(field, value):
    with pytest.raises(SettingsError, match=field.replace("_", " ")):
        replace(TrainSettings(), **{field: value})


def test_every_setting_has_its_sentence_and_survives_json():
    settings = preset("thorough", "qa")
    assert TrainSettings.from_dict(settings.to_dict()) == settings
    assert all(meaning(name).endswith((".", ".)")) for name in settings.to_dict())
    assert changed(settings, settings) == []
    assert changed(replace(settings, rank=8), settings) == ["rank"]
    with pytest.raises(SettingsError, match="no training setting"):
        TrainSettings.from_dict({"lr": 1})


def test_presets_exist_for_both_kinds_of_task():
    assert list(PRESETS) == list(CLOSED_BOOK) == ["quick", "balanced", "thorough"]
    assert preset("quick", "regression") is PRESETS["quick"]
    assert preset("quick", "qa") is CLOSED_BOOK["quick"]
    with pytest.raises(SettingsError, match="no preset"):
        preset("slow", "qa")


@pytest.mark.parametrize("kind", ["qa", "regression", "chat"])
def test_the_korean_projects_preset_is_its_command(kind):
    command = "autotrain llm --train --model x --peft --quantization int4 --lr 2e-4 --batch-size 8 --epochs 40 --trainer sft --model_max_length 256"
    assert preset("korean_qa", kind) == KOREAN_QA == parse(command).settings
    assert (KOREAN_QA.quantization, KOREAN_QA.double_quantization, KOREAN_QA.precision) == ("4-bit", False, "auto")
    assert (KOREAN_QA.learning_rate, KOREAN_QA.batch, KOREAN_QA.epochs, KOREAN_QA.max_tokens) == (2e-4, 8, 40, 256)
    assert ANSWER_TOKENS["korean_qa"] == 128
    assert list(TITLES) == [*PRESETS, *NAMED]


def test_layers_can_be_named_and_choosing_by_score_keeps_every_adapter():
    assert TrainSettings(targets=" q_proj ,v_proj,").modules == ("q_proj", "v_proj")
    assert TrainSettings(targets="attention").modules == ATTENTION
    assert TrainSettings().modules == ("all-linear",)
    assert [TrainSettings(keep=keep, choose=choose).keeps_each for keep, choose in [("best", "loss"), ("each", "loss"), ("best", "score")]] == [
        False, True, True,
    ]  # fmt: skip


def test_the_learning_rate_rises_and_falls():
    settings = TrainSettings(warmup=0.1)
    rates = [rate_at(step, 100, settings) for step in range(100)]
    assert rates[0] < rates[5] < 1 == rates[10]
    assert rates[99] < 0.01
    assert rate_at(99, 100, replace(settings, schedule="constant")) == 1
    assert rate_at(55, 100, replace(settings, schedule="linear")) == pytest.approx(0.5)
