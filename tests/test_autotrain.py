"""A pasted AutoTrain command becomes the settings it means; every flag is listed as understood, changed or ignored."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.finetune.autotrain import parse
from core.finetune.settings import TrainSettings

KOREAN = (
    '!autotrain llm --train --project-name "llama2-korquad-finetuning-da" --model "TinyPixel/Llama-2-7B-bf16-sharded" '
    '--data-path "korquad_prompt_da" --text-column "text" --peft --quantization "int4" --lr 2e-4 --batch-size 8 --epochs 40 '
    "--trainer sft --model_max_length 256"
)
BROKEN_UP = """!autotrain llm --train \\
  --project_name "llama2-korquad-finetuning-da" \\  # the name
  --model “TinyPixel/Llama-2-7B-bf16-sharded” \\
  # a line of its own
  --data-path=korquad_prompt_da --text-column 'text' \\ #column
  –peft --quantization int4 --learning-rate 2e-4 \\
  --train_batch_size 8 --num_train_epochs 40 --trainer sft --max-seq-length 256
"""


@pytest.mark.parametrize("text", [KOREAN, BROKEN_UP, KOREAN.lstrip("!"), KOREAN.replace("autotrain", "/usr/bin/autotrain", 1)])
def test_the_korean_projects_command_is_understood_in_every_spelling(text):
    made = parse(text)
    settings = made.settings
    assert (settings.quantization, settings.learning_rate, settings.batch, settings.epochs, settings.max_tokens) == (
        "4-bit",
        2e-4,
        8,
        40,
        256,
    )
    assert (settings.rank, settings.alpha, settings.dropout, settings.answers_only) == (16, 32, 0.05, False)
    assert not settings.double_quantization
    assert (made.model, made.data, made.column) == ("TinyPixel/Llama-2-7B-bf16-sharded", "korquad_prompt_da", "text")
    assert made.project == "llama2-korquad-finetuning-da"
    assert {one.state for one in made.flags} == {"understood"}
    assert len(made.flags) == 12


def test_what_is_not_possible_is_changed_or_ignored_and_says_so():
    made = parse("autotrain llm --train --model x --epochs 900 --mixed-precision fp16 --scheduler cosine_with_restarts --push-to-hub "
                 "--token hf_secret --log wandb --magic 7 --target-modules q_proj,v_proj --weight-decay -0")  # fmt: skip
    told = {one.name: one for one in made.flags}
    assert (made.settings.epochs, told["--epochs"].state, told["--epochs"].sentence) == (
        200,
        "changed",
        "Epochs: 200, the nearest that is possible.",
    )
    assert told["--mixed-precision"].state == told["--scheduler"].state == "changed"
    assert (made.settings.targets, told["--target-modules"].state) == ("q_proj,v_proj", "understood")
    assert made.settings.precision == "auto"
    assert told["--push-to-hub"].state == told["--token"].state == told["--magic"].state == "ignored"
    assert (made.settings.report_to, told["--log"].state) == ("wandb", "understood")
    assert told["--token"].value == "", "a key is not shown again"
    assert told["--magic"].sentence == "Not known here."
    assert told["--weight-decay"].state == "understood"
    assert "hf_secret" not in str(made)


def test_what_is_left_out_has_the_default_of_the_tool_and_not_of_the_studio():
    settings = parse("autotrain llm --train --model x").settings
    assert (settings.learning_rate, settings.batch, settings.epochs, settings.warmup, settings.schedule) == (3e-5, 2, 1.0, 0.1, "linear")
    assert settings.learning_rate != TrainSettings().learning_rate
    assert any(one.state == "changed" and one.name == "--train" for one in parse("autotrain llm --model x").flags)


@pytest.mark.parametrize(("text", "words"), [
    ("", "begins with 'nothing'"), ("pip install autotrain", "begins with 'pip'"), ("autotrain", "stands 'nothing'"),
    ("autotrain tabular --train", "stands 'tabular'"), ("autotrain llm --lr fast", "--lr is 'fast'; it takes a number"),
    ("autotrain llm --batch-size 2.5", "takes a whole number"), ("autotrain llm --model", "--model has no value"),
    ("autotrain llm --trainer dpo", "only sft"), ("autotrain llm --quantization int2", "int4, int8 or none"),
    ('autotrain llm --model "x', "A quote may be missing"), ("autotrain llm --train yes no", "'no' belongs to no flag"),
    ("autotrain llm --target-modules q;v", "names of layers"), ("autotrain llm --epochs", "--epochs is ''"),
])  # fmt: skip
def test_what_cannot_be_read_is_named(text, words):
    with pytest.raises(SettingsError) as told:
        parse(text)
    assert words in str(told.value)
