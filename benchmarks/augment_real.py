"""What the built-in model and a person's chat were good for: 50 English reviews written by the one, 5 Korean questions by the other.

Two samples, saved as versions and measured: *Star it* with the paraphrase request and the built-in model, one variant per row; *Know
it* by hand with the short Korean request, its reply written down below as a chat gave it to be pasted. The effect is that of the cheap
model of each task. Nothing here is chosen afterwards: the rows are drawn by the seed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from typing import Any

ROWS = int(os.environ.get("ROWS", "50"))
PASTED = "benchmarks/augment_real_ko.txt"


def cpu() -> float:
    """Seconds of processor this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def english() -> list[dict[str, Any]]:
    """The built-in model on 50 train rows of *Star it*."""
    from core.augment.presets import AugmentSettings
    from core.io import batches, children, effect, jobs, projects, store
    from core.io.augmenting import Writer

    version = split(projects.open_sample("stars", 1_000))
    column = version.roles.text[-1]
    settings = AugmentSettings(column, variants=1, one_each=True, temperature=0.4, rows=ROWS)
    writer = Writer("embedded", "SmolLM2-135M-Instruct")
    asked = {"settings": settings.to_dict(), "writer": writer.to_dict(), "budget": None}
    request = {"dataset": version.dataset, "version": version.id, **asked}
    start, used = time.perf_counter(), cpu()
    job = jobs.start("augment", request, title="Write variants", dataset=version.dataset)
    seconds, used = time.perf_counter() - start, cpu() - used
    assert job.state == "done", job.error
    one = batches.batch(version, job.id)
    frame, told = batches.reviewed(version, one)
    show(frame)
    rows = batches.accepted(version, one)
    found: list[dict[str, Any]] = [
        line("augment_real.english", f"built-in model, one paraphrase of each of {ROWS} English reviews: kept by the gates; stopped: "
             f"{told.rejected}; {seconds:.0f} s, {used:.0f} s of processor", f"{told.written} variants", told.accepted, "kept")
    ]  # fmt: skip
    if len(rows):
        made = children.save(version, rows, settings, writer, rejected=told.rejected, usd=0.0, job=job.id)
        measured = effect.saved_effect(made)
        print(measured.sentence, file=sys.stderr)
        found.append(effect_line("augment_real.english_effect", measured))
    assert store.find(version.id) is not None
    return found


def korean() -> list[dict[str, Any]]:
    """Five questions of *Know it* by hand: the request copied, the reply pasted."""
    from pathlib import Path

    from core.augment.presets import AugmentSettings
    from core.io import batches, by_hand, children, effect, projects, store
    from core.io.augmenting import Writer

    whole = split(projects.open_sample("facts", 400))
    rows = store.frame(whole)
    korean = rows[whole.roles.text[0]].str.contains("[가-힣]").tolist()
    rows = rows.take([place for place, one in enumerate(korean) if one]).reset_index(drop=True)
    version = store.save("Know it, Korean", rows, title="Korean rows", roles=whole.roles, task=whole.task, source_hash="korean")
    settings = AugmentSettings(version.roles.text[0], "paraphrase_ko_classic", variants=3, rows=5)
    [request] = by_hand.hand_requests(version, settings, 5)
    print(request.text, file=sys.stderr)
    if not Path(PASTED).exists():
        return []
    pasted = by_hand.paste(version, settings, request, Path(PASTED).read_text(encoding="utf-8"))
    one = batches.batches(version)[0]
    frame, told = batches.reviewed(version, one)
    show(frame)
    rows = batches.accepted(version, one)
    made = children.save(version, rows, settings, Writer("hand"), rejected=told.rejected, usd=0.0, job=one.id)
    measured = effect.saved_effect(made)
    print(measured.sentence, file=sys.stderr)
    return [
        line("augment_real.korean", f"by hand, three paraphrases of each of 5 Korean questions: kept by the gates; stopped: "
             f"{told.rejected}; rows the reply left out: {len(pasted.missing)}", f"{told.written} variants", told.accepted, "kept"),
        effect_line("augment_real.korean_effect", measured),
    ]  # fmt: skip


def effect_line(name: str, found: Any) -> dict[str, Any]:
    """The difference with its interval."""
    what = f"{found.title} of {found.predictor}, {found.new_rows} such rows beside {found.train_rows}, minus without: {found.word}"
    gap = found.difference
    return line(name, what, f"{gap.n} test rows", round(gap.value, 4), found.unit, [gap.low, gap.high])


def split(version: Any) -> Any:
    """The sample as it comes where it is split, else four parts in five for training."""
    from core.curate.recipe import Recipe
    from core.curate.steps import make
    from core.io import curating

    return version if version.splits.get("train") else curating.save(version, Recipe((make("split"),)))


def line(name: str, what: str, n: str, value: float, unit: str, spread: list[float] | None = None) -> dict[str, Any]:
    return {"name": name, "what": what, "n": n, "value": value, "unit": unit, **({"spread": spread} if spread else {})}


def show(frame: Any) -> None:
    """Every variant with its gate, for whoever wants to look."""
    for _, row in frame.iterrows():
        print(f"{row['gate'] or 'kept':16} {row['original'][:110]!r}\n{'':16} {row['variant'][:110]!r}", file=sys.stderr)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FINETUNE_STUDIO_HOME"], os.environ["FINETUNE_STUDIO_JOBS"] = folder, "inline"
        begun = cpu()
        for part in (korean, english):
            for one in part():
                print(json.dumps(one, ensure_ascii=False), flush=True)
        print(f"{cpu() - begun:.0f} s of processor", file=sys.stderr)


if __name__ == "__main__":
    main()
