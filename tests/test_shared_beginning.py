"""Prompts that begin alike: the beginning is read once, and every answer is the one the prompt gets alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.io.embedded import tokenizer
from core.io.embedded.generate import Limits, answer_batch, shared_beginning
from core.io.embedded.loading import load_base
from tests.tiny import tiny_model

ALIKE = list(range(20, 44))
PROMPTS = [[*ALIKE, *range(60, 60 + n)] for n in (5, 1, 9, 3)]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> tuple[object, object]:
    folder: Path = tiny_model(tmp_path_factory.mktemp("model") / "tiny")
    return load_base(folder, "fp32"), tokenizer(folder)


def test_what_is_shared_is_counted_and_each_prompt_keeps_a_token():
    assert shared_beginning([*PROMPTS, [*ALIKE, 70]]) == len(ALIKE)
    assert shared_beginning([PROMPTS[0], PROMPTS[0]]) == len(PROMPTS[0]) - 1
    assert shared_beginning([[*ALIKE[:7], 1, 2], [*ALIKE[:7], 3]]) == 0, "too short to be worth it"
    assert shared_beginning(PROMPTS[:1]) == 0


def test_every_answer_is_the_one_its_prompt_gets_alone(model):
    limits = Limits(12)
    together = answer_batch(*model, PROMPTS, limits)
    assert together == [answer_batch(*model, [prompt], limits)[0] for prompt in PROMPTS]
    assert len({answer.text for answer in together}) > 1


def test_the_beginning_is_read_once(model, monkeypatch):
    seen = []
    real = type(model[0]).forward

    def forward(self, input_ids=None, **how):
        seen.append(tuple(input_ids.shape))
        return real(self, input_ids=input_ids, **how)

    monkeypatch.setattr(type(model[0]), "forward", forward)
    answer_batch(*model, PROMPTS, Limits(2))
    assert seen[:2] == [(1, len(ALIKE)), (4, 9)]


def test_the_drawn_answers_of_a_seed_stay_the_same(model):
    limits = Limits(6, temperature=1.0, seed=3)
    assert answer_batch(*model, PROMPTS, limits) == answer_batch(*model, PROMPTS, limits)
    assert torch.initial_seed() == 3
