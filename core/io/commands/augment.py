"""`augment DATA --column C`: variants of train rows by any writer, gated, as files and as a new version."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.augment.presets import PRESETS

if TYPE_CHECKING:
    from core.augment.presets import AugmentSettings
    from core.io.augmenting import Writer
    from core.io.jobs import Job
    from core.version import Version

HELP = "write variants of train rows with a language model, keep what passes the gates"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("data", metavar="DATA", help="a file, or the id of a version; rows marked validation or test are never used")
    parser.add_argument("--out", default="augmented", metavar="DIR", help="folder for the results (default: augmented)")
    parser.add_argument("--column", required=True, help="the column whose text is varied")
    parser.add_argument("--variants", type=int, default=3, help="variants per row (default 3)")
    parser.add_argument("--target", help="the answer or label column of a file (versions know it)")
    parser.add_argument("--task", choices=("regression", "classification", "qa", "chat"), help="what a file's target is (default: guessed)")
    parser.add_argument("--provider", default="embedded", help="embedded (default), openai or compatible")
    parser.add_argument("--model", default="", help="the writer's model")
    parser.add_argument("--base-url", default="", help="address of a compatible server; its key is read from the environment")
    parser.add_argument("--preset", default="paraphrase", help=f"what to ask for (default paraphrase): {', '.join(PRESETS)}")
    parser.add_argument("--total", type=int, default=100, help="new_rows: how many in all (default 100)")
    parser.add_argument("--description", default="", help="new_rows: what the rows are about, in sentences")
    parser.add_argument("--batch", action="store_true", help="everything in one batch within a day, at half the price (openai)")
    parser.add_argument("--prompt", help="an instruction of your own with $text and ${n}")
    parser.add_argument("--to", type=int, default=0, help="balance: train rows each class should have (default: the largest class)")
    parser.add_argument("--rows", type=int, default=0, help="at most that many train rows (default: all)")
    parser.add_argument("--budget", type=float, metavar="USD", help="stop before this is passed")
    parser.add_argument("--temperature", type=float, help="default 0.9, for the built-in model 0.4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--estimate", action="store_true", help="say what it would take and stop")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """The estimate {rows, requests, tokens_in, tokens_out, usd, minutes}, or {accepted, rejected, usd, files}."""
    from core.augment.presets import AugmentSettings
    from core.io import augmenting, jobs
    from core.io.augmenting import Writer
    from core.io.providers import entry

    proposed = entry(args.provider).model
    usual = 0.4 if args.provider == "embedded" else 0.9
    temperature = usual if args.temperature is None else args.temperature
    writer = Writer(args.provider, args.model or proposed, args.base_url, batch=args.batch)
    settings = AugmentSettings(args.column, args.preset, args.variants, args.to, user=args.prompt, one_each=args.provider == "embedded",
                               temperature=temperature, rows=args.rows, seed=args.seed, total=args.total,
                               description=args.description)  # fmt: skip
    version = _version(args)
    planned = augmenting.asks(version, settings)
    told = augmenting.estimated(planned, writer)
    if args.estimate:
        return {"rows": told.rows, "requests": told.requests, "tokens_in": told.tokens_in, "tokens_out": told.tokens_out, "usd": told.usd,
                "minutes": round(told.minutes, 2)}  # fmt: skip
    request = {"dataset": version.dataset, "version": version.id, "settings": settings.to_dict(), "writer": writer.to_dict(),
               "budget": args.budget}  # fmt: skip
    job = _follow(jobs.start("augment", request, title="Write variants", dataset=version.dataset), say)
    return _results(version, settings, writer, job, Path(args.out), say)


def _version(args: argparse.Namespace) -> Version:
    """The version itself, or the file as one of the workspace; a file without a split column counts as train rows."""
    from core.errors import DataError
    from core.io import store
    from core.io.commands import read_data
    from core.task import labels_of, targets_of
    from core.version import SPLITS, Roles, digest

    rows, found = read_data(args.data)
    if found is not None:
        return found
    for column in (args.column, *([args.target] if args.target else [])):
        if column not in rows:
            raise DataError(f"{args.data} has no column '{column}'; it has {', '.join(map(str, rows.columns))}.", title="No such column")
    if "split" not in rows or not set(rows["split"].astype("str")) <= set(SPLITS):
        rows = rows.assign(split="train")
    few = args.target and len(labels_of(targets_of("classification", rows[args.target].dropna().tolist()))) <= max(20, len(rows) // 20)
    task = args.task or ("classification" if few else "qa") if args.target else None
    roles = Roles(text=(args.column,), target=args.target, split="split")
    content = digest([rows.astype("str").to_numpy().tolist(), list(map(str, rows.columns))])
    return store.save(
        Path(args.data).name, rows, title="Import", roles=roles, task=task, source={"file": Path(args.data).name}, source_hash=content
    )


def _follow(job: Job, say: Callable[[str], None]) -> Job:
    """Tell how it goes; a run that ended early (budget, a failing endpoint) keeps what it has."""
    from core.io import jobs

    told = ""
    try:
        while job.alive:
            line = f"{job.message} {job.step:,} of {job.total:,}, ${job.figures.get('usd') or 0:.4f}"
            if line != told:
                say(line)
            told = line
            time.sleep(1)
            job = jobs.read(job.id)
    except KeyboardInterrupt:
        jobs.cancel(job.id)
        raise
    return job


def _results(
    version: Version, settings: AugmentSettings, writer: Writer, job: Job, out: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    from core.errors import ProviderError
    from core.export import csv_bytes, parquet_bytes
    from core.io import augmenting, batches, children, files, store

    one = batches.batch(version, job.id)
    judged, card = batches.reviewed(version, one)
    if job.state != "done":
        error = job.error or {"title": f"The run was {job.state}", "message": "Nothing was said."}
        say(f"{card.accepted} variants arrived before. `python -m core jobs resume {job.id}` asks for the rest.")
        raise ProviderError(error["message"], title=error["title"])
    totals = augmenting.summary(version, settings, job.folder)
    out.mkdir(parents=True, exist_ok=True)
    passed = batches.accepted(version, one)
    stopped = judged.take([i for i, gate in enumerate(judged["gate"].tolist()) if gate]).drop(columns=["id", "keep", "edited"])
    written = {"rejected.csv": csv_bytes(stopped)}
    if len(passed):
        made = children.save(version, passed, settings, writer, rejected=card.rejected, usd=totals["usd"], job=job.id,
                             limits=batches.limits(one))  # fmt: skip
        say(f"Saved as version {made.number} of {made.dataset} ({made.id})")
        whole = store.frame(made)
        written |= {"variants.csv": csv_bytes(whole.tail(len(passed))), "augmented.parquet": parquet_bytes(whole)}
    for name, data in written.items():
        files.atomic_write(out / name, data)
    return {
        "accepted": card.accepted,
        "rejected": dict(card.rejected),
        "usd": totals["usd"],
        "files": [str(out / name) for name in sorted(written)],
    }


def show(result: dict[str, Any]) -> str:
    """The result for people."""
    from core.format import cost, count, duration

    if "requests" in result:
        price = "price unknown" if result["usd"] is None else cost(result["usd"])
        return (f"{count(result['rows'])} rows, {count(result['requests'])} requests, {count(result['tokens_in'])} tokens in and "
                f"{count(result['tokens_out'])} out, {price}, {duration(60 * result['minutes'], about=True)}")  # fmt: skip
    stopped = ", ".join(f"{n} {gate}" for gate, n in result["rejected"].items()) or "none"
    return f"{count(result['accepted'])} variants kept, stopped: {stopped}; {cost(result['usd'])}\n" + "\n".join(result["files"])
