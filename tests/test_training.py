"""What the settings of a training do to the training itself, on a tiny random model: packing, layers, keeping, stopping, memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import ModelError, SettingsError
from core.finetune.advice import patience_is_over
from core.finetune.estimates import halved, memory_of, smaller
from core.finetune.rows import IGNORED, TrainingRow, end_to_end
from core.finetune.settings import TrainSettings
from core.io import device
from core.io.embedded import tokenizer
from core.io.embedded.loading import resolved
from core.io.lora import checkpoints
from core.io.lora.adapting import adapted
from core.io.lora.packing import can_pack
from core.io.lora.standing import Run, autocast, tensors, validation_loss
from core.io.lora.training import train
from tests.tiny import tiny_model

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device; there is none")
BASE = TrainSettings(learning_rate=0.02, batch=4, rank=4, alpha=8, precision="fp32")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def rows(n: int = 24, seed: int = 0) -> list[TrainingRow]:
    """Questions of 3 to 40 tokens whose answer of 1 to 5 tokens follows from their first one."""
    draw = torch.Generator().manual_seed(seed)

    def some(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=draw))

    made = []
    for i in range(n):
        first = some(10, 16)
        question = (first, *(some(20, 200) for _ in range(some(2, 40))))
        made.append(TrainingRow(question, (*[first + 10] * some(1, 5), 2), i))
    return made


def gradients(tiny: Path, settings: TrainSettings, some: list[TrainingRow]) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of one batch, and where it would move a freshly shaken adapter."""
    model = adapted(tiny, settings)
    shake = torch.Generator().manual_seed(1)
    for one in checkpoints.trainable(model).values():
        one.data.add_(0.05 * torch.randn(one.shape, generator=shake))
    with autocast(settings):
        loss = model(**tensors(some, tokenizer(tiny), settings), use_cache=False).loss
    loss.backward()
    return loss.item(), {name: one.grad for name, one in checkpoints.trainable(model).items()}


# --- packing


def test_rows_end_to_end_hold_every_token_once_and_nothing_else():
    some = [TrainingRow((5, 6, 7), (8, 2), 0), TrainingRow((9,), (10, 2), 1)]
    made = end_to_end(some)
    assert made["input_ids"].tolist() == [[5, 6, 7, 8, 2, 9, 10, 2]]
    assert made["position_ids"].tolist() == [[0, 1, 2, 3, 4, 0, 1, 2]]
    assert made["logits_to_keep"].tolist() == [2, 3, 5, 6]
    assert made["labels"].tolist() == made["shift_labels"].tolist() == [[8, 2, 10, 2]]
    assert made["row_ends"] == [5, 8]
    whole = end_to_end(some, answers_only=False)
    assert whole["labels"].tolist() == [[6, 7, 8, 2, 10, 2]]
    assert IGNORED not in whole["labels"]


@pytest.mark.parametrize("answers_only", [True, False])
def test_packed_rows_have_the_loss_and_the_gradient_of_padded_ones(tiny, answers_only):
    some, settings = rows(8), replace(BASE, answers_only=answers_only)
    padded, theirs = gradients(tiny, settings, some)
    packed, mine = gradients(tiny, replace(settings, packing=True), some)
    assert packed == pytest.approx(padded, rel=1e-5)
    assert all((mine[name] - theirs[name]).abs().max() <= 1e-4 * theirs[name].abs().max() + 1e-7 for name in theirs)


def test_a_packed_row_sees_no_other_row(tiny):
    settings = replace(BASE, packing=True)
    model, words = adapted(tiny, settings).eval(), tokenizer(tiny)
    some, others = rows(3), rows(3, seed=9)
    with torch.inference_mode():
        scores = model(**tensors([some[0], some[1]], words, settings)).logits[0]
        beside = model(**tensors([others[2], some[1]], words, settings)).logits[0]
    n = len(some[1].answer)
    assert torch.allclose(scores[-n:], beside[-n:], atol=1e-5)
    alone = sum(validation_loss(model, [one], words, settings) * len(one.answer) for one in some) / sum(len(one.answer) for one in some)
    assert validation_loss(model, some, words, settings) == pytest.approx(alone, rel=1e-5)


def test_a_packed_run_learns_what_a_padded_one_learns(tiny, tmp_path):
    made = rows()
    one, other = (train(Run(tiny, made[:20], made[20:], replace(BASE, packing=packing, accumulate=2), 6, tmp_path / str(packing)), lambda told: None)
                  for packing in (False, True))  # fmt: skip
    assert other.train_loss == pytest.approx(one.train_loss, rel=1e-4)
    assert other.validation_loss == pytest.approx(one.validation_loss, rel=1e-4)


