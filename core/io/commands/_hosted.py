"""`finetune hosted ...`: files, jobs and models at a host, from the command line. Results are the platform's own objects."""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, SettingsError
from core.finetune.hosted import HYPERPARAMETERS, MEANINGS, METHODS, Wish
from core.validate.encodings import is_tuned

if TYPE_CHECKING:
    from core.io.hosted import Tuning

Say = Callable[[str], None]
IDS = {
    "show": "a job as it stands", "events": "what a job told, oldest first", "follow": "a job's events as they come, until it ends",
    "pause": "hold a running job", "resume": "let a held job go on", "cancel": "end a job", "checkpoints": "a job's models on the way",
    "results": "the numbers of each step of a job that succeeded",
}  # fmt: skip
"""Actions that take the id of a job."""


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    upload = actions.add_parser("upload", help="check a training file and upload it")
    upload.add_argument("file", metavar="FILE")
    create = actions.add_parser("create", help="check, upload, create and follow to the end")
    create.add_argument("train", metavar="TRAIN", help="a training file, or the id of an uploaded one (file-...)")
    create.add_argument("--validation", metavar="FILE", help="a validation file, or the id of an uploaded one")
    base = create.add_mutually_exclusive_group(required=True)
    base.add_argument("--model", help="a base model, or a fine-tuned one to go on with (ft:...)")
    base.add_argument("--continue-from", metavar="MODEL", help="a fine-tuned model to go on with: ft:..., or the id of its job (ftjob-...)")
    create.add_argument("--method", choices=tuple(METHODS), default="supervised")
    for name in dict.fromkeys(name for names in HYPERPARAMETERS.values() for name in names):
        create.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="auto|N", help=MEANINGS[name])
    create.add_argument("--suffix", default="", help="becomes part of the model's name (at most 64 characters)")
    create.add_argument("--seed", type=int)
    create.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE")
    create.add_argument("--wandb-project", metavar="NAME", help="the host sends the run to this W&B project")
    create.add_argument("--grader", metavar="FILE", help="a grader as JSON, for --method reinforcement")
    create.add_argument("--no-follow", action="store_true", help="end as soon as the job is created")
    for one in (upload, create):
        one.add_argument("--force", action="store_true", help="upload although a check failed")
    listed = actions.add_parser("list", help="jobs, newest first")
    listed.add_argument("--limit", type=int, default=20)
    for name, told in IDS.items():
        actions.add_parser(name, help=told).add_argument("job", metavar="JOB", help="ftjob-...")
    for name, told in (("delete-model", "a fine-tuned model (ft:...)"), ("delete-file", "an uploaded file (file-...)")):
        one = actions.add_parser(name, help=f"delete {told} for good")
        one.add_argument("name", metavar="NAME")
        one.add_argument("--yes", action="store_true", help="do it; without this flag nothing is deleted")
    for one in actions.choices.values():
        one.add_argument("--base-url", default="", help="another address of the same protocol; its key is read from the environment")
        one.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object and nothing else on standard output"
        )


def run(args: argparse.Namespace, say: Say) -> dict[str, Any]:
    from core.io.hosted import Tuning

    if args.action.startswith("delete") and not args.yes:
        raise SettingsError(f"{args.name} would be gone for good. Add --yes to delete it.", title="Not deleted")
    with Tuning(args.base_url) as tuning:
        return _ACTIONS[args.action](tuning, args, say)


def _create(tuning: Tuning, args: argparse.Namespace, say: Say) -> dict[str, Any]:
    if args.continue_from:
        args.model = _earlier(tuning, args.continue_from)
    wish = _wish(args)
    for name in (args.train, args.validation):
        if name and not _is_id(name):
            _check(name, wish, args, say, validation=name is args.validation)
    train, validation = (_uploaded(tuning, name, say) for name in (args.train, args.validation))
    if train is None:
        raise SettingsError("No training file is named.", title="No training file")
    job = tuning.create(wish.request(train, validation, secrets.token_hex(8)))
    say(f"{job['id']}: {job.get('status')}")
    return job if args.no_follow else _follow(tuning, args, say, job["id"])


def _earlier(tuning: Tuning, name: str) -> str:
    """The fine-tuned model of that name, or of that job."""
    if name.startswith("ftjob-"):
        job = tuning.job(name)
        if not job.get("fine_tuned_model"):
            raise SettingsError(f"{name} is {job.get('status')} and has no model to go on with.", title="No model to continue")
        return str(job["fine_tuned_model"])
    if not is_tuned(name):
        raise SettingsError(
            f"{name[:80]} is no fine-tuned model: one begins with ft:. For a base model use --model.", title="No model to continue"
        )
    return name


def _is_id(name: str) -> bool:
    return name.startswith("file-") and not Path(name).exists()


