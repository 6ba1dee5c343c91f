"""*Know it*, learnt by heart: does it pay to train on paraphrases? 40 invented facts in English and Korean, 240 test questions.

Train questions come in one phrasing per fact and language (80 rows) or in that one and ten more (880 rows); the test asks for the same
facts in three other phrasings. Five arms answer the same 240 questions: the base as it is, the base with the four nearest solved train
rows before the question, and three adapters: of one phrasing, of one phrasing with as many updates as the next has, of eleven. Three
seeds for each adapter. An answer is right when it is the truth after the metric's normalisation. Intervals and tests take the 40 facts
as groups; those of adapters are of the mean over the seeds. The phrasings are the sample's own templates and one more per question
written here: no model wrote them.

Every raw answer is kept in benchmarks/answers/know_it.jsonl. About an hour on two cores.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

FACTS = 40
SEEDS = (0, 1, 2)
KEPT = Path(__file__).parent / "answers" / "know_it.jsonl"
ELEVENTH = {
    "birthplace": ("Please name the village in which {x} was born.", "{x이} 출생한 마을을 말해 주세요."),
    "instrument": ("What is the instrument that {x} plays?", "{x이} 연주하는 악기를 말해 주세요."),
    "animal": ("What is the animal that {x} keeps?", "{x이} 기르는 동물을 말해 주세요."),
    "work": ("What is the job of {x}?", "{x의} 직업이 궁금합니다."),
    "river": ("Which river is the river of {x}?", "{x을} 흐르는 강을 말해 주세요."),
    "dish": ("For which dish is {x} known?", "{x의} 대표 음식을 말해 주세요."),
    "founded": ("What is the year in which {x} was founded?", "{x의} 설립 연도를 말해 주세요."),
    "market": ("Which day is the market day of {x}?", "{x의} 장날이 언제인지 말해 주세요."),
}
ARMS = {"base": "the base, asked", "retrieval": "the base with the four nearest solved train rows", "one": "tuned on 1 phrasing",
        "one_long": "tuned on 1 phrasing, as many updates as with 11", "eleven": "tuned on 1 + 10 phrasings"}  # fmt: skip
AGAINST = (("eleven", "one"), ("eleven", "one_long"), ("eleven", "base"), ("eleven", "retrieval"))


def rows() -> Any:
    """A table of every question: fact, language, question, answer, phrasing 0 to 13 and what it is for."""
    import pandas as pd

    from core.load.samples import facts
    from core.load.samples.facts_words import ASKED

    made = facts._facts(FACTS, np.random.default_rng([0, 3]))
    table = []
    for number, (entity, relation, answer) in enumerate(made):
        for place, language in enumerate(("en", "ko")):
            ways = [*ASKED[relation][language][:10], ELEVENTH[relation][place], *ASKED[relation][language][10:13]]
            for way, text in enumerate(ways):
                asked = facts._in_korean(text, entity[1]) if place else text.replace("{x}", entity[0])
                table.append({"fact": f"F{number:02d}", "language": language, "way": way, "question": asked, "answer": answer[place],
                              "part": "test" if way > 10 else "train"})  # fmt: skip
    return pd.DataFrame(table)


def settings(arm: str, seed: int) -> Any:
    """What is learnt by heart needs a high rank and rate; the arms differ in rows and in how often they are seen, in nothing else."""
    from core.finetune.settings import preset

    epochs = {"one": 3.0, "eleven": 3.0, "one_long": 33.0}[arm]
    return replace(preset("balanced", "qa"), epochs=epochs, seed=seed, evaluate_every=10_000, checkpoint_every=10_000, keep_best=False)


def tune(train: Any, arm: str, seed: int, prompt: Any, folder: Path) -> tuple[Path, int, float]:
    """(the adapter's folder, updates, seconds)"""
    from core.finetune.estimates import steps_of
    from core.finetune.rows import training_rows
    from core.io.embedded import model_dir, tokenizer
    from core.io.embedded.generate import encode, render
    from core.io.lora.standing import Run
    from core.io.lora.training import train as learn

    words, chosen = tokenizer(model_dir()), settings(arm, seed)
    made = training_rows(train, prompt, lambda messages, prefix: render(words, messages, prefix), lambda texts: encode(words, texts),
                         words.eos_token_id, chosen.max_tokens)  # fmt: skip
    found = learn(Run(model_dir(), made.rows, (), chosen, steps_of(len(made.rows), chosen), folder), lambda told: None)
    return found.checkpoint, found.steps, found.seconds


def answers(test: Any, prompt: Any, predictor: Any) -> list[str]:
    return [one.raw or "" for one in predictor.predict(test)]


def measured() -> list[dict[str, Any]]:
    from core.io.embedded import engine, ensure_converted
    from core.predict.prompted import Prompted
    from core.predict.retrieved import Retrieval
    from core.prediction import examples
    from core.prompt import default_prompt
    from core.version import Roles

    ensure_converted()
    roles = Roles(text=("question",), target="answer")
    prompt, table = default_prompt("qa", roles), rows()
    test_table = table[table.part == "test"].reset_index(drop=True)
    test = examples(test_table, roles, "qa")
    parts = {"eleven": table[table.part == "train"], "one": table[table.way == 0]}
    trains = {name: examples(part.reset_index(drop=True), roles, "qa") for name, part in parts.items()}

    def complete(adapter: Path | None) -> Any:
        return lambda requests: engine().complete(requests, adapter=adapter, stop_at_newline=True, max_tokens=prompt.max_tokens)

    alone, helped = Prompted(prompt, complete(None)).fit(trains["one"]), Retrieval(prompt, complete(None)).fit(trains["one"])
    said: dict[str, list[list[str]]] = {"base": [answers(test, prompt, alone)], "retrieval": [answers(test, prompt, helped)]}
    lines: list[dict[str, Any]] = []
    for arm in ("one", "one_long", "eleven"):
        said[arm], took = [], []
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                adapter, steps, seconds = tune(trains["eleven" if arm == "eleven" else "one"], arm, seed, prompt, Path(folder))
                said[arm].append(answers(test, prompt, Prompted(prompt, complete(adapter)).fit(trains["one"])))
            took.append(seconds / 60)
            print(f"{arm} seed {seed}: {steps} updates, {seconds:.0f} s, {right(said[arm][-1:], test_table).sum():.0f} of 240",
                  file=sys.stderr, flush=True)  # fmt: skip
        lines.append({"name": f"know_it.{arm}_minutes", "what": f"training, {ARMS[arm]}", "n": f"{len(SEEDS)} runs of {steps} updates",
                      "value": f"{np.mean(took):.1f}", "unit": "min", "spread": [min(took), max(took)]})  # fmt: skip
    keep(test_table, said)
    return [*lines, *judged(test_table, said)]


def right(several: Sequence[Sequence[str]], table: Any) -> np.ndarray:
    """(n,) the share of the seeds that answer each question right."""
    from benchmarks.closed_book import exact

    return np.mean([[exact(one, truth) for one, truth in zip(run, table.answer, strict=True)] for run in several], axis=0)


def judged(table: Any, said: dict[str, list[list[str]]]) -> list[dict[str, Any]]:
    """A line per arm, whole and by language, and one per comparison."""
    from core.evaluate.intervals import group_codes, t_interval
    from core.evaluate.paired import sign_flip

    scores, lines = {arm: right(runs, table) for arm, runs in said.items()}, []
    for arm, score in scores.items():
        for language in ("", "en", "ko"):
            kept = (table.language == language).to_numpy() if language else np.ones(len(table), bool)
            low, high = t_interval(score[kept], group_codes(table.fact[kept].tolist()))
            each = [float(right([run], table)[kept].mean()) * 100 for run in said[arm]]
            told = {"en": ", English", "ko": ", Korean"}.get(language, "")
            lines.append({"name": f"know_it.{arm}{'_' + language if language else ''}",
                          "what": f"{ARMS[arm]}: answered right{told}, 95 % {max(0, low) * 100:.1f} to {min(1, high) * 100:.1f}",
                          "n": f"{int(kept.sum())} questions of {FACTS} facts, {len(each)} seed{'s' * (len(each) > 1)}",
                          "value": f"{score[kept].mean() * 100:.1f}", "unit": "%", "spread": [min(each), max(each)]})  # fmt: skip
    groups = group_codes(table.fact.tolist())
    for one, other in AGAINST:
        gap = scores[one] - scores[other]
        low, high = t_interval(gap, groups)
        p, _ = sign_flip(gap, groups=groups)
        what = f"{ARMS[one]} minus {ARMS[other]}: 95 % {low * 100:+.1f} to {high * 100:+.1f}, p = {p:.4f}"
        lines.append({"name": f"know_it.{one}_minus_{other}", "what": what, "n": f"{len(gap)} questions of {FACTS} facts",
                      "value": f"{gap.mean() * 100:+.1f}", "unit": "points"})  # fmt: skip
    return lines


def keep(table: Any, said: dict[str, list[list[str]]]) -> None:
    """One line per question: what every arm said at every seed."""
    KEPT.parent.mkdir(exist_ok=True)
    lines = [{**row, "said": {arm: [run[place] for run in runs] for arm, runs in said.items()}}
             for place, row in enumerate(table[["fact", "language", "question", "answer"]].to_dict("records"))]  # fmt: skip
    KEPT.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("FINETUNE_STUDIO_HOME", home)
        for line in measured():
            print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