def test_rows_of_a_model_whose_attention_cannot_be_exchanged_are_padded(tiny, tmp_path, monkeypatch):
    from transformers import LlamaForCausalLM

    made, settings = rows(8), replace(BASE, packing=True)
    packed = train(Run(tiny, made, made, settings, 2, tmp_path / "packed"), lambda told: None)
    with monkeypatch.context() as there:
        there.setattr(LlamaForCausalLM, "_supports_attention_backend", False)
        padded = train(Run(tiny, made, made, settings, 2, tmp_path / "padded"), lambda told: None)
    assert padded.validation_loss == pytest.approx(packed.validation_loss, rel=1e-4)
    model = adapted(tiny, settings).get_base_model()
    assert can_pack(model, 256)
    model.config.sliding_window = 64
    assert can_pack(model, 64)
    assert not can_pack(model, 65)


# --- what gets an adapter, and how


def test_layers_get_an_adapter_by_name_and_one_the_model_lacks_is_named(tiny):
    named = checkpoints.trainable(adapted(tiny, replace(BASE, targets="q_proj, mlp.down_proj")))
    assert {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in named} == {"q_proj", "down_proj"}
    attention = checkpoints.trainable(adapted(tiny, replace(BASE, targets="attention")))
    assert {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in attention} == {"q_proj", "k_proj", "v_proj", "o_proj"}
    with pytest.raises(SettingsError, match=r"targets names query, lm_head.*down_proj, gate_proj, k_proj"):
        adapted(tiny, replace(BASE, targets="q_proj,query,lm_head"))


def test_dora_learns_lengths_too_and_starts_where_the_base_is(tiny, tmp_path):
    model, words = adapted(tiny, replace(BASE, dora=True)), tokenizer(tiny)
    lengths = [name for name in checkpoints.trainable(model) if "magnitude" in name]
    assert len(lengths) == 2 * 7
    assert validation_loss(model, rows(6), words, BASE) == pytest.approx(
        validation_loss(adapted(tiny, BASE), rows(6), words, BASE), rel=1e-4
    )
    made = rows()
    result = train(Run(tiny, made[:20], made[20:], replace(BASE, dora=True), 12, tmp_path), lambda told: None)
    assert result.validation_loss < 0.9 * result.first_validation_loss


def test_gradient_checkpointing_changes_no_gradient(tiny):
    plain, theirs = gradients(tiny, BASE, rows(4))
    again, mine = gradients(tiny, replace(BASE, gradient_checkpointing=True), rows(4))
    assert again == plain
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_gradient_checkpointing_holds_fewer_values(tiny):
    def held(settings: TrainSettings) -> int:
        sizes = []
        model = adapted(tiny, settings)
        with torch.autograd.graph.saved_tensors_hooks(lambda one: sizes.append(one.numel()) or one, lambda one: one):
            model(**tensors(rows(4), tokenizer(tiny), settings), use_cache=False).loss  # noqa: B018
        return sum(sizes)

    assert held(replace(BASE, gradient_checkpointing=True)) < 0.5 * held(BASE)


@pytest.mark.parametrize("double", [True, False])
def test_double_quantization_is_as_it_is_set(double, tmp_path):
    pytest.importorskip("bitsandbytes")
    model = adapted(tiny_model(tmp_path / "wide", width=64), replace(BASE, quantization="4-bit", double_quantization=double))
    weight = next(one for name, one in model.named_parameters() if "q_proj.base_layer.weight" in name)
    assert weight.quant_state.quant_type == "nf4"
    assert weight.quant_state.nested is double


def test_the_korean_projects_settings_train(tmp_path):
    pytest.importorskip("bitsandbytes")
    from core.finetune.settings import KOREAN_QA

    wide, made = tiny_model(tmp_path / "wide", width=64), rows(8)
    result = train(Run(wide, made, made, replace(KOREAN_QA, learning_rate=0.02), 16, tmp_path / "run"), lambda told: None)
    assert result.step == 16
    assert result.validation_loss < 0.8 * result.first_validation_loss


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a CUDA device fp16 is possible")
def test_fp16_on_a_processor_is_refused(tiny, tmp_path):
    with pytest.raises(SettingsError, match="precision is fp16, and this machine has no CUDA device"):
        train(Run(tiny, rows(8), (), replace(BASE, precision="fp16"), 2, tmp_path), lambda told: None)
    assert resolved("auto") in ("bf16", "fp32")
    assert device.place() == "cpu"
    assert device.room() == device.memory()


# --- stopping and keeping


def test_patience_counts_measurements_after_the_lowest():
    falling = {0: 3.0, 5: 2.0, 10: 1.0}
    assert not patience_is_over(falling, 1)
    assert patience_is_over({**falling, 15: 1.0}, 1)
    assert not patience_is_over({**falling, 15: 1.2}, 2)
    assert patience_is_over({**falling, 15: 1.2, 20: 1.1}, 2)
    assert not patience_is_over({**falling, 15: 1.2, 20: 0.9}, 2)
    assert not patience_is_over({0: 1.0, 5: 2.0, 10: 3.0}, 0)


