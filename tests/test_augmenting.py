"""Augmentation at the edge: the job over a real loopback server, its journal and budget, by hand, lineage, the effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.augment.presets import AugmentSettings
from core.errors import DataError
from core.io import augmenting, by_hand, children, files, jobs, store
from core.io.augmenting import Writer
from core.io.effect import measure_effect
from core.version import Roles, Version
from tests.loopback import KEY, Fault, Loopback
from tests.test_providers import Parrot

SETTINGS = AugmentSettings("text", variants=3)


def saved(n: int = 30, task: str = "classification") -> Version:
    """Reviews with labels; every third row is a test row."""
    rng = np.random.default_rng(0)
    things = [
        "kettle",
        "lamp",
        "pump",
        "chair",
        "drill",
        "soap",
        "rope",
        "bell",
        "coat",
        "drum",
        "fork",
        "gate",
        "harp",
        "iron",
        "jar",
        "knife",
        "ladder",
        "mirror",
        "needle",
        "oven",
    ]
    said = {
        "good": ["lovely", "quick", "bright", "solid", "gentle", "clever", "warm", "neat"],
        "bad": ["broken", "slow", "dim", "shaky", "rude", "noisy", "cold", "torn"],
    }

    def text(label: str) -> str:
        thing, other = rng.choice(things, 2, replace=False)
        one, two, three = rng.choice(said[label], 3, replace=False)
        return f"my {one} {thing} is {two} and the {three} {other} too, so says {''.join(rng.choice(list('abcdefghij'), 9))}"

    labels = ["good" if i % 2 else "bad" for i in range(n)]
    rows = pd.DataFrame({
        "text": [text(label) for label in labels], "answer": labels, "id": [f"r{i}" for i in range(n)],
        "split": ["test" if i % 3 == 2 else "train" for i in range(n)],
    })  # fmt: skip
    roles = Roles(text=("text",), target="answer", split="split", id="id")
    return store.save("Reviews", rows, title="Split", roles=roles, task=task, source_hash=f"{n}{task}")


def asked_for(
    version: Version, server: Loopback, *, budget: float | None = 1.0, settings: AugmentSettings = SETTINGS, **writer: Any
) -> dict[str, Any]:
    """The job's request."""
    who = Writer("compatible", "small", server.url, **{"rates": (1.0, 2.0), **writer})
    return {"dataset": version.dataset, "version": version.id, "settings": settings.to_dict(), "writer": who.to_dict(), "budget": budget,
            "meaning": False}  # fmt: skip


def start(version: Version, server: Loopback, *, key: str = KEY, **how: Any) -> jobs.Job:
    request = asked_for(version, server, **how)
    return jobs.start("augment", request, title="Write variants", dataset=version.dataset, environment=key_of(server, key))


def key_of(server: Loopback, key: str = KEY) -> dict[str, str]:
    from core.io.providers.addresses import for_child

    return for_child(server.url, key)


