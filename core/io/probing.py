"""A short probe: a few real training steps on this machine, so that the time of a training is measured and not guessed.

The rows are as long as the file's and their tokens made up: what a step takes depends on the number of tokens alone.
The rate is remembered with the model (`embedded.remembered_rate`), where every finished training refreshes it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.finetune.estimates import estimate
from core.finetune.rows import TrainingRow
from core.finetune.settings import PRESETS, TrainSettings
from core.io import embedded, files
from core.io.embedded.weights import offline

if TYPE_CHECKING:
    from core.io.work import Desk

STEPS, ROWS = 4, 4
"""Steps, the first of which is not counted, of so many rows each."""
ANSWER = (5, 6, 7, 2)


def run_probe(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job. Request: {length: tokens of a row}. Returns {tokens_per_second, memory, steps, length, seconds}."""
    from core.io.embedded.loading import give_back, training_here
    from core.io.lora.standing import Run, Told
    from core.io.lora.training import train

    offline()
    began = time.perf_counter()
    path = embedded.ensure_converted(lambda done, total, message: desk.say(done, total, message))
    length = max(16, min(int(request.get("length") or 200), 1024))
    rows = [TrainingRow(tuple(20 + k % 100 for k in range(length - len(ANSWER))), ANSWER, i) for i in range(ROWS)]
    marks: list[float] = []
    most = [0]

    def tell(told: Told) -> None:
        most[0] = max(most[0], told.memory)
        if told.loss is not None:
            marks.append(time.perf_counter())
            desk.say(told.step, STEPS, "Measuring how fast this machine trains")

    with desk.turn("training"), training_here(), tempfile.TemporaryDirectory() as folder:
        desk.say(0, STEPS, "Measuring how fast this machine trains")
        settings = TrainSettings(batch=ROWS, max_tokens=max(256, length), checkpoint_every=1_000_000)
        train(Run(path, rows, (), settings, STEPS, Path(folder)), tell)
        give_back()
    rate = ROWS * length * (STEPS - 1) / (marks[-1] - marks[0])
    embedded.remember_rate(path, rate)
    result = {"tokens_per_second": round(rate, 1), "memory": most[0], "steps": STEPS - 1, "length": length,
              "seconds": round(time.perf_counter() - began, 1)}  # fmt: skip
    files.write_json(files.folder("models") / "probe.json", {**result, "model": str(path), "time": time.time()})
    return result


def last() -> dict[str, Any] | None:
    """What the last probe of this workspace found with the model that is trained now; None where there was none."""
    place = files.home() / "models" / "probe.json"
    if not place.is_file():
        return None
    found = files.read_json(place)
    return found if found.get("model") == str(embedded.model_dir()) else None


def plan(rows: int, tokens: int, longest: int, epochs: int) -> dict[str, Any]:
    """{seconds, memory, steps, tokens, measured} of training on this machine with the balanced preset.

    `rows` and `tokens` are one epoch's. Unmeasured machines are guessed at; `measured` says which it is.
    """
    from core.io.device import has_bf16

    precision, rate = "bf16" if has_bf16() else "fp32", embedded.remembered_rate()
    known = embedded.facts() if embedded.is_ready() else None
    parameters, config = (known.parameters, known.config) if known else (134_515_008, BUILT_IN)
    settings = TrainSettings(**{**PRESETS["balanced"].to_dict(), "epochs": float(min(200, max(1, epochs)))})
    made = estimate(rows, tokens, longest, parameters, config, settings, precision=precision, rate=rate)
    return {"seconds": made.seconds, "memory": made.memory, "steps": made.steps, "tokens": made.tokens, "parameters": parameters,
            "measured": rate is not None, "rate": rate}  # fmt: skip


BUILT_IN = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
            "vocab_size": 49_152}  # fmt: skip
"""The built-in model's shape, for estimates before it is unpacked."""