def test_a_run_without_a_lower_loss_stops_and_stays_stopped(tiny, tmp_path):
    made, told = rows(), []
    settings = replace(BASE, learning_rate=1e-7, patience=2, evaluate_every=2, checkpoint_every=5)
    wrong = [TrainingRow(one.prompt, (199, 198, 2), one.row) for one in made[20:]]
    run = Run(tiny, made[:20], wrong, replace(settings, learning_rate=0.05), 40, tmp_path)
    result = train(run, told.append)
    measured = {one.step: one.val_loss for one in told if one.val_loss is not None}
    stopped = max(one.step for one in told)
    assert stopped == max(measured) < 40
    assert sum(step > min(measured, key=measured.__getitem__) for step in measured) == 2
    assert result.notes == (f"Stopped after step {stopped}: 2 measurements without a lower validation loss.",)
    assert [one.note for one in told if one.note] == list(result.notes)
    assert checkpoints.steps(tmp_path)[-1] == stopped
    again = []
    assert train(run, again.append).step == result.step
    assert [one for one in again if one.loss is not None] == []


def test_every_measurement_keeps_its_adapter_and_the_last_two_their_moments(tiny, tmp_path):
    made = rows()
    result = train(Run(tiny, made[:20], made[20:], replace(BASE, keep="each", evaluate_every=2), 9, tmp_path), lambda told: None)
    assert result.checkpoints == (2, 4, 6, 8, 9)
    there = {step: sorted(path.name for path in (tmp_path / f"step-{step:06d}").iterdir()) for step in result.checkpoints}
    adapter = ["adapter_config.json", "adapter_model.safetensors", "manifest.json"]
    assert [there[step] for step in (2, 4, 6)] == [adapter] * 3
    assert all("optimizer.safetensors" in there[step] for step in (8, 9))
    damaged = tmp_path / "step-000009" / "adapter_model.safetensors"
    damaged.write_bytes(b"x")
    assert checkpoints.last(tmp_path).name == "step-000008"


def test_choosing_by_score_keeps_every_measurement_too(tiny, tmp_path):
    made = rows()
    settings = replace(BASE, choose="score", evaluate_every=3, checkpoint_every=2)
    assert train(Run(tiny, made[:20], made[20:], settings, 6, tmp_path), lambda told: None).checkpoints == (3, 6)


def test_a_loss_that_is_no_number_stops_the_run_with_its_reason(tiny, tmp_path, monkeypatch):
    from transformers import LlamaForCausalLM

    real, told = LlamaForCausalLM.forward, []

    def forward(model, **how):
        made = real(model, **how)
        made.loss = made.loss * float("nan" if len(told) >= 4 else 1)
        return made

    monkeypatch.setattr(LlamaForCausalLM, "forward", forward)
    with pytest.raises(ModelError, match=r"stopped being a number at step 4. Lower the learning rate \(now 0.02\)") as why:
        train(Run(tiny, rows(), (), replace(BASE, checkpoint_every=2), 6, tmp_path), told.append)
    assert why.value.title == "The training diverged"
    assert checkpoints.steps(tmp_path) == [2], "what was kept stays"


# --- memory


