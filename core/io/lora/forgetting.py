"""Forgetting, measured: base and adapter read two shipped pages of general prose and answer forty general questions.

Texts and questions are in general.json beside this file. Each sentence is read after the ones of its paragraph before it, and what
the base does is remembered in the workspace, so that it is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.evaluate.perplexity import Surprise
from core.finetune.forgetting import Question, questions_told, right, texts_told
from core.io import files
from core.io.embedded import engine, facts, tokenizer
from core.io.embedded.generate import encode
from core.io.embedded.weights import model_dir
from core.io.lora import bases, runs
from core.version import digest

if TYPE_CHECKING:
    from core.io.work import Desk

TITLE = "Measuring what was forgotten"
RESULT = "forgetting.json"
TOKENS = 24
"""The longest answer to a general question; the first line counts."""
Say = Callable[[int, int, str], None]


@lru_cache(maxsize=1)
def shipped() -> tuple[dict[str, list[list[str]]], tuple[Question, ...]]:
    """Language -> paragraphs of sentences, and the questions."""
    data = files.read_json(Path(__file__).with_name("general.json"))
    return data["texts"], tuple(Question(one["language"], one["question"], tuple(one["answers"])) for one in data["questions"])


def measure(desk: Desk, made: runs.Adapter) -> dict[str, Any]:
    """What an adapter lost against its base, as `forgetting.json` of the job and in the adapter's notes; once for each job."""
    place = desk.folder / RESULT
    if not place.is_file():
        base = bases.of_adapter(made.folder) or model_dir()
        files.write_json(place, told(base, made.folder, lambda done, total, message: desk.say(done, total, message, phase="forgetting")))
    found = files.read_json(place)
    runs.note(made.id, forgetting=found)
    return found


def summary(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """{findings, perplexity: {language: [before, after]}, questions: [before, after]}; None where it was not measured."""
    if not found:
        return None
    texts, questions = found["texts"], found["questions"]
    return {
        "findings": [one["finding"] for one in [*texts, questions] if one["finding"]],
        "perplexity": {one["language"]: [one["before"], one["after"]] for one in texts},
        "questions": [questions["before"], questions["after"]],
    }


def told(base: Path, adapter: Path, say: Say) -> dict[str, Any]:
    """{texts: [{language, before, after, ...}], questions: {n, before, after, ...}}; see core.finetune.forgetting."""
    texts, questions = shipped()
    total = 2 * (sum(len(part) for paragraphs in texts.values() for part in paragraphs) + len(questions))
    say(0, total, TITLE)
    before = _of_base(base, lambda done: say(done, total, TITLE))
    after = _asked(base, adapter, lambda done: say(total // 2 + done, total, TITLE))
    read = [{language: [Surprise(*cells) for cells in side["texts"][language]] for language in texts} for side in (before, after)]
    was, now = ([right(reply, one) for reply, one in zip(side["replies"], questions, strict=True)] for side in (before, after))
    return {"texts": [texts_told(one, read[0][one], read[1][one]) for one in texts], "questions": questions_told(was, now)}


def _of_base(base: Path, say: Callable[[int], None]) -> dict[str, Any]:
    """As `_asked` without an adapter, from what was remembered of these very weights and texts where there is any."""
    from core.io.embedded.loading import resolved

    texts, questions = shipped()
    key = digest([facts(base).revision, resolved("auto"), TOKENS, texts, [one.question for one in questions]])[:16]
    place = files.folder("models") / f"general-{key}.json"
    if not place.is_file():
        files.write_json(place, _asked(base, None, say))
    return files.read_json(place)


def _asked(base: Path, adapter: Path | None, say: Callable[[int], None]) -> dict[str, Any]:
    """{texts: {language: [[nats, tokens, bytes] of each sentence]}, replies: [text of each question's answer]}"""
    texts, questions = shipped()
    live, done, found = engine(base), 0, {}
    words = tokenizer(base)
    for language, paragraphs in texts.items():
        parts = [[f" {one}" if place else one for place, one in enumerate(part)] for part in paragraphs]
        scores = live.log_probabilities(parts, adapter=adapter, progress=lambda n, of, _, done=done: say(done + n))
        done += sum(map(len, parts))
        found[language] = [cells for part, row in zip(parts, scores, strict=True) for cells in _sentences(encode(words, part), row, part)]
        say(done)
    chats = [[{"role": "user", "content": one.question}] for one in questions]
    how: dict[str, Any] = {"max_tokens": TOKENS, "stop_at_newline": True}
    replies = live.complete(chats, adapter=adapter, progress=lambda n, of, _: say(done + n), **how)
    return {"texts": found, "replies": [reply.text for reply in replies]}


def _sentences(ids: list[list[int]], scores: list[float], part: list[str]) -> list[list[float]]:
    """[nats, tokens, bytes] of each sentence of a paragraph, whose very first token nothing predicts."""
    cells, at = [], 0
    for place, (tokens, sentence) in enumerate(zip(ids, part, strict=True)):
        n = len(tokens) - (place == 0)
        cells.append([-sum(scores[at : at + n]), n, len(sentence.strip().encode())])
        at += n
    return cells
