"""What training puts into a model: 120 train questions and 120 test questions of the sample *Know it*, answered by the base and by the
adapter of the quick preset, judged by exact match after the normalisation of the metric.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

ASKED = 120


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("FINETUNE_STUDIO_HOME", home)
        for line in measured():
            print(json.dumps(line))


def measured() -> list[dict[str, object]]:
    """A line for each of base and adapter on each of train and test rows, and the training time."""
    from core.evaluation import drawn
    from core.io import demo
    from core.io.embedded import engine
    from core.io.lora import prompt_of, runs
    from core.io.testing import test_rows, train_rows

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    version = demo.prepare("facts", say)
    tuned = demo.tune(version, say)
    adapter = runs.adapter(tuned["adapter"])
    prompt = prompt_of(version)
    lines: list[dict[str, object]] = [{"name": "closed_book_training", "what": "quick preset on Know it", "n": f"{tuned['steps']} steps",
                                       "value": f"{adapter.seconds / 60:.1f}", "unit": "min"}]  # fmt: skip
    for split, whole in (("train", train_rows(version)), ("test", test_rows(version))):
        rows = whole.take(drawn(len(whole), ASKED))
        for who, folder in (("base", None), ("adapter", adapter.folder)):
            requests = [prompt.question(values) for values in rows.without_targets().rows()]
            said = engine().complete(requests, adapter=folder, stop_at_newline=True, max_tokens=prompt.max_tokens, prefix=prompt.prefix)
            right = sum(exact(reply.text, str(target)) for reply, target in zip(said, rows.targets or (), strict=True))
            lines.append({"name": f"closed_book_{who}_{split}", "what": f"Know it, {split} questions answered exactly by the {who}",
                          "n": f"{len(rows)} questions", "value": f"{right} of {len(rows)}", "unit": "right"})  # fmt: skip
    return lines


def exact(said: str, truth: str) -> bool:
    from core.evaluate.text import is_korean, normal

    return normal(said, korean=is_korean(truth)) == normal(truth, korean=is_korean(truth))


if __name__ == "__main__":
    main()