class Full:
    """Lets so many forward passes of more than `most` rows through, then has no room for them, `times` times."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, after: int, most: int, times: int = 1_000_000, error: type = torch.OutOfMemoryError
    ):
        from transformers import LlamaForCausalLM

        real, self.passed, self.failed = LlamaForCausalLM.forward, 0, 0

        def forward(model, input_ids=None, **how):
            if model.training and len(input_ids) > most:
                self.passed += 1
                if self.passed > after and self.failed < times:
                    self.failed += 1
                    raise error("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return real(model, input_ids=input_ids, **how)

        monkeypatch.setattr(LlamaForCausalLM, "forward", forward)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
def test_a_run_out_of_memory_goes_on_with_half_the_batch_to_the_same_adapter(tiny, tmp_path, monkeypatch, error):
    from safetensors.torch import load_file

    made, settings = rows(), replace(BASE, checkpoint_every=2, dropout=0.0)
    whole = train(Run(tiny, made, (), settings, 6, tmp_path / "whole"), lambda told: None)
    told = []
    full = Full(monkeypatch, after=5, most=2, error=error)
    parts = train(Run(tiny, made, (), settings, 6, tmp_path / "parts"), told.append)
    assert full.failed == 1
    note = "Memory ran out with 4 rows per step. Goes on from step 4 with 2, and 2 batches per update."
    assert parts.notes == (note,)
    assert [(one.step, one.note) for one in told if one.note] == [(4, note)]
    assert [one.step for one in told if one.loss is not None] == [1, 2, 3, 4, 5, 5, 6]
    one, other = (load_file(str(result.checkpoint / "adapter_model.safetensors")) for result in (whole, parts))
    assert all((one[name] - other[name]).abs().max() < 1e-4 for name in one)


def test_a_job_tells_what_it_changed_and_keeps_it_in_its_history(home, tiny, monkeypatch):
    from core.io import jobs
    from core.io.lora import runs
    from tests import doubles

    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    version = doubles.version("regression", 40)
    Full(monkeypatch, after=1, most=2)
    asked = {"dataset": version.dataset, "version": version.id, "limit": 2, "forgetting": False,
             "settings": replace(BASE, max_tokens=128, max_steps=4, checkpoint_every=1).to_dict()}  # fmt: skip
    job = jobs.start("finetune", asked, title="Fine-tune", dataset=version.dataset)
    assert job.state == "done", job.error
    assert runs.notes(job.folder) == ["Memory ran out with 4 rows per step. Goes on from step 1 with 2, and 2 batches per update."]
    assert [one["step"] for one in runs.history(job.folder) if "loss" in one] == [1, 2, 3, 4]


def test_out_of_memory_twice_names_the_estimate_and_the_smaller_setting(tiny, tmp_path, monkeypatch):
    Full(monkeypatch, after=2, most=1)
    with pytest.raises(
        ModelError, match=r"2 rows per step: about .* are expected, and the device has .*Choose 1 row per step and 4 batches"
    ) as told:
        train(Run(tiny, rows(), (), replace(BASE, checkpoint_every=1), 6, tmp_path), lambda told: None)
    assert told.value.title == "Out of memory"
    assert checkpoints.steps(tmp_path) == [1, 2], "what was kept stays"


def test_one_row_that_does_not_fit_is_told_at_once(tiny, tmp_path, monkeypatch):
    full = Full(monkeypatch, after=0, most=0)
    with pytest.raises(ModelError, match="Choose gradient checkpointing"):
        train(Run(tiny, rows(), (), replace(BASE, batch=1), 6, tmp_path), lambda told: None)
    assert full.failed == 1


def test_another_error_is_no_matter_of_memory(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("core.io.lora.training.adapted", lambda *args: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        train(Run(tiny, rows(), (), BASE, 6, tmp_path), lambda told: None)


def test_halving_keeps_the_update_and_smaller_settings_come_to_an_end():
    assert [(halved(replace(BASE, batch=n)).batch, halved(replace(BASE, batch=n)).accumulate) for n in (8, 6, 5)] == [
        (4, 2),
        (3, 2),
        (1, 5),
    ]
    assert halved(replace(BASE, batch=1)) is None
    assert halved(replace(BASE, batch=2, accumulate=200)) is None
    said, settings = [], replace(BASE, batch=2, max_tokens=64)
    while found := smaller(settings):
        settings = found[0]
        said.append(found[1])
    assert said == [
        "1 row per step and 2 batches per update",
        "gradient checkpointing",
        "quantization in 4 bits",
        "rows of at most 32 tokens",
    ]


def test_the_memory_estimate_knows_what_saves_memory():
    config = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000,
              "tie_word_embeddings": False}  # fmt: skip

    def gib(**changes) -> float:
        return memory_of(6_738_415_616, config, TrainSettings(batch=4, **changes), 256, "fp16") / 2**30

    four, double = gib(quantization="4-bit", double_quantization=False), gib(quantization="4-bit")
    assert 0.25 < four - double < 0.4  # 0.37 bits of 6.5 billion weights
    assert gib(gradient_checkpointing=True, quantization="4-bit") < 7.5
    assert gib(gradient_checkpointing=True) < gib() - 2
    shorter = memory_of(6_738_415_616, config, TrainSettings(packing=True, group_by_length=False), 256, "fp16", mean=40)
    assert shorter < memory_of(6_738_415_616, config, TrainSettings(group_by_length=False), 256, "fp16", mean=40)


# --- CUDA


@NO_CUDA
@pytest.mark.parametrize(
    "changes", [{}, {"precision": "bf16"}, {"packing": True}, {"quantization": "4-bit"}, {"gradient_checkpointing": True}]
)
def test_a_run_learns_on_cuda(changes, tmp_path):
    wide, made = tiny_model(tmp_path / "wide", width=64), rows()
    settings = replace(BASE, **{"precision": "auto", **changes})
    told = []
    result = train(Run(wide, made[:20], made[20:], settings, 12, tmp_path / "run"), told.append)
    assert result.validation_loss < 0.9 * result.first_validation_loss
    assert 0 < result.memory <= torch.cuda.get_device_properties(0).total_memory
    assert next(adapted(wide, settings).parameters()).device.type == "cuda"
