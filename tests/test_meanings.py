"""How near two texts are in meaning: the quick way gives the library's own numbers, and a trial asks for them as the run does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.augment.presets import AugmentSettings
from core.io import augmenting, encoder, meanings, minilm, store
from core.io.augmenting import Writer
from core.version import Roles, Version
from tests.loopback import KEY, Loopback
from tests.test_augmenting import start

SAID = {
    "The soup was cold and the waiter brought us the bill before we had finished eating":
        ["The troop was told and the water brought up the hill before we had finished meeting",
         "Our soup came cold, and the bill arrived with the waiter while we were still eating"],
    "The film was long and the ending of it was sad for all of us":
        ["The firm was strong and the lending of it was had by all of us", "That film went on for long and ended in a way that made all of us sad"],
    "A room with a view of the harbour costs more in the summer":
        ["A broom with a few of the barbers costs more in the hummer", "In the summer a room with a harbour view costs more"],
}  # fmt: skip
"""Text -> one that looks like it and means something else, and one that says the same."""

pytestmark = pytest.mark.skipif(not encoder.installed(), reason="the encoder's package is not installed")


def three_texts() -> Version:
    rows = pd.DataFrame({"text": [*SAID, "kept aside"], "answer": list("abca"), "split": ["train"] * 3 + ["test"]})
    return store.save("Three", rows, title="Split", roles=Roles(text=("text",), target="answer", split="split"), task="classification",
                      source_hash="three")  # fmt: skip


def answer(messages: list[dict[str, str]]) -> str:
    return json.dumps(next(said for text, said in SAID.items() if text in messages[-1]["content"]))


def test_the_quick_way_gives_the_vectors_of_the_library() -> None:
    drawn = random.Random(0)
    words = (
        "the",
        "kettle",
        "lamp",
        "water",
        "hotel",
        "room",
        "slow",
        "film",
        "waiter",
        "bill",
        "is",
        "was",
        "not",
        "뜨거운",
        "물",
        "café",
        "30m",
    )
    texts = [" ".join(drawn.choice(words) for _ in range(drawn.randint(1, 30))) for _ in range(30)]
    texts += ["", "!!!", "word " * 600, "한국어 문장입니다. 서울에 있어요.", "x" * 3000]
    assert np.abs(minilm.encode(texts) - encoder.encoder()(texts)).max() < 1e-5
    assert minilm.encode([]).shape == (0, 384)


def test_a_text_has_the_same_vector_in_whatever_company() -> None:
    alone, among = minilm.encode(["a short text"]), minilm.encode(["a short text", "a much longer text " * 20])
    assert np.abs(alone[0] - among[0]).max() < 1e-5


def test_a_trial_judges_by_meaning_exactly_as_the_run_does(home: Path) -> None:
    version, settings = three_texts(), AugmentSettings("text", variants=2)
    with Loopback(answer=answer) as server:
        tried = augmenting.try_rows(version, settings, Writer("compatible", "small", server.url), key=KEY)
        job = start(version, server, settings=settings)
        augmenting.judged(version, settings, job.folder, meaning=meanings.remembered(job.folder, meanings.MOST))
    ran, _ = augmenting.review(version, settings, job.folder)
    assert tried.judged["gate"].tolist() == ["meaning", ""] * 3
    assert tried.judged[["variant", "gate", "values"]].equals(ran[["variant", "gate", "values"]])


def test_korean_texts_are_not_judged_by_meaning() -> None:
    assert meanings.cosines([("서울에 있는 높은 건물은 무엇인가요?", "서울에서 가장 높은 건물의 이름은?")]) == [None]


def test_a_few_cosines_need_none_of_the_large_libraries() -> None:
    program = ("import sys; from core.io import meanings\n"
               "assert meanings.cosines([('the hotel room was clean and quiet when we came back in the evening', 'the quiet hotel room was clean when we came back at night')])[0] > 0.9\n"
               "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)")  # fmt: skip
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[1])
