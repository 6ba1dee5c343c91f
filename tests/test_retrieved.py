"""What is looked up for a language model: passages, solved rows, by text and by meaning; never anything of the test rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, MissingError, SettingsError
from core.io import asking, evaluations, jobs, passages, prompting, store, testing
from core.io.passages import Source
from core.io.providers.addresses import for_child
from core.predict.passages import AFTER, Passage, cut, without_tests
from core.predict.prompted import FewShot
from core.predict.registry import make
from core.prediction import Examples, examples
from core.prompt import Prompt
from core.reply import Reply
from core.version import Roles, Version
from tests.doubles import version
from tests.loopback import KEY, Loopback

ROLES = Roles(text=("context", "question"), target="answer", split="split")
WHO = ["Mira", "Tal", "Osk", "Ruhe", "Pelle", "Ines", "Juno", "Kai"]


def facts(rows: int = 24) -> pd.DataFrame:
    """Questions on texts; a third are test rows, whose answers stand nowhere but in the target."""
    people = [f"{WHO[i % 8]}{i}" for i in range(rows)]
    parts = ["test" if i % 3 == 2 else "train" for i in range(rows)]
    known = [f"The house number {i} by the river is old. " + ("It is kept by " + who + "." if part == "train" else "Its keeper is unknown.")
             for i, (who, part) in enumerate(zip(people, parts, strict=True))]  # fmt: skip
    return pd.DataFrame({"context": known, "question": [f"Who keeps the house number {i} by the river?" for i in range(rows)],
                         "answer": people, "split": parts})  # fmt: skip


def saved(table: pd.DataFrame | None = None, label: str = "Houses") -> Version:
    table = facts() if table is None else table
    prompt = Prompt(system="Answer briefly.", user="${question}", max_tokens=16)
    return store.save(label, table, title="Import", roles=ROLES, task="qa", prompt=prompt, source_hash=label + str(len(table)))


def split(one: Version) -> tuple[Examples, Examples]:
    return testing.train_rows(one), testing.test_rows(one)


def by_letters(texts: Sequence[str]) -> np.ndarray:
    return np.array([[float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz0123456789"] for text in texts])


class Listener:
    """A model that says nothing much and remembers what it was asked."""

    def __init__(self, said: Sequence[str] = ("Mira",)) -> None:
        self.said, self.asked = list(said), []

    def __call__(self, requests: Any, **how: Any) -> list[Reply]:
        self.asked += [list(chat) for chat in requests]
        return [Reply(self.said[min(len(self.asked) - 1, len(self.said) - 1)], 100, 2, 0.1, usd=0.001) for _ in requests]

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for chat in self.asked for message in chat)


def test_passages_are_whole_sentences_and_nothing_is_lost() -> None:
    text = "One is here. Two is there!\n\nThree stands alone. " + "A word " * 40 + "ends. 넷은 여기 있다."
    found = cut(text, 90)
    assert max(map(len, found)) <= 90
    assert "".join("".join(found).split()) == "".join(text.split())
    assert found[0].startswith("One is here. Two is there!")
    assert cut("  \n\n ", 90) == []
    with pytest.raises(SettingsError, match="at least 40"):
        cut(text, 10)


def test_a_whole_test_text_is_left_out_with_what_follows_it() -> None:
    text = "Before it. WHO keeps\n the house number 2? It is Osk2. " + "x " * AFTER + "The end."
    (clear,), left = without_tests([text], ["Who keeps the house number 2?", "Who?"])
    assert left == 1
    assert "Osk2" not in clear
    assert clear.startswith("Before it.")
    assert clear.endswith("The end.")
    assert without_tests(["Nobody asks. Who? he said"], ["Who?"]) == (["Nobody asks. Who? he said"], 0)
    assert without_tests(["a\nWho? Osk2"], ["Who?"])[1] == 1
    assert without_tests([text], []) == ([text], 0)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("name", "search"), [("retrieval", "text"), ("retrieval", "meaning"), ("passages", "text"), ("passages", "meaning"),
                                              ("fewshot", "")])  # fmt: skip
def test_no_target_of_a_test_row_ever_stands_in_a_prompt(name: str, search: str) -> None:
    one = saved()
    train, test = split(one)
    model = Listener()
    given: dict[str, Any] = {"prompt": one.prompt, "complete": model, "encode": by_letters if search == "meaning" else None}
    if name == "passages":
        given["passages"] = passages.read(Source(), one, train, test).passages
    predictor = make(name, {"search": search} if search else None, **given).fit(train)
    predictor.predict(test.without_targets())
    assert len(model.asked) == len(test)
    assert not [answer for answer in test.targets or () if str(answer) in model.text]
    assert any(str(answer) in model.text for answer in train.targets or ())


@pytest.mark.usefixtures("home")
def test_a_file_and_a_version_that_hold_the_test_questions_give_none_of_their_answers(tmp_path: Path) -> None:
    one, table = saved(), facts()
    train, test = split(one)
    planted = tmp_path / "all.md"
    lines = [f"{question}\nAnswer: {answer}" for question, answer in zip(table["question"], table["answer"], strict=True)]
    planted.write_text("\n\n".join([*lines, "A harmless line on boats."]), encoding="utf-8")
    unsplit = table.drop(columns="split").assign(context=[line.replace("\n", " ") for line in lines])
    other = store.save("Other", unsplit, title="Import", roles=Roles(text=("context",), target="answer"), task="qa", source_hash="o")
    for source in (Source("file", str(planted)), Source("version", other.id)):
        found = passages.read(source, one, train, test)
        held = "\n".join(passage.text for passage in found.passages)
        assert found.left_out >= 8
        assert not [answer for answer in test.targets or () if str(answer) in held]
    with pytest.raises(SettingsError, match="right answers"):
        passages.read(Source("version", other.id, "answer"), one, train, test)
    with pytest.raises(SettingsError, match="right answers"):
        passages.read(Source("train", column="answer"), one, train, test)


@pytest.mark.usefixtures("home")
def test_of_a_split_version_only_train_rows_are_read_and_each_text_once() -> None:
    one = saved(facts().assign(context=lambda t: [f"{part} text" if part == "test" else "The same text for all." for part in t["split"]]))
    found = passages.read(Source(), one, *split(one))
    assert found.passages == (Passage("The same text for all.", "train row 1"),)
    again = passages.read(Source("version", one.id), None, *split(one))
    assert again.passages[0].source.endswith("train row 1")


def test_sources_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.pdf").write_text("x")
    (tmp_path / "c.txt").write_text(" ")
    train = examples(facts().drop(columns="split"), Roles(text=("context",), target="answer"), "qa")
    for name, kind, why in (("a.txt", DataError, "UTF-8"), ("b.pdf", DataError, "no .txt"), ("c.txt", DataError, "no text"),
                            ("d.txt", MissingError, "no file")):  # fmt: skip
        with pytest.raises(kind, match=why):
            passages.read(Source("file", str(tmp_path / name)), None, train, train)
    with pytest.raises(SettingsError, match="Name it"):
        Source("file")
    with pytest.raises(SettingsError, match="one of train, file, version"):
        Source("web", "x")
    with pytest.raises(SettingsError, match="no column 'page'"):
        passages.read(Source("train", column="page"), None, train, train)


def test_passages_stand_numbered_before_the_question_the_nearest_first() -> None:
    train = examples(facts().drop(columns="split"), Roles(text=("question",), target="answer"), "qa")
    texts = (Passage("Boats are red.", "a"), Passage("The house number 3 is kept by Ruhe.", "b"), Passage("House number 3 is old.", "c"))
    model = Listener()
    prompt = Prompt(system="Be brief.", user="${question}")
    made = make("passages", {"shots": 2}, prompt=prompt, complete=model, passages=texts).fit(train)
    made.predict(train.take([3]).without_targets())
    (chat,) = model.asked
    assert [one["role"] for one in chat] == ["system", "user"]
    said = chat[-1]["content"]
    assert said.index("[1] ") < said.index("[2] ") < said.index("Who keeps the house number 3")
    assert "Boats" not in said


def test_solved_rows_are_spread_drawn_or_the_shortest_and_always_from_train() -> None:
    train = examples(facts().drop(columns="split"), Roles(text=("context",), target="answer"), "qa")
    shown = {}
    for choose in ("spread", "lot", "shortest"):
        made = FewShot(Prompt(), Listener(), shots=3, choose=choose, seed=1).fit(train)
        shown[choose] = [one.place for one in made.shown(train.take([0]).without_targets())[0]]
        assert shown[choose] == made.places_
    lengths = [len(text) for text in train.text]
    assert [lengths[place] for place in shown["shortest"]] == sorted(lengths)[:3]
    assert len({tuple(places) for places in shown.values()}) == 3
    with pytest.raises(SettingsError, match="spread, lot, shortest"):
        FewShot(Prompt(), Listener(), choose="best")


@pytest.mark.usefixtures("home")
def test_what_was_shown_is_kept_row_by_row_with_its_tokens() -> None:
    one = saved()
    train, test = split(one)
    given = {"passages": passages.read(Source(), one, train, test).passages}
    made = prompting.run_prompted(one, one.prompt or Prompt(), Listener(), title="Looker", predictor="passages", settings={"shots": 2},
                                  given=given)  # fmt: skip
    shown = evaluations.shown(made.id, 1)
    assert [one.source for one in shown] == [one.source for one in shown if one.source.startswith("train row ")]
    assert len(shown) == 2
    assert evaluations.shown(made.id, 999) == []
    account = made.notes["asked"]
    assert account["prompt_tokens_most"] == 100
    assert account["usd"] == pytest.approx(0.001 * len(test))
    plain = prompting.run_prompted(one, one.prompt or Prompt(), Listener(), title="Plain")
    assert evaluations.shown(plain.id, 1) == []


@pytest.mark.usefixtures("home")
def test_an_unreadable_reply_is_asked_for_again_and_both_are_paid(home: Path) -> None:
    one = version("regression")
    asked: list[Any] = []

    def complete(requests: Any, **how: Any) -> list[Reply]:
        asked.append(list(requests))
        return [Reply("no idea" if len(chat) == 1 else "12", 10, 2, 0.1, usd=0.01) for chat in requests]

    home.mkdir(exist_ok=True)
    journal = home / "replies.jsonl"
    how = prompting.How(retries=2)
    made = prompting.run_prompted(one, Prompt(user="Price?\n$text"), complete, title="Twice", how=how, journal=journal)
    assert [len(batch) for batch in asked] == [12, 12]
    assert asked[1][0][-1]["content"] == "That cannot be read. Answer with one number and nothing else."
    assert made.answers["guess"].tolist() == [12.0] * 12
    assert made.answers["tokens_in"].tolist() == [20] * 12
    account = made.notes["asked"]
    assert (account["asked_again"], account["read_then"]) == (12, 12)
    assert account["usd"] == pytest.approx(0.24)
    prompting.run_prompted(one, Prompt(user="Price?\n$text"), complete, title="Twice", how=how, journal=journal)
    assert len(asked) == 2, "a second run with the same journal asks nothing"
    once = prompting.run_prompted(one, Prompt(user="Price?\n$text"), complete, title="Once")
    assert set(once.answers["status"]) == {"unread"}


@pytest.mark.usefixtures("home")
def test_the_job_asks_any_address_with_its_settings_and_tells_them_in_the_title() -> None:
    one = saved()
    with Loopback() as server:
        request = {
            "dataset": one.dataset,
            "version": one.id,
            "names": ["fewshot", "retrieval", "passages"],
            "settings": {"fewshot": {"shots": 2, "choose": "shortest"}, "retrieval": {"shots": 3}, "passages": {"shots": 2}},
            "provider": {"name": "compatible", "base_url": server.url, "model": "small"},
            "prompt": {"system": "Say one name.", "max_tokens": 7},
            "retries": 1,
            "source": Source().to_dict(),
        }
        job = jobs.start("baselines", request, title="Baselines", dataset=one.dataset, environment=for_child(server.url, KEY))
        assert job.state == "done", job.error
        assert not (job.result or {})["failed"]
        bodies = list(server.asked)
    found = {made.predictor: made for made in evaluations.of(one.dataset)}
    assert found["fewshot"].title == "small few-shot (2, shortest, own prompt, asked again)"
    assert found["retrieval"].title == "small + retrieval (3, own prompt, asked again)"
    assert found["passages"].notes["passages_left_out"] == 0
    assert found["passages"].notes["source"]["kind"] == "train"
    assert found["passages"].settings["prompt"]["system"] == "Say one name."
    assert bodies
    assert all(made.answers["status"].isin(["ok", "unread"]).all() for made in found.values())


def test_impossible_settings_are_told() -> None:
    with pytest.raises(SettingsError, match="0 to 3"):
        asking.retries_of({"retries": 9})
    with pytest.raises(SettingsError, match="no field style"):
        asking.changed(Prompt(), {"style": "bold"})
    with pytest.raises(SettingsError, match="at least 1"):
        asking.changed(Prompt(), {"max_tokens": 0})
    with pytest.raises(SettingsError, match="one of text, meaning"):
        make("retrieval", {"search": "smell"}, prompt=Prompt(), complete=Listener())
    with pytest.raises(SettingsError, match="sentence encoder"):
        make("retrieval", {"search": "meaning"}, prompt=Prompt(), complete=Listener())
    assert asking.titled("retrieval", {"settings": {"retrieval": {"search": "meaning"}}}) == "SmolLM2 + retrieval (by meaning)"
    assert asking.titled("forest", {"retries": 2}) == "Random forest"
