"""`score PREDICTIONS GOLD`: one model's answers against the right ones, with intervals."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

HELP = "score one model's answers against the right ones, with 95 %% intervals"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("predictions", metavar="PREDICTIONS", help="CSV with index and guess (or raw), or JSON {id: answer}")
    parser.add_argument("gold", metavar="GOLD", help="a table with truth, a SQuAD or KorQuAD file, or a version id")
    parser.add_argument("--task", choices=("regression", "classification", "qa", "chat"), help="default: what the right answers look like")
    parser.add_argument("--official", choices=("korquad1", "squad1", "squad2"), help="the numbers of an official script, in percent")
    parser.add_argument(
        "--reader", choices=("first-number",), help="read numbers as the pricing course did: the first one found, 0 where there is none"
    )
    parser.add_argument("--pattern", metavar="REGEX", help="also say in how many answers this regular expression is found")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from core.errors import DataError
    from core.io import recorded

    golds = recorded.read_gold(args.gold)
    guesses, table = recorded.read_guesses(args.predictions)
    if not any(item in golds for item in guesses) and list(guesses) == [str(i) for i in range(len(guesses))]:
        guesses = dict(zip(golds, guesses.values(), strict=False))  # answers in the gold file's order, without its ids
        table = table.assign(item=list(golds)[: len(table)]) if len(table) <= len(golds) else table
    unknown = [item for item in guesses if item not in golds]
    if len(unknown) == len(guesses):
        mine, theirs = next(iter(guesses), ""), next(iter(golds), "")
        raise DataError(
            f"None of the {len(guesses)} answers belongs to an item of the gold file: the first is '{mine}', the gold file's '{theirs}'.",
            title="Nothing matches",
        )
    if unknown:
        say(f"{len(unknown)} answers belong to no item of the gold file and are left out: {', '.join(unknown[:5])}")
    absent = [item for item in golds if item not in guesses]
    if absent:
        say(f"Unanswered items that count as wrong: {len(absent)} ({', '.join(absent[:5])})")
    if args.official:
        return _official(args.official, guesses, golds)
    return _scored(args, guesses, golds, table)


def _official(name: str, guesses: dict[str, Any], golds: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    from core.evaluate.intervals import t_interval, wilson
    from core.evaluate.official import official, official_scores

    said = {item: str(text) for item, text in guesses.items() if text is not None and text == text}
    accepted = {item: [str(one) for one in (gold if isinstance(gold, (list, tuple)) else [gold])] for item, gold in golds.items()}
    scores = official_scores(name, said, accepted)
    exact, f1 = (np.array(side) for side in zip(*scores.values(), strict=True))
    values = official(name, said, accepted)
    ends = {"exact_match": wilson(round(exact.sum()), len(exact)), "f1": t_interval(f1)}
    metrics = {key: {"value": value, **{end: _number(100 * x) for end, x in zip(("low", "high"), ends[key], strict=True)}}
               for key, value in values.items()}  # fmt: skip
    return {"metrics": metrics, "n": len(scores), "coverage": sum(item in said for item in accepted) / len(accepted)}


def _number(value: float) -> float | None:
    return min(100.0, max(0.0, value)) if value == value else None


def _scored(args: argparse.Namespace, guesses: dict[str, Any], golds: dict[str, Any], table: Any) -> dict[str, Any]:
    from core.evaluate.answers import make_answers
    from core.evaluate.intervals import measure
    from core.evaluate.recorded import guess_task, read_guess
    from core.reading import read_first_number, read_reply
    from core.task import labels_of, targets_of

    several = any(isinstance(gold, (list, tuple)) for gold in golds.values())
    kind = args.task or ("qa" if several else guess_task(list(golds.values())))
    truths: list[Any] = [tuple(gold) if isinstance(gold, (list, tuple)) else str(gold) for gold in golds.values()] if several else \
                        targets_of(kind, list(golds.values()), "the gold file")  # fmt: skip
    labels = labels_of(truths) if kind == "classification" else ()
    raws = dict(zip(table["item"], table["raw"], strict=True)) if "raw" in table else {}
    states = dict(zip(table["item"], table["status"], strict=True)) if "status" in table else {}

    def answer(item: str) -> Any:
        cell = guesses.get(item)
        told = raws.get(item) or cell
        if args.reader and told is not None and states.get(item) in (None, "ok", "unread", "truncated"):
            return read_first_number(str(told)).value or 0.0  # the course's reader says 0 where there is no number
        if states.get(item) not in (None, "ok") or (cell is None and item not in raws):
            return None
        if cell is None or cell != cell:
            return None
        value = read_guess(kind, cell, labels)
        read = value is not None and (kind != "classification" or value in labels)
        return value if read or kind in ("qa", "chat") else read_reply(kind, str(cell), labels).value

    answers = make_answers(kind, truths, [answer(item) for item in golds], labels=labels)
    found = measure(answers, seed=args.seed)
    result = {"metrics": {name: one.to_dict() for name, one in found.items()}, "n": answers.n, "coverage": float(answers.read.mean())}
    return {**result, "pattern": _matching(answers, args.pattern)} if args.pattern else result


def _matching(answers: Any, pattern: str) -> dict[str, Any]:
    from core.evaluate.intervals import wilson
    from core.evaluate.structured import matching

    hits = matching(answers, pattern)
    low, high = wilson(int(hits.sum()), answers.n)
    return {"regex": pattern, "value": float(hits.mean()), "low": low, "high": high}


def show(result: dict[str, Any]) -> str:
    from core import format as fmt
    from core.evaluate.metrics import METRICS

    lines = []
    for name, one in result["metrics"].items():
        value, low, high = (float("nan") if one[key] is None else one[key] for key in ("value", "low", "high"))
        lines.append(f"{METRICS[name].title:28} {fmt.number(value):>10}   {fmt.interval(low, high)}")
    if (one := result.get("pattern")) is not None:
        lines.append(f"{'Pattern found':28} {fmt.number(one['value']):>10}   {fmt.interval(one['low'], one['high'])}")
    return "\n".join([*lines, f"{fmt.count(result['n'])} items, {fmt.share(result['coverage'])} answered"])
