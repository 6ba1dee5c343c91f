"""What a run never does (show a row kept aside), when it pauses, and what is asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.augment.fields import Field
from core.augment.limits import Limits
from core.augment.presets import PRESETS, AugmentSettings
from core.errors import DataError
from core.io import augmenting, batches, by_hand, children, files, jobs, judging, store, written
from core.io.augmenting import Writer
from core.version import Roles, Version
from tests.loopback import KEY, Fault, Loopback
from tests.test_augmenting import SETTINGS, key_of, saved, start

DOWN = Fault(503, "down for maintenance")


def canaries() -> Version:
    """Rows of all three parts; every cell of a row kept aside holds a word that stands nowhere else."""
    parts = ["train", "train", "validation", "test"] * 12
    rows = pd.DataFrame({
        "text": [f"the {'zebracanary' if part == 'test' else 'yakcanary' if part == 'validation' else 'kettle'}{i} is on shelf {i} again, said the "
                 "keeper of the shop to me" for i, part in enumerate(parts)],
        "answer": [f"{'testanswer' if part == 'test' else 'validanswer' if part == 'validation' else 'good'}{i % 3}" for i, part in enumerate(parts)],
        "id": [f"{part}-id-{i}" for i, part in enumerate(parts)],
        "split": parts,
    })  # fmt: skip
    roles = Roles(text=("text",), target="answer", split="split", id="id")
    return store.save("Canaries", rows, title="Split", roles=roles, task="qa", source_hash="canaries")


@pytest.mark.parametrize("preset", list(PRESETS))
def test_no_writer_ever_sees_a_row_that_is_kept_aside(preset: str, home: Path) -> None:
    version = canaries()
    more: dict[str, Any] = {"user": "$text $answer $id ${n}"} if preset == "free" else {}
    if PRESETS[preset].keeps == "schema":
        more = {"fields": (Field("text"), Field("answer"))}
    if PRESETS[preset].balance:
        more = {"to": 30}
    settings = AugmentSettings("text", preset, variants=2, **more)
    with Loopback() as server:
        job = start(version, server, settings=settings)
        assert job.state == "done", job.error
        augmenting.try_rows(version, settings, Writer("compatible", "small", server.url), key=KEY)
        sent = json.dumps([server.asked, server.headers], ensure_ascii=False)
    by_hands = json.dumps([one.text for one in by_hand.hand_requests(version, settings, 20)], ensure_ascii=False)
    aside = store.frame(version)
    aside = aside[aside["split"] != "train"]
    texts = [str(cell) for name in ("text", "answer", "id") for cell in aside[name].tolist()]
    assert len(server.asked) > 0
    assert not [text for text in [*texts, "zebracanary", "yakcanary", "testanswer", "validanswer", "test-id", "validation-id"]
                if text in sent or text in by_hands]  # fmt: skip
    assert "kettle" in sent


def test_a_lasting_failure_pauses_with_the_reason_and_the_run_goes_on_later(home: Path) -> None:
    version, parallel = saved(90), 4
    with Loopback(["ok"] * 10 + [DOWN] * 200) as server:
        job = start(version, server, parallel=parallel)
        assert job.state == "paused"
        assert job.error is not None
        assert job.error["reason"] == "failing"
        assert "down for maintenance" in job.error["message"]
        assert len(server.asked) <= 10 + 20 + parallel
        kept = len(files.read_lines(job.folder / "replies.jsonl"))
        assert kept == 10
        server.script.clear()
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.state == "done"
        assert again.result is not None
        assert (again.result["requests"], again.result["answered"], again.result["failed"]) == (60, 60, 0)


def test_an_empty_account_pauses_at_the_first_request(home: Path) -> None:
    from tests.loopback import no_credit

    with Loopback([no_credit()] * 50) as server:
        job = start(saved(), server)
        assert job.state in ("paused", "failed")
        assert job.error is not None
        assert len(server.asked) == 1


def test_only_what_failed_is_asked_again(home: Path) -> None:
    version = saved()
    refused = Fault(400, "this text is not possible", "invalid_request_error")
    with Loopback(["ok", "ok", refused, "ok", refused]) as server:
        job = start(version, server, parallel=1)
        assert job.state == "done"
        assert job.result is not None
        assert (job.result["answered"], job.result["failed"]) == (18, 2)
        assert any("not possible" in words for words in job.result["errors"])
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.result is not None
        assert (again.result["answered"], again.result["failed"]) == (20, 0)
        assert len(server.asked) == 22


def test_replies_without_a_variant_are_asked_anew_and_what_they_cost_stays_counted(home: Path) -> None:
    version = saved()
    with Loopback(["ok", "refusal", "ok", "refusal"]) as server:
        job = start(version, server, parallel=1)
        assert job.result is not None
        before = job.result["usd"]
        assert job.result["rejected"] == {"refusal": 2}
        assert augmenting.again(version, SETTINGS, job.folder) == 2
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.result is not None
        assert again.result["rejected"] == {}
        assert again.result["usd"] > before
        assert len(server.asked) == 22
        assert server.asked[-1]["seed"] != server.asked[0]["seed"]


def test_live_figures_tell_rate_spend_and_tokens(home: Path) -> None:
    with Loopback() as server:
        job = start(saved(), server)
    assert job.step == job.total == 20
    assert job.figures["usd"] == pytest.approx(job.result["usd"] if job.result else 0)
    assert job.figures["rate"] > 0
    assert job.figures["tokens_in"] > job.figures["failed"] == 0


def test_a_chained_request_asks_twice_and_judges_the_second_reply(home: Path) -> None:
    version, settings = saved(12), AugmentSettings("text", "translate", variants=2)
    with Loopback() as server:
        job = start(version, server, settings=settings)
        assert job.state == "done", job.error
        assert (len(server.asked), job.total) == (16, 16)
    shown, frame, _ = judging.judged(version, settings, job.folder)
    assert {ask.stage for ask in shown} == {1}
    assert bool(frame["row"].nunique() == 8)
    assert job.result is not None
    assert job.result["usd"] == pytest.approx(written.standing(job.folder).usd)


def whole_rows(messages: list[dict[str, str]]) -> str:
    number = abs(hash(messages[-1]["content"])) % 10_000
    made = [{"text": f"a fresh {word} text number {number} about {word} things", "answer": f"good{i}"}
            for i, word in enumerate(("lantern", "violin", "harbour"))]  # fmt: skip
    return json.dumps({"variants": made})


def test_whole_new_rows_are_saved_with_their_provenance(home: Path) -> None:
    version = canaries()
    settings = AugmentSettings("text", "new_rows", variants=3, fields=(Field("text"), Field("answer")), total=6)
    with Loopback(answer=whole_rows) as server:
        job = start(version, server, settings=settings)
        assert job.state == "done", job.error
    one = batches.batch(version, job.id)
    rows = batches.accepted(version, one)
    assert len(rows)
    made = children.save(version, rows, settings, one.writer, job=job.id)
    fresh = store.frame(made).tail(len(rows))
    assert set(fresh["origin"]) == {"synthetic"}
    assert set(fresh["split"]) == {"train"}
    assert fresh["text"].str.startswith("a fresh").all()
    assert fresh["answer"].str.startswith("good").all()
    assert bool(fresh["written_at"].notna().all())
    train = set(store.frame(version, split="train").index)
    assert set(fresh["parent_row"].dropna().tolist()) <= train


OPENINGS = [
    "Who built",
    "Name the maker behind",
    "By whose hands rose",
    "Tell me which person erected",
    "To whom do we owe",
    "Whose work is",
]


def test_questions_about_a_text_become_rows_of_their_own(home: Path) -> None:
    rows = pd.DataFrame({"context": [f"The lighthouse of bay {i} was built in {1800 + i} by Mira Holm." for i in range(9)],
                         "split": ["train"] * 6 + ["test"] * 3})  # fmt: skip
    version = store.save("Texts", rows, title="Split", roles=Roles(text=("context",), split="split"), source_hash="texts")
    settings = AugmentSettings("context", "question_answer", variants=1)

    def asked(messages: list[dict[str, str]]) -> str:
        text = messages[-1]["content"].splitlines()[-1]
        return json.dumps(
            {"variants": [{"question": f"{OPENINGS[int(text.split('bay ')[1].split()[0])]} the one of this bay?", "answer": "Mira Holm"}]}
        )

    with Loopback(answer=asked) as server:
        job = start(version, server, settings=settings)
    one = batches.batch(version, job.id)
    made = children.save(version, batches.accepted(version, one), settings, one.writer)
    fresh = store.frame(made).tail(6)
    assert fresh["answer"].tolist() == ["Mira Holm"] * 6
    assert fresh["question"].tolist() == [f"{words} the one of this bay?" for words in OPENINGS]
    assert fresh["parent_row"].tolist() == list(range(6))
    assert fresh["context"].tolist() == rows["context"].head(6).tolist()


def test_the_gate_of_curate_sees_whose_child_a_row_is(home: Path) -> None:
    from core.curate.leaks import leaks

    version = saved()
    made = children.save(version, pd.DataFrame({"row": [0], "variant": ["an entirely new text"]}), SETTINGS, Writer("hand"))
    rows = store.frame(made)
    rows.loc[len(rows) - 1, "split"] = "test"
    parts = rows["split"].to_numpy()
    found = leaks(rows, parts, ("text",), parent=made.roles.parent_row)
    assert 0 in found.reasons


def test_versions_of_before_keep_working(home: Path) -> None:
    """Written rows were once told by an origin that names the writer, and lines of the journal held no time."""
    rows = store.frame(saved()).assign(parent_row=pd.array([None] * 30, dtype="Int64"), origin="data")
    child = rows.iloc[[0]].assign(text="an older child", parent_row=0, origin="small", id="r0-1")
    whole = pd.DataFrame(pd.concat([rows, child], ignore_index=True))
    roles = Roles(text=("text",), target="answer", split="split", id="id", parent_row="parent_row")
    old = store.save("Old", whole, title="Augment", roles=roles, task="classification", source_hash="old")
    assert children.synthetic(old, whole).tolist() == [False] * 30 + [True]
    made = children.save(old, pd.DataFrame({"row": [1], "variant": ["an entirely new text"]}), SETTINGS, Writer("hand"))
    last = store.frame(made).tail(2)
    assert last["origin"].tolist() == ["small", "data"]
    assert last["origin_2"].tolist() == ["synthetic", "synthetic"]
    assert made.roles.parent_row == "parent_row"
    folder = by_hand.hand_folder(old, SETTINGS)
    ask = judging.asks(old, SETTINGS)[0]
    files.append_line(folder / "replies.jsonl", {"key": ask.key, "row": ask.row, "variants": ["one of before"]})
    assert judging.replies_in(folder, [ask])[ask.key].variants == ("one of before",)


def test_a_batch_survives_a_pause_and_is_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.io.providers import batch
    from core.io.work import Desk

    monkeypatch.setattr(batch, "POLL", 0.01)
    version, real = saved(), Desk.stopped
    with Loopback() as server:
        looks = [0]

        def stopped(self: Desk) -> bool:
            looks[0] += 1
            if looks[0] == 6:
                (self.folder / "paused").touch()
                (self.folder / "cancelled").touch()
            return real(self)

        monkeypatch.setattr(Desk, "stopped", stopped)
        job = start(version, server, batch=True)
        monkeypatch.setattr(Desk, "stopped", real)
        assert job.state == "paused", (job.state, job.error)
        again = jobs.resume(job.id, environment=key_of(server))
        assert again.state == "done", again.error
        assert again.result is not None
        assert (again.result["requests"], again.result["answered"], again.result["failed"]) == (20, 20, 0)
        assert len([path for path in server.paths if path == "/v1/batches"]) <= 3
        told = [line.get("message", "") for line in files.read_lines(job.folder / "progress.jsonl")]
        assert any(words.startswith("Batch at the provider: ") for words in told)
    assert augmenting.review(version, SETTINGS, job.folder)[1].accepted > 0


@pytest.mark.parametrize(("low", "high", "usual", "bound", "moved"), [(0.55, 0.75, True, 0.5, False), (0.82, 0.88, False, 0.9, True)])
def test_saving_refuses_copies_of_test_rows_where_the_run_s_gate_stands(
    low: float, high: float, usual: bool, bound: float, moved: bool, home: Path
) -> None:
    version = saved()
    held, judge = store.frame(version, split="test")["text"].iloc[0], judging.held_out(version, SETTINGS)
    text = next(text for n in range(len(held)) if low < judge.nearest(text := held[n:]) < high)

    def saves(limits: Limits | None) -> bool:
        try:
            children.children(version, pd.DataFrame({"row": [0], "variant": [text]}), SETTINGS, limits=limits)
        except DataError as error:
            assert error.title == "Too close to the test"
            return False
        return True

    assert (saves(None), saves(Limits(near_held_out=bound))) == (usual, moved)


def test_a_batch_at_an_address_of_this_machine_is_free_like_its_other_requests() -> None:
    here = Writer("compatible", "small", "http://127.0.0.1:9/v1", batch=True)
    assert (here.known_rates(), here.batch_rates()) == ((0.0, 0.0), (0.0, 0.0))
    assert Writer("compatible", "small", "https://far.example/v1", batch=True).batch_rates() is None
    assert Writer("compatible", "small", "http://127.0.0.1:9/v1").batch_rates() is None