def test_a_run_writes_only_about_train_rows_and_saves_children_with_their_parents(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        job = start(version, server)
        assert job.state == "done", job.error
        test = store.frame(version, split="test")["text"].tolist()
        sent = json.dumps(server.asked)
        assert len(server.asked) == 20
        assert not any(text in sent for text in test)
    assert job.result is not None
    assert job.result["answered"] == 20
    assert job.result["usd"] > 0
    judged, card = augmenting.review(version, SETTINGS, job.folder)
    assert card.accepted == job.result["accepted"] > 0
    passed = judged[judged["gate"] == ""]
    made = children.save(
        version, passed, SETTINGS, Writer("compatible", "small"), rejected=card.rejected, usd=job.result["usd"], job=job.id
    )
    rows = store.frame(made)
    fresh = rows[rows["parent_row"].notna()]
    assert len(rows) == 30 + card.accepted
    assert set(fresh["split"]) == {"train"}
    assert set(fresh["origin"]) == {"synthetic"}
    assert set(fresh["model"]) == {"small"}
    assert set(fresh["provider"]) == {"compatible"}
    assert set(fresh["prompt_id"]) == {children.prompt_id(SETTINGS)}
    assert set(rows["origin"].head(30)) == {"human"}
    assert rows[["provider", "model", "prompt_id", "written_at"]].head(30).isna().all(axis=None)
    assert made.roles.parent_row == "parent_row"
    assert made.splits["test"] == version.splits["test"]
    for _, row in fresh.iterrows():
        assert row["answer"] == rows["answer"].iloc[int(row["parent_row"])]
    assert fresh["id"].is_unique
    assert not set(fresh["id"]) & set(rows["id"].head(30))
    assert children.save(version, passed, SETTINGS, Writer("compatible", "small")).id == made.id


def test_the_key_is_in_no_file_of_the_workspace_after_a_run(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        start(version, server)
        start(version, server, key="sk-wrong-canary-0123456789")
    found = [path for path in home.rglob("*") if path.is_file() and any(k in path.read_bytes() for k in (KEY.encode(), b"sk-wrong"))]
    assert found == []


def test_a_killed_run_resumes_and_pays_nothing_twice(home: Path) -> None:
    version = saved()
    with Loopback(["ok"] * 8 + [Fault(401, "key was revoked", "invalid_request_error")] * 8) as server:
        job = start(version, server, parallel=1)
        assert job.state == "failed"
        assert job.error is not None
        assert job.error["title"] == "The key was refused"
        assert len(files.read_lines(job.folder / "replies.jsonl")) == 8
        server.script.clear()
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.state == "done"
        assert len(server.asked) == 8 + 1 + 12
        texts = [asked["messages"][-1]["content"] for asked in server.asked]
        assert len(set(texts)) == 20
        assert again.result is not None
        assert again.result["answered"] == 20
        assert again.result["usd"] == pytest.approx(sum(line["reply"]["usd"] for line in files.read_lines(job.folder / "replies.jsonl")))


def test_a_second_run_of_the_same_request_is_free(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        first, second = start(version, server), start(version, server)
        assert len(server.asked) == 20
        assert second.result is not None
        assert first.result is not None
        assert second.result["usd"] == 0
        assert second.result["accepted"] == first.result["accepted"]


def test_the_budget_ends_a_run_cleanly_and_a_resume_does_not_pass_it(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        job = start(version, server, budget=0.02, rates=(10.0, 20.0))
        assert job.state == "done"
        assert job.result is not None
        assert job.result["stopped"] == "budget"
        assert 0 < job.result["answered"] < 20
        assert 0 < job.result["usd"] <= 0.02
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.result is not None
        assert again.result["usd"] <= 0.02


def test_a_cut_last_line_of_the_journal_is_asked_again(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        job = start(version, server)
        journal = job.folder / "replies.jsonl"
        journal.write_bytes(journal.read_bytes()[:-30])
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.state == "done"
        assert len({line["key"] for line in files.read_lines(journal)}) == 20
        assert len(server.asked) == 20


def test_three_rows_are_tried_and_judged_without_a_job(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        writer = Writer("compatible", "small", server.url, rates=(1.0, 1.0))
        tried = augmenting.try_rows(version, SETTINGS, writer, key=KEY)
        assert len(server.asked) == 3
        assert tried.judged["row"].nunique() == 3
        assert tried.usd is not None
        assert jobs.all_jobs() == []


def test_the_built_in_model_is_asked_one_variant_at_a_time(home: Path) -> None:
    parrot = Parrot()
    settings = AugmentSettings("text", variants=2, one_each=True)
    tried = augmenting.try_rows(saved(), settings, Writer("embedded"), engine=parrot)
    assert sum(n for n, _ in parrot.batches) == 6
    assert len(tried.judged) >= 6


def test_a_version_without_train_rows_says_what_to_do(home: Path) -> None:
    rows = pd.DataFrame({"text": ["a b c"], "answer": ["x"]})
    version = store.save(
        "Plain", rows, title="Import", roles=Roles(text=("text",), target="answer"), task="classification", source_hash="p"
    )
    with pytest.raises(DataError) as told:
        augmenting.asks(version, SETTINGS)
    assert told.value.title == "Version 1 has no train rows: split it first"


def test_test_rows_can_have_no_children_and_no_copies(home: Path) -> None:
    version = saved()
    with pytest.raises(DataError) as told:
        children.save(version, pd.DataFrame({"row": [2], "variant": ["new text"]}), SETTINGS, Writer("hand"))
    assert told.value.title == "Not a train row"
    copy = store.frame(version, split="test")["text"].iloc[0].upper()
    with pytest.raises(DataError) as told:
        children.save(version, pd.DataFrame({"row": [0], "variant": [copy]}), SETTINGS, Writer("hand"))
    assert told.value.title == "Too close to the test"


def test_by_hand_the_pasted_reply_goes_through_the_same_gates_and_survives_a_reload(home: Path) -> None:
    version = saved()
    requests = by_hand.hand_requests(version, SETTINGS, 5)
    assert len(requests) == 4
    one = requests[0].asks[0].original
    turned = " ".join(reversed(one.split()))
    pasted = by_hand.paste(version, SETTINGS, requests[0], json.dumps({"1": [turned, one], "2": []}))
    assert len(pasted.missing) == 4
    judged, card = augmenting.review(version, SETTINGS, by_hand.hand_folder(version, SETTINGS))
    assert judged["gate"].tolist() == ["", "same"]
    assert card.accepted == 1
    made = children.save(version, judged[judged["gate"] == ""], SETTINGS, Writer("hand"))
    last = store.frame(made).iloc[-1]
    assert (last["text"], last["parent_row"], last["origin"], last["provider"], last["split"]) == (turned, 0, "synthetic", "hand", "train")


def test_a_second_augmentation_keeps_the_first_one_s_lineage(home: Path) -> None:
    version = saved()
    first = children.save(version, pd.DataFrame({"row": [0], "variant": ["a first new text about a kettle"]}), SETTINGS, Writer("hand"))
    assert all(ask.row < 30 for ask in augmenting.asks(first, SETTINGS))
    second = children.save(
        first, pd.DataFrame({"row": [1], "variant": ["a second new text about a lamp"]}), SETTINGS, Writer("compatible", "m")
    )
    rows = store.frame(second)
    assert rows["parent_row"].dropna().tolist() == [0, 1]
    assert rows["origin"].tail(3).tolist() == ["human", "synthetic", "synthetic"]
    assert rows["provider"].tail(2).tolist() == ["hand", "compatible"]
    assert rows["model"].tail(1).tolist() == ["m"]
    assert not [name for name in rows.columns if name.endswith("_2")]


def test_a_column_called_origin_is_left_alone(home: Path) -> None:
    rows = store.frame(saved()).assign(origin="shop")
    version = store.save("Shops", rows, title="Split", roles=saved().roles, task="classification", source_hash="s")
    made = children.save(version, pd.DataFrame({"row": [0], "variant": ["an entirely new text"]}), SETTINGS, Writer("hand"))
    last = store.frame(made).iloc[-1]
    assert (last["origin"], last["origin_2"]) == ("shop", "synthetic")


def test_the_effect_is_measured_on_the_same_test_rows_with_an_interval(home: Path) -> None:
    version = saved(90)
    train = store.frame(version, split="train")
    accepted = pd.DataFrame({"row": train.index[:10], "variant": [f"{text} indeed" for text in train["text"].head(10)]})
    effect = measure_effect(version, accepted, SETTINGS)
    assert (effect.metric, effect.new_rows, effect.train_rows) == ("accuracy", 10, 60)
    assert effect.difference.n == 30
    assert effect.difference.low <= effect.difference.value <= effect.difference.high
    assert effect.word in ("better", "worse", "not distinguishable")
    assert "n = 30" in effect.sentence


def test_the_estimate_is_near_what_the_run_then_took(home: Path) -> None:
    version = saved()
    with Loopback() as server:
        planned = augmenting.asks(version, SETTINGS)
        told = augmenting.estimated(planned, Writer("compatible", "small", server.url, rates=(1.0, 2.0)))
        job = start(version, server)
    assert job.result is not None
    assert (told.requests, told.variants) == (20, 60)
    assert told.usd is not None
    assert 0.4 < told.usd / job.result["usd"] < 2.5


def test_the_command_estimates_runs_and_answers_with_the_documented_keys(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.__main__ import main

    source = tmp_path / "reviews.csv"
    store.frame(saved()).to_csv(source, index=False)
    with Loopback() as server:
        monkeypatch.setenv("FINETUNE_STUDIO_COMPATIBLE_KEY", KEY)
        monkeypatch.setenv("FINETUNE_STUDIO_COMPATIBLE_URL", server.url)
        call = ["augment", str(source), "--column", "text", "--target", "answer", "--variants", "2", "--provider", "compatible", "--base-url",
                server.url, "--model", "small", "--out", str(tmp_path / "out"), "--json"]  # fmt: skip
        assert main([*call, "--estimate"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert list(told) == ["rows", "requests", "tokens_in", "tokens_out", "usd", "minutes"]
        assert (told["rows"], told["requests"], len(server.asked)) == (20, 20, 0)
        assert main(call) == 0
        result = json.loads(capsys.readouterr().out)
    assert list(result) == ["accepted", "rejected", "usd", "files"]
    assert result["accepted"] > 0
    assert all(Path(name).exists() for name in result["files"])
    assert len(pd.read_csv(tmp_path / "out" / "variants.csv")) == result["accepted"]
