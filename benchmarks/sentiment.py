"""Sentiment by fine-tuning: how many epochs pay? English (imdb) and Korean (nsmc) reviews as prompt/completion files, LoRA of the built-in
model after 1, 2 and 4 epochs, and the base without training, on the same test rows.

1,000 train rows and 390 test rows of each, short texts, drawn with a seed, as many of each label, no text twice. One run of four epochs
at a constant rate keeps the adapter of every epoch, so that epochs differ in nothing else. Reported: accuracy, macro-F1 and the perplexity
of the right completion (the label's tokens and the end of the turn), each with its interval, and the minutes of training until then.
Every raw answer is kept in benchmarks/answers/sentiment.jsonl. FINETUNE_STUDIO_DATA names the folder that holds the two data sets;
without them nothing is measured. About 40 minutes on two cores.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

TRAIN, TEST, EPOCHS = 1_000, 390, (1, 2, 4)
LABELS = ("negative", "positive")
KEPT = Path(__file__).parent / "answers" / "sentiment.jsonl"
SETS = {"imdb": ("imdb/imdb_train.csv.gz", ",", "review", "sentiment", 400), "nsmc": ("nsmc/ratings.txt.gz", "\t", "document", "label", 50)}
"""Name -> file, separator, text column, label column, the longest text in characters."""
ASKED = "{text}\n\nIs this review positive or negative?"


def drawn(name: str, folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(train rows, test rows) as {prompt, completion}."""
    import pandas as pd

    path, separator, text, label, longest = SETS[name]
    table = pd.read_csv(folder / path, sep=separator, dtype="str", keep_default_na=False)
    table = table[(table[text].str.len() <= longest) & (table[text].str.strip() != "")].drop_duplicates(text)
    named = table[label].replace({"0": LABELS[0], "1": LABELS[1]})
    parts = [table[named == one].sample((TRAIN + TEST) // 2, random_state=0)[text].tolist() for one in LABELS]
    rows = [{"prompt": ASKED.format(text=text), "completion": one} for pair in zip(*parts, strict=True)
            for text, one in zip(pair, LABELS, strict=True)]  # fmt: skip
    return rows[:TRAIN], rows[TRAIN:]


def tuned(train: list[dict[str, str]], place: Path) -> tuple[dict[int, Path], dict[int, float]]:
    """Epoch -> the adapter's folder, and epoch -> minutes of training until then, without what was measured between."""
    import time

    from core.finetune.rows import chats_of, supervised
    from core.finetune.settings import TrainSettings
    from core.io.commands import read_data
    from core.io.commands.finetune import _recorded
    from core.io.embedded import model_dir, tokenizer
    from core.io.embedded.generate import encode, render
    from core.io.lora.standing import Run, Told
    from core.io.lora.training import train as learn

    file = place / "train.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in train), encoding="utf-8")
    words, each = tokenizer(model_dir()), TRAIN // 8
    settings = TrainSettings(epochs=max(EPOCHS), batch=8, learning_rate=5e-4, schedule="constant", packing=True, evaluate_every=each,
                             checkpoint_every=each, keep="each", keep_best=False)  # fmt: skip
    chats = _recorded(read_data(str(file))[0])
    made = supervised(*chats_of(chats), "", lambda chat, prefix: render(words, chat, prefix), lambda texts: encode(words, texts),
                      words.eos_token_id, settings.max_tokens)  # fmt: skip
    marks: dict[int, float] = {}

    def tell(told: Told) -> None:
        if told.loss is not None:
            marks[told.step] = time.perf_counter()

    start = time.perf_counter()
    # a row to measure on, because an adapter is kept where something is measured
    learn(Run(model_dir(), made.rows, made.rows[:1], settings, each * max(EPOCHS), place / "run"), tell)
    folders = {epoch: place / "run" / f"step-{epoch * each:06d}" for epoch in EPOCHS}
    return folders, {epoch: (marks[epoch * each] - start) / 60 for epoch in EPOCHS}


def asked(test: list[dict[str, str]], adapter: Path | None) -> list[str]:
    from core.io.embedded import engine

    chats = [[{"role": "user", "content": row["prompt"]}] for row in test]
    return [one.text for one in engine().complete(chats, adapter=adapter, max_tokens=8, stop_at_newline=True)]


def surprises(test: list[dict[str, str]], adapter: Path | None) -> list[Any]:
    """How surprised the model is by each right completion, the end of the turn counted."""
    from core.evaluate.perplexity import Surprise
    from core.io.embedded import engine

    chats = [[{"role": "user", "content": row["prompt"]}] for row in test]
    found = engine().log_probabilities([row["completion"] for row in test], adapter=adapter, before=chats, end=True)
    return [Surprise(-sum(one), len(one), len(row["completion"].encode())) for one, row in zip(found, test, strict=True)]


def judged(name: str, arm: str, test: list[dict[str, str]], adapter: Path | None, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of accuracy, macro-F1 and perplexity of one model; its answers are added to `kept`."""
    from core.evaluate.answers import make_answers
    from core.evaluate.intervals import measure
    from core.evaluate.perplexity import perplexity
    from core.predict.prompted import prediction

    said = asked(test, adapter)
    kept += [{"set": name, "model": arm, "row": i, "truth": row["completion"], "said": one}
             for i, (row, one) in enumerate(zip(test, said, strict=True))]  # fmt: skip
    read = [prediction("classification", _reply(one), "", LABELS) for one in said]
    answers = make_answers("classification", [row["completion"] for row in test], [one.value for one in read], labels=LABELS)
    found = measure(answers, ["accuracy", "macro_f1"])
    found["perplexity"] = perplexity(surprises(test, adapter))
    return [{"name": f"sentiment.{name}_{arm}_{metric}", "what": f"{name}, {arm.replace('_', ' ')}: {metric.replace('_', '-')}, "
             f"95 % {one.low:.3f} to {one.high:.3f}", "n": f"{one.n} test rows", "value": f"{one.value:.3f}"}
            for metric, one in found.items()]  # fmt: skip


def _reply(text: str) -> Any:
    from core.reply import Reply

    return Reply(text, 0, 0, 0.0, "stop")


def measured() -> list[dict[str, Any]]:
    from core.io.embedded import ensure_converted

    folder = Path(os.environ.get("FINETUNE_STUDIO_DATA", ""))
    if not (folder / SETS["imdb"][0]).is_file():
        print("FINETUNE_STUDIO_DATA names no folder with imdb and nsmc", file=sys.stderr)
        return []
    ensure_converted()
    lines: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for name in SETS:
        train, test = drawn(name, folder)
        lines += judged(name, "base", test, None, kept)
        with tempfile.TemporaryDirectory() as place:
            places, minutes = tuned(train, Path(place))
            for epoch, adapter in places.items():
                lines += judged(name, f"{epoch}_epoch{'s' * (epoch > 1)}", test, adapter, kept)
                lines.append({"name": f"sentiment.{name}_{epoch}_minutes", "what": f"{name}: training, {epoch} of 4 epochs, {TRAIN:,} rows",
                              "n": f"{epoch * TRAIN // 8} updates", "value": f"{minutes[epoch]:.1f}", "unit": "min"})  # fmt: skip
                print(name, json.dumps([one["value"] for one in lines[-4:]]), file=sys.stderr, flush=True)
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept), encoding="utf-8")
    return lines


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("FINETUNE_STUDIO_HOME", home)
        for line in measured():
            print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
