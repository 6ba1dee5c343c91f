"""Must a language model be used here? "An LLM must beat the baseline to be worth using", answered from what has been measured.

Two comparisons: the best classical model against the best constant, and the best prompted model against the baseline, which is
the better of those two. Each is paired on the rows both answered and Holm-adjusted over all models that could have been the best,
because the best of several is picked on the same rows. Not known here: fine-tuned models (see `verdict`), other prompts, other data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import format as fmt
from core.compare.beside import answers_on, beside, shared
from core.compare.board import INCOMPLETE_FROM, Pair
from core.compare.wording import SPOKEN, more_rows, upper
from core.evaluate.intervals import FULL
from core.evaluate.metrics import METRICS, value_of
from core.evaluation import Evaluation
from core.task import task

FEW = 30
"""Shared rows below which the answer says that there are few."""


@dataclass(frozen=True)
class Answer:
    kind: str
    """yes | no | open (an LLM was compared); bar | floor (none was: what it has to beat; nothing beats a constant); withheld"""
    headline: str
    sentences: tuple[str, ...]
    strong: tuple[str, ...] = ()
    """Stretches of the sentences to be set bold."""

    @property
    def text(self) -> str:
        return " ".join([self.headline, *self.sentences])


def answer(
    ones: Sequence[Evaluation], *, unit: str = "number", groups: Mapping[int, object] | None = None, seed: int = 0, count: int = FULL
) -> Answer | None:
    """The answer that these evaluations of one test allow; None while no classical model and constant have answered."""
    families = {name: [one for one in ones if one.family == name] for name in ("trivial", "classical", "prompted")}
    trivial, classical, prompted = (_best(found) for found in families.values())
    say = _Say(unit, groups, seed, count)
    if trivial is None and classical is None:
        return None
    if trivial is None or classical is None:
        if prompted is None:
            return None
        baseline, lines, strong, floor = classical or trivial, [], [], None
        assert baseline is not None
    else:
        floor = say.pair(families["classical"], trivial)[classical.id]
        lines, strong = [say.sentence(classical, trivial, floor)], [floor.verdict]
        baseline = classical if METRICS[floor.metric].better(floor.difference) else trivial
    lost = [one for one in families["prompted"] if _errors(one) >= max(1, INCOMPLETE_FROM * one.n)]
    asked = [one for one in families["prompted"] if one not in lost]
    pairs = say.pair(asked, baseline) if asked else {}
    model = say.closest(asked, pairs)
    withheld = [f"{one.title} has no answer for {fmt.count(_errors(one))} of {fmt.plural(one.n, 'row')} because of errors, and is left out."
                for one in lost]  # fmt: skip
    if model is None:
        return _bar(say, classical, trivial, floor, lines, withheld, strong)
    return _said(say, model, baseline, pairs[model.id], [*lines, *withheld], strong)


def _bar(say: _Say, classical: Evaluation | None, trivial: Evaluation | None, floor: Pair | None, lines: list[str], withheld: list[str],
         strong: list[str]) -> Answer | None:  # fmt: skip
    """No language model was compared: what one would have to beat."""
    if classical is None or trivial is None or floor is None:
        return None
    ways = {
        "better": ("bar", f"A language model has to beat {name(classical)} to be worth using."),
        "worse": ("floor", "Nothing cheap beats a constant here."),
        "not distinguishable": ("floor", "Cannot tell yet whether anything cheap beats a constant."),
    }
    kind, headline = ways[floor.verdict]
    more = withheld or ["No language model has answered these rows yet."]
    return Answer("withheld" if withheld else kind, headline, (*lines, *more, *_few(floor.n)), tuple(strong))


def _said(say: _Say, model: Evaluation, baseline: Evaluation, pair: Pair, lines: list[str], strong: list[str]) -> Answer:
    kind, headline = {
        "better": ("yes", f"{name(model)} beats the baseline on these rows."),
        "worse": ("no", "No: the best language model asked so far does not beat the baseline."),
        "not distinguishable": ("open", "Cannot tell yet whether a language model beats the baseline."),
    }[pair.verdict]
    price = _price(model)
    sentences = [*lines, say.sentence(model, baseline, pair), *([price] if price else []), *_few(pair.n)]
    return Answer(kind, headline, tuple(sentences), tuple(dict.fromkeys([*strong, pair.verdict])))


def name(one: Evaluation, *, start: bool = False) -> str:
    """The model in a sentence; `start`: at its beginning. A title stays as it is."""
    said = SPOKEN.get(one.predictor) if one.family in ("trivial", "classical") else None
    return one.title if said is None else upper(said) if start else said


def _best(ones: Sequence[Evaluation]) -> Evaluation | None:
    """The best by the headline over the rows each answered; among those of most rows."""
    if not ones:
        return None
    whole = max(one.n for one in ones)
    headline = METRICS[task(ones[0].task).headline]

    def order(one: Evaluation) -> tuple[float, str]:
        value = value_of(headline.name, answers_on(one, one.answers["index"].tolist()))
        return (headline.rank(value) if math.isfinite(value) else math.inf), one.title

    return min((one for one in ones if one.n == whole), key=order)


def _errors(one: Evaluation) -> int:
    return one.answers["status"].tolist().count("error")


def _price(one: Evaluation) -> str:
    """What the model charges, where it does."""
    paid = [float(value) for value in one.answers["usd"].dropna().tolist()] if "usd" in one.answers else []
    total = sum(paid)
    return f"It costs {fmt.cost(1000 * total / one.n)} per 1,000 answers; the baseline is free." if total > 0 else ""


def _few(n: int) -> list[str]:
    return [f"{upper(fmt.plural(n, 'test row'))} {'is' if n == 1 else 'are'} few: only large differences can show."] if n < FEW else []


@dataclass(frozen=True)
class _Say:
    """How pairs are compared and put into words."""

    unit: str
    groups: Mapping[int, object] | None
    seed: int
    count: int

    def pair(self, others: Sequence[Evaluation], reference: Evaluation) -> dict[str, Pair]:
        return beside(others, reference, groups=self.groups, seed=self.seed, count=self.count)

    def closest(self, ones: Sequence[Evaluation], pairs: Mapping[str, Pair]) -> Evaluation | None:
        """The one with the best difference; among equals the first by title."""
        known = [one for one in ones if one.id in pairs]
        return min(known, key=lambda one: (METRICS[pairs[one.id].metric].rank(pairs[one.id].difference), one.title), default=None)

    def sentence(self, a: Evaluation, b: Evaluation, pair: Pair) -> str:
        """Both values on the rows they share, the difference with its interval, the word, and what it rests on."""
        places = shared(a, b)
        mine, theirs = (self.value(pair.metric, value_of(pair.metric, answers_on(one, places)), pair.n) for one in (a, b))
        adjusted = f", Holm-adjusted over {pair.comparisons}" if pair.comparisons > 1 else ""
        evidence = f"(paired on {fmt.plural(pair.n, 'row')}, {fmt.p_value(pair.p_adjusted)}{adjusted})"
        gap, more = self.gap(pair), more_rows(pair)
        if pair.verdict == "not distinguishable":
            ending = f"a difference of {gap}, not distinguishable from none {evidence}" + (f"; {more} tell" if more else "")
        else:
            way = "less" if pair.difference < 0 else "more"
            ending = f"{gap} {way}, {pair.verdict} {evidence}"
        return f"{self.did(pair, name(a, start=True), mine, name(b), theirs)}: {ending}."

    def did(self, pair: Pair, a: str, mine: str, b: str, theirs: str) -> str:
        """What the two did, with their numbers."""
        one = METRICS[pair.metric]
        if one.name == "mae":
            return f"{a} misses by {mine} on average, {b} by {theirs}"
        if one.name in ("accuracy", "exact_match"):
            return f"{a} is right on {mine}{' rows' if pair.n < 30 else ' of the rows'}, {b} on {theirs}"
        return f"{a} reaches {mine} in {one.title.lower()}, {b} {theirs}"

    def value(self, metric: str, value: float, n: int) -> str:
        return fmt.metric(self.of(metric), value, n)

    def gap(self, pair: Pair) -> str:
        """The size of the difference with its interval: "$37.1 [33.0, 41.2]"; shares in points."""
        low, high = sorted((pair.low, pair.high)) if pair.difference >= 0 else sorted((-pair.low, -pair.high))
        unit, size = self.of(pair.metric), abs(pair.difference)
        if unit == "share":
            ends = [fmt.signed(f"{100 * end:.1f}") for end in (low, high) if math.isfinite(end)]
            return f"{100 * size:.1f} points " + (f"[{', '.join(ends)}]" if len(ends) == 2 else "(no interval)")
        ends = fmt.interval(low, high, unit, prose=True) if math.isfinite(low) and math.isfinite(high) else "(no interval)"
        return f"{fmt.metric(unit, size)} {ends}"

    def of(self, metric: str) -> str:
        return self.unit if METRICS[metric].unit == "target" else METRICS[metric].unit