def _uploaded(tuning: Tuning, name: str | None, say: Say) -> str | None:
    if name is None or _is_id(name):
        return name
    made = tuning.upload(Path(name))
    say(f"{name} is uploaded as {made['id']}")
    return made["id"]


def _wish(args: argparse.Namespace) -> Wish:
    given = {name: getattr(args, name) for name in HYPERPARAMETERS["reinforcement"] + ("beta",) if getattr(args, name) is not None}
    pairs = [text.partition("=") for text in args.metadata]
    for key, sign, _ in pairs:
        if not sign or not key:
            raise SettingsError(f"--metadata {key[:40]} is no KEY=VALUE.", title="Metadata cannot be read")
    grader: dict[str, Any] = {}
    if args.grader:
        try:
            grader = json.loads(Path(args.grader).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{args.grader} holds no grader as JSON: {error}.", title="The grader cannot be read") from error
    return Wish(args.model, args.method, {name: _number(value) for name, value in given.items()}, args.suffix, args.seed,
                {key: value for key, _, value in pairs}, {"project": args.wandb_project} if args.wandb_project else {}, grader)  # fmt: skip


def _number(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _check(name: str, wish: Wish | None, args: argparse.Namespace, say: Say, *, validation: bool = False) -> None:
    """Refuse a file the platform would refuse, before it leaves this machine."""
    from core.io.hosted import checking

    made = checking.looked_at(Path(name), wish.model if wish else "gpt-4o-mini-2024-07-18")
    if not args.force:
        checking.refuse(made, name, wish.method if wish else "", validation=validation, say=say)
        return
    for one in checking.blocking(made, validation=validation):
        say(f"FAIL  {checking.words(made, one)}")


def _upload(tuning: Tuning, args: argparse.Namespace, say: Say) -> dict[str, Any]:
    _check(args.file, None, args, say)
    return tuning.upload(Path(args.file))


def _follow(tuning: Tuning, args: argparse.Namespace, say: Say, id: str = "") -> dict[str, Any]:
    from core.io.hosted import follow, line, succeeded

    id = id or args.job

    def told(job: dict[str, Any], new: list[dict[str, Any]]) -> None:
        for one in new:
            say(line(one))

    try:
        job = follow(tuning, id, told)
    except BaseException:
        words = ["python", "-m", "core", "finetune", "hosted", "follow", id, *(["--base-url", args.base_url] if args.base_url else [])]
        say(f"The job goes on at the host. Follow it again with: {shlex.join(words)}")
        raise
    return succeeded(job)


def _deleted(tuning: Tuning, args: argparse.Namespace, say: Say) -> dict[str, Any]:
    return tuning.delete_model(args.name) if args.action == "delete-model" else tuning.delete_file(args.name)


_ACTIONS: dict[str, Callable[[Any, argparse.Namespace, Say], dict[str, Any]]] = {
    "upload": _upload,
    "create": _create,
    "follow": _follow,
    "list": lambda tuning, args, say: {"object": "list", "data": tuning.list(args.limit)},
    "show": lambda tuning, args, say: tuning.job(args.job),
    "events": lambda tuning, args, say: {"object": "list", "data": tuning.events(args.job)},
    "pause": lambda tuning, args, say: tuning.pause(args.job),
    "resume": lambda tuning, args, say: tuning.resume(args.job),
    "cancel": lambda tuning, args, say: tuning.cancel(args.job),
    "checkpoints": lambda tuning, args, say: {"object": "list", "data": tuning.checkpoints(args.job)},
    "results": lambda tuning, args, say: {"object": "list", "data": tuning.results(tuning.job(args.job))},
    "delete-model": _deleted,
    "delete-file": _deleted,
}


def show(result: dict[str, Any]) -> str:
    """An object or a list as lines for people."""
    from core.io.hosted import line

    if result.get("object") == "list":
        return "\n".join(map(_line, result["data"])) or "None."
    return line(result) if result.get("object") == "fine_tuning.job.event" else _line(result)


def _line(one: dict[str, Any]) -> str:
    kind = one.get("object")
    if kind == "fine_tuning.job":
        name = one.get("fine_tuned_model") or f"of {one.get('model')}"
        return f"{one['id']}  {one.get('status')}  {name}"
    if kind == "fine_tuning.job.event":
        return f"{one.get('level', 'info'):5} {one.get('message', '')}"
    if kind == "fine_tuning.job.checkpoint":
        return f"step {one.get('step_number')}  {one.get('fine_tuned_model_checkpoint')}"
    if one.get("deleted"):
        return f"{one.get('id')} is deleted."
    if kind == "file":
        return f"{one.get('id')}  {one.get('filename')}  {one.get('bytes'):,} bytes"
    return "  ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in one.items())
