"""`baselines TRAIN TEST`: everything cheap on the same test rows, with intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.io.commands import _asked

if TYPE_CHECKING:
    import pandas as pd

    from core.evaluation import Evaluation
    from core.prediction import Examples, Predictor
    from core.version import Roles

HELP = "measure constants, classical models and language models on the same test rows"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("train", metavar="TRAIN", help="a file or a version id (its train rows)")
    parser.add_argument("test", metavar="TEST", help="a file or a version id (its test rows)")
    parser.add_argument("--text", metavar="COL", action="append", help="a text column; may be given more than once")
    parser.add_argument("--target", metavar="COL", help="the column to predict")
    parser.add_argument("--task", choices=("regression", "classification", "qa"))
    parser.add_argument("--category", metavar="COL", help="a column of categories, for features and constants per category")
    parser.add_argument("--feature", metavar="COL", action="append", default=[], help="a further column for engineered features")
    parser.add_argument("--only", metavar="a,b", help="names of predictors (default: those that need no language model)")
    parser.add_argument("--predictor", metavar="file.py:name", action="append", default=[], help="a function of a row of your own")
    parser.add_argument(
        "--recorded",
        metavar="CSV",
        action="append",
        default=[],
        help="answers recorded elsewhere: guess (or raw) by index from 0, by id, or every row in order",
    )
    parser.add_argument("--reader", choices=("strict", "first-number"), default="strict",
                        help="how recorded numbers are read; first-number as the pricing course did, 0 where there is none")  # fmt: skip
    parser.add_argument("--set", metavar="NAME.SETTING=VALUE", action="append", default=[],
                        help='a setting of one predictor; the value is JSON or text, as in features_linear.off=["brand"], '
                        "features_linear.made+='long = len(text) > 500' (+= adds to a list) or neighbours.k=3")  # fmt: skip
    parser.add_argument("--limit", type=int, default=250, help="test rows a language model answers (default 250)")
    _asked.arguments(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="DIR", help="write predictions.csv, one CSV per predictor, and looks_at.csv there")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.errors import SettingsError
    from core.io.own_predictor import load
    from core.predict.questions import context_column
    from core.predict.registry import PREDICTORS, names_for

    train, test = _rows(args)
    with redirect_stdout(sys.stderr):
        own = [load(name) for name in args.predictor]
    names = [name.strip() for name in (args.only or "").split(",") if name.strip()]
    if not args.only:
        usual = names_for(train.task, default=True, context=context_column(train.roles) is not None)
        names = [name for name in usual if not PREDICTORS[name].needs]
    if args.recorded and not args.only:
        names = []
    if args.only and not names and not own:
        raise SettingsError("--only names no predictor.", title="Nothing to run")
    settings = _settings(args.set, names)
    with redirect_stdout(sys.stderr):  # what a function of one's own prints is no part of the result
        made = [
            _measured(title, predictor, train, test, say, args, settings.get(title, {}))
            for title, predictor in _predictors(names, own, (train, test), args, settings, say)
        ]
    made += [one for name in args.recorded for one in _recorded(name, args, train, test)]
    if args.out:
        _write(Path(args.out), made, say)
    return {"predictors": [_told(one, args.seed) for one in made]}


def _settings(texts: list[str], names: list[str]) -> dict[str, dict[str, Any]]:
    """NAME.SETTING=VALUE as settings by predictor. Raises SettingsError for another shape, or a predictor that does not run."""
    import json
    import re

    from core.errors import SettingsError

    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        parts = re.fullmatch(r"(\w+)\.(\w+)(\+?)=(.*)", text, re.S)
        if not parts or parts[1] not in names:
            why = f"{parts[1]} is not among the predictors that run: {', '.join(names)}" if parts else "it is not NAME.SETTING=VALUE"
            raise SettingsError(f"--set {text[:80]}: {why}.", title="Which setting?")
        try:
            value = json.loads(parts[4])
        except ValueError:
            value = parts[4]
        mine = found.setdefault(parts[1], {})
        before = mine.get(parts[2], [])
        mine[parts[2]] = [*(before if isinstance(before, list) else [before]), value] if parts[3] else value
    return found


def _rows(args: argparse.Namespace) -> tuple[Examples, Examples]:
    """Train and test rows with targets; roles come from the options, else from a version."""
    from core.errors import SettingsError
    from core.io.commands import read_data
    from core.io.store import find
    from core.prediction import examples

    versions = [None if Path(name).is_file() else find(name) for name in (args.train, args.test)]
    tables = [
        read_data(name, split)[0] if version is None or version.roles.split else read_data(name)[0]
        for name, version, split in zip((args.train, args.test), versions, ("train", "test"), strict=True)
    ]
    known = next((version for version in versions if version), None)
    roles = _roles(args, known.roles if known else None)
    task = args.task or (known.task if known else None)
    if not task:
        raise SettingsError("Say what is predicted with --task regression, classification or qa.", title="Which task?")
    train = examples(tables[0].reset_index(drop=True), roles, task)
    return train, examples(tables[1].reset_index(drop=True), roles, task, train.labels)


def _roles(args: argparse.Namespace, known: Roles | None) -> Roles:
    from dataclasses import replace

    from core.version import Roles

    base = known or Roles()
    return replace(
        base,
        text=tuple(args.text) if args.text else base.text,
        target=args.target or base.target,
        category=args.category or base.category,
        features=tuple(args.feature) or base.features,
    )


def _predictors(
    names: list[str], own: list[Any], rows: tuple[Examples, Examples], args: argparse.Namespace, settings: dict[str, dict[str, Any]],
    say: Callable[[str], None],
) -> list[tuple[str, Predictor]]:  # fmt: skip
    """Title and fresh predictor, in the order asked for. Raises SettingsError for a name that cannot answer this task."""
    from core.errors import SettingsError
    from core.io.store import find
    from core.predict.registry import entry, make, names_for

    train, version = rows[0], None if Path(args.test).is_file() else find(args.test)
    found: list[tuple[str, Predictor]] = []
    for name in names:
        kind = entry(name)
        if train.task not in kind.tasks:
            raise SettingsError(
                f"'{name}' cannot answer {train.task}. Choose among {', '.join(names_for(train.task))}.", title="Wrong task"
            )
        given: dict[str, Any] = {}
        if "encode" in kind.needs:
            from core.io.encoder import encoder

            given = {"encode": encoder()}
        elif "complete" in kind.needs:
            given = _asked.given(name, args, settings.get(name, {}), rows, version, say)
        found.append((name, make(name, settings.get(name), seed=args.seed, **given)))
    return [*found, *own]


def _measured(
    title: str, predictor: Predictor, train: Examples, test: Examples, say: Callable[[str], None], args: argparse.Namespace,
    settings: dict[str, Any],
) -> Evaluation:  # fmt: skip
    from core.evaluation import Evaluation, answers_frame, drawn, test_id
    from core.io.prompting import How, answered
    from core.io.testing import declared_labels, measure, target_range

    speaks = hasattr(predictor, "complete")
    asked = drawn(len(test), args.limit if speaks else None)
    rows = test.take(asked)
    say(f"{title}: {len(train):,} train rows, {len(rows):,} test rows")
    found: Any = answered(predictor, train, rows, How(retries=args.retries), lambda done, total, told: say(told), title) if speaks \
        else measure(predictor, train, rows)  # fmt: skip
    shown = [[one.__dict__ for one in some] for some in found.shown] if speaks else []
    notes = {"asked": dict(found.account), "shown": shown} if speaks else found.notes
    return Evaluation(
        title, title, title, "people", "", "", train.task, test_id(test), len(test), answers_frame(rows, found.predictions, asked),
        declared_labels(train, test), target_range(train), fit_seconds=found.fit_seconds, predict_seconds=found.predict_seconds,
        train_rows=len(train), settings=settings, notes=notes,
        probability_labels=train.labels if any(p.probabilities for p in found.predictions) else (),
    )  # fmt: skip


def _recorded(name: str, args: argparse.Namespace, train: Examples, test: Examples) -> list[Evaluation]:
    """Answers of a file as evaluations beside those that were measured here."""
    from dataclasses import replace

    from core.evaluate.joined import recorded
    from core.io.recorded import read_table
    from core.io.testing import declared_labels, target_range

    column = test.roles.id
    ids = test.frame[column].tolist() if column and column in test.frame else None
    labels = declared_labels(train, test)
    found = recorded(read_table(name), Path(name).name, test, ids=ids, id_column=column, labels=labels, reader=args.reader)
    return [replace(one, test_rows=len(test), target_range=target_range(train), train_rows=len(train)) for one in found]


def _told(one: Evaluation, seed: int) -> dict[str, Any]:
    from core.evaluate.answers import answers_of
    from core.evaluate.intervals import measure

    answers = answers_of(one)
    return {
        "predictor": one.predictor,
        "metrics": {name: value.to_dict() for name, value in measure(answers, seed=seed).items()},
        "n": one.n,
        "coverage": float(answers.read.mean()),
        "seconds": round(one.fit_seconds + one.predict_seconds, 3),
        **({"asked": one.notes["asked"]} if "asked" in one.notes else {}),
    }


def _write(folder: Path, made: list[Evaluation], say: Callable[[str], None]) -> None:
    """Long-form predictions, all in one file and one file per predictor; what was shown to language models as shown.jsonl."""
    import json

    import pandas as pd

    from core.io.files import atomic_write, slug

    folder.mkdir(parents=True, exist_ok=True)
    tables = [_spread(one).assign(model=one.title) for one in made]
    tables = [table[["model", *(name for name in table.columns if name != "model")]] for table in tables]
    atomic_write(folder / "predictions.csv", pd.concat(tables, ignore_index=True).to_csv(index=False))
    for one, table in zip(made, tables, strict=True):
        atomic_write(folder / f"{slug(one.title)}.csv", table.to_csv(index=False))
    weights = [(one.title, name, weight) for one in made for name, weight in one.notes.get("looks_at", [])]
    if weights:
        atomic_write(folder / "looks_at.csv", pd.DataFrame(weights, columns=["model", "what", "weight"]).to_csv(index=False))
    told = [{"model": one.title, "index": place, "shown": shown} for one in made
            for place, shown in zip(one.answers["index"].tolist(), one.notes.get("shown", []), strict=False) if shown]  # fmt: skip
    if told:
        atomic_write(folder / "shown.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in told))
    say(f"Predictions are in {folder}")


def _spread(one: Evaluation) -> pd.DataFrame:
    """The answers with one column per label for probabilities: "p: good"."""
    from core.prediction import PROBABILITIES

    if PROBABILITIES not in one.answers:
        return one.answers
    cells = one.answers[PROBABILITIES].tolist()
    columns = {f"p: {label}": [None if row is None else round(float(row[place]), 6) for row in cells]
               for place, label in enumerate(one.probability_labels)}  # fmt: skip
    return one.answers.drop(columns=PROBABILITIES).assign(**columns)


def show(result: dict[str, Any]) -> str:
    from core import format as fmt
    from core.evaluate.metrics import METRICS

    lines = []
    for one in result["predictors"]:
        name, value = next(iter(one["metrics"].items()))
        low, high = (float("nan") if value[end] is None else value[end] for end in ("low", "high"))
        ends = fmt.interval(low, high)
        shown = "n/a" if value["value"] is None else fmt.number(value["value"])
        lines.append(
            f"{one['predictor']:20} {METRICS[name].title:20} {shown:>8}   {ends:18} n = {one['n']:,}   {fmt.duration(one['seconds'])}"
        )
        if "asked" in one:
            mean, most = one["asked"]["prompt_tokens_mean"], one["asked"]["prompt_tokens_most"]
            size = f"prompts of {fmt.count(round(mean))} tokens on average, {fmt.count(most)} at most; " if mean and most else ""
            lines.append(
                f"{'':20} {size}{fmt.cost(one['asked']['usd'])}; {one['asked']['asked_again']} asked again, {one['asked']['read_then']} "
                f"read then; {one['asked']['remembered']} remembered"
            )
    return "\n".join(lines)
