"""Is a fine-tuned model worth it on these rows? The answer first, then what it rests on; every word follows from a number.

Rules: no verdict while 1 % or more of any model's answers were lost to errors. The fine-tuned model is compared with every
other model on the headline, Holm-adjusted over all of them. "Yes" needs it better than the best of the others; "No" needs
it worse than that or than a constant; everything else is "Cannot tell yet" with the rows that would tell. Nothing here
looks beyond the board: no promise about other data, other seeds or other prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core import format as fmt
from core.compare import wording
from core.compare.board import Board, Pair, Row
from core.compare.pairs import against, find, turned
from core.compare.wording import named, scored, upper

FEW = 30
"""Test rows below which the verdict says that there are few."""


@dataclass(frozen=True)
class Badge:
    text: str
    icon: str
    color: str


@dataclass(frozen=True)
class Verdict:
    headline: str
    sentences: tuple[str, ...]
    """At most four."""
    badges: tuple[Badge, ...]
    strong: tuple[str, ...] = ()
    """Stretches of the sentences to be set bold."""
    kind: str = "open"
    """yes | no | open | withheld | none"""
    best: tuple[Row, ...] = ()
    """The best model of each family, the best first."""

    @property
    def text(self) -> str:
        """Headline and sentences as one paragraph."""
        return " ".join([self.headline, *self.sentences])


def verdict(board: Board, *, leak: str | None = None) -> Verdict:
    """The verdict of a board. `leak`: "clean", "warn" or "blocked" when train and test rows were compared, else None."""
    best = tuple(next(row for row in board.rows if row.family == family) for family in dict.fromkeys(row.family for row in board.rows))
    badges = _badges(board, leak)
    lost = [row for row in board.rows if row.incomplete]
    if lost:
        headline, sentences = _withheld(board, lost)
        return Verdict(headline, sentences, badges, kind="withheld", best=best)
    tuned = [row for row in board.rows if row.family == "tuned"]
    if not tuned:
        kind, headline, sentences, strong = _without_tuned(board)
    else:
        kind, headline, sentences, strong = _with_tuned(board, tuned[0])
    if board.n < FEW:
        sentences.append(
            f"{upper(fmt.plural(board.n, 'test row'))} {'is' if board.n == 1 else 'are'} few: only large differences can show."
        )
    return Verdict(headline, tuple(sentences[:4]), badges, tuple(dict.fromkeys(strong)), kind, best)


def _withheld(board: Board, lost: Sequence[Row]) -> tuple[str, tuple[str, ...]]:
    said = [f"{named(row, board.rows, start=True)} has no answer for {fmt.count(row.errors)} of {fmt.count(row.n)} rows because of errors."
            for row in lost[:2]]  # fmt: skip
    more = f"So do {fmt.plural(len(lost) - 2, 'other model')}." if len(lost) > 2 else ""
    return "No verdict yet. Some answers are missing.", (*said, *([more] if more else []), "Ask for them again, or leave the model out.")


def _badges(board: Board, leak: str | None) -> tuple[Badge, ...]:
    out = {
        "clean": [Badge("Clean: no test row in train", "gpp_good", "green")],
        "warn": [Badge("The leakage check warns: see Curate", "error", "yellow")],
        "blocked": [Badge("Test rows stand in train", "gpp_bad", "red")],
    }.get(leak or "", [])
    tuned = [row for row in board.rows if row.family == "tuned"]
    seeds = {row.evaluation.seed for row in tuned}
    if tuned and len(seeds) < 3:
        out.append(Badge(f"{fmt.plural(len(seeds), 'seed')}: training variance unknown", "casino", "gray"))
    out.append(
        Badge(f"{fmt.plural(len(board.rows), 'model')}, {fmt.plural(max(0, len(board.rows) - 1), 'comparison')}", "functions", "gray")
    )
    if board.n < board.test_rows:
        out.append(Badge(f"On {fmt.count(board.n)} of {fmt.count(board.test_rows)} test rows", "filter_alt", "gray"))
    return tuple(out)


Said = tuple[str, str, list[str], list[str]]
"""kind, headline, sentences, strong stretches"""


def _without_tuned(board: Board) -> Said:
    """Nothing is fine-tuned yet: what there is to beat."""
    others = [row for row in board.rows if row.family != "trivial"]
    constant = _constant(board)
    if not others:
        top = board.best
        said = [f"{named(top, board.rows, start=True)} {scored(board, top)}.", "Everything else has to beat that. Run the baselines next."]
        return "none", "Only constants have answered so far.", said, [wording.score(board, top)]
    top = others[0]
    sentences = [f"It {scored(board, top)}{_interval(board, top)}."]
    strong = [wording.score(board, top)]
    pairs = against(board, top.id)
    headline = f"{named(top, board.rows, start=True)} is the one to beat."
    if constant:
        pair = turned(_need(find(pairs, constant.id)))
        if pair.verdict != "better":
            headline = "Nothing beats a constant yet."
            sentences = [f"{named(top, board.rows, start=True)} {scored(board, top)}."]
        sentences.append(f"{named(constant, board.rows, start=True)} {scored(board, constant)}: {named(top, board.rows)} is {pair.verdict} "
                         f"({wording.evidence(board, pair)}).")  # fmt: skip
        strong.append(pair.verdict)
    if len(others) > 1:
        pair = turned(_need(find(pairs, others[1].id)))
        sentences.append(f"It is {wording.compared(board, pair, others[1])}.")
        strong.append(pair.verdict)
    sentences.append("No fine-tuned model has answered these rows yet.")
    return "none", headline, sentences, strong


def _with_tuned(board: Board, tuned: Row) -> Said:
    pairs = against(board, tuned.id)  # every other model minus the fine-tuned one
    others = [row for row in board.rows if row.family in ("classical", "prompted", "people")]
    top, constant = (others[0] if others else None), _constant(board)
    pair = turned(_need(find(pairs, top.id))) if top else None
    beside = turned(_need(find(pairs, constant.id))) if constant else None
    if constant and beside and beside.verdict != "better" and (pair is None or pair.verdict != "worse"):
        return _no_better_than_constant(board, tuned, constant, beside, others)
    if top is None or pair is None:
        return _only_a_constant_beside(board, tuned, constant, beside)
    first, then = (tuned, top) if pair.verdict == "better" else (top, tuned)
    sentences = [
        f"{named(first, board.rows, start=True)} {scored(board, first)}; {named(then, board.rows)} {scored(board, then, again=True)}."
    ]
    strong = [wording.score(board, top), wording.score(board, tuned)]
    if pair.verdict == "not distinguishable":
        sentences.append(f"A difference of {wording.gap(board, pair)} is not distinguishable from none ({wording.evidence(board, pair)}).")
        strong.append("not distinguishable")
    else:
        sentences.append(f"The difference of {wording.gap(board, pair)} is real ({wording.evidence(board, pair)}).")
    kind, headline = _answer(board, tuned, top, pair, all(turned(one).verdict == "better" for one in pairs))
    return kind, headline, sentences + _extras(board, tuned, top, constant, pairs, strong), strong


def _answer(board: Board, tuned: Row, top: Row, pair: Pair, beats_all: bool) -> tuple[str, str]:
    me, them = named(tuned, board.rows), named(top, board.rows)
    if pair.verdict == "better" and board.headline.unit == "share":
        return "yes", f"Yes. {named(tuned, board.rows, start=True)} is right on {wording.score(board, tuned)}; " \
                      f"nothing else passes {wording.score(board, top)}."  # fmt: skip
    if pair.verdict == "better":
        whom = "everything else here" if beats_all else f"{them}, the best of the others"
        return "yes", f"Yes. {named(tuned, board.rows, start=True)} is {wording.closer(board)} than {whom}."
    if pair.verdict == "worse":
        return "no", f"Not on this data. {named(top, board.rows, start=True)} is {wording.closer(board)}{_price(tuned, top)}."
    more = wording.more_rows(pair)
    return "open", f"Cannot tell yet. {upper(more)}." if more else f"Cannot tell. {upper(me)} and {them} are too close on these rows."


def _price(tuned: Row, top: Row) -> str:
    mine, theirs = tuned.usd_per_1000 or 0.0, top.usd_per_1000 or 0.0
    if top.family == "people":
        return ""
    if theirs == 0:
        return ", and free"
    if theirs < mine:
        return ", and cheaper"
    return f", at {fmt.cost(theirs)} per 1,000 answers"


def _no_better_than_constant(board: Board, tuned: Row, constant: Row, pair: Pair, others: Sequence[Row]) -> Said:
    me, them = named(tuned, board.rows), named(constant, board.rows)
    headline = f"Not on this data. {upper(them)} is {wording.closer(board)}."
    if pair.verdict == "not distinguishable":
        headline = "Cannot tell yet. The fine-tuned model is not distinguishable from a constant."
    sentences = [f"{upper(me)} {scored(board, tuned)}; {them} {scored(board, constant)}.",
                 f"The difference is {wording.gap(board, pair)} ({wording.evidence(board, pair)})."]  # fmt: skip
    if others:
        sentences.append(f"Best of the others: {named(others[0], board.rows)} {scored(board, others[0])}.")
    more = wording.more_rows(pair)
    if more:
        sentences.append(f"{upper(more)} tell whether it learnt anything.")
    kind = "no" if pair.verdict == "worse" else "open"
    return kind, headline, sentences, [wording.score(board, tuned), wording.score(board, constant)]


def _only_a_constant_beside(board: Board, tuned: Row, constant: Row | None, beside: Pair | None) -> Said:
    sentences = [f"{named(tuned, board.rows, start=True)} {scored(board, tuned)}{_interval(board, tuned)}."]
    if constant is None or beside is None:
        return "open", "Cannot tell yet. Nothing else has answered these rows.", [*sentences, "Run the baselines first."], []
    sentences.append(f"{named(constant, board.rows, start=True)} {scored(board, constant)} ({wording.evidence(board, beside)}).")
    return ("open", "Better than a constant. What something cheaper could do is not measured yet.",
            [*sentences, "Run the baselines to see it."], [wording.score(board, tuned)])  # fmt: skip


def _extras(board: Board, tuned: Row, top: Row, constant: Row | None, pairs: Sequence[Pair], strong: list[str]) -> list[str]:
    """What tuning changed, the other family at its best, the constant: the rest of four sentences."""
    out = []
    base = untuned(board, tuned)
    if base and base.id != top.id:
        pair = turned(_need(find(pairs, base.id)))
        unread = f" and leaves {fmt.share(base.unread / base.n, base.n)} unread" if base.unread else ""
        helped = {"better": "Fine-tuning did help the model", "worse": "Fine-tuning made the model worse"}
        lead = helped.get(pair.verdict, "Whether fine-tuning helped the model is not distinguishable")
        out.append(f"{lead}: untuned it {scored(board, base)}{unread}.")
    families = {top.family, "tuned", "trivial"}
    for row in board.rows:
        if row.family not in families and (base is None or row.id != base.id):
            families.add(row.family)
            pair = turned(_need(find(pairs, row.id)))
            out.append(f"{named(tuned, board.rows, start=True)} is {wording.compared(board, pair, row)}.")
            strong.append(pair.verdict)
    if constant:
        pair = turned(_need(find(pairs, constant.id)))
        if pair.verdict == "better":
            out.append(f"{named(constant, board.rows, start=True)} {scored(board, constant)}.")
        else:
            beside = wording.compared(board, pair, constant)
            out.insert(0, f"{named(tuned, board.rows, start=True)} is {beside}, which {scored(board, constant)}.")
    return out


def untuned(board: Board, tuned: Row) -> Row | None:
    """The prompted model that the fine-tuned one was made from, the best of its prompts; None when it did not answer."""
    bases = _models(tuned)
    return next((row for row in board.rows if row.family == "prompted" and _models(row) & bases), None)


def _models(row: Row) -> set[str]:
    """What the model behind a row is called: as its settings and notes name it, and as its title begins."""
    one = row.evaluation
    told = {one.settings.get("model"), one.notes.get("model"), one.notes.get("base")}
    start = [one.title.split(word)[0].strip() for word in (" fine-tuned", " prompted", " few-shot", " + retrieval") if word in one.title]
    return {str(name) for name in (*told, *start) if name}


def _constant(board: Board) -> Row | None:
    return next((row for row in board.rows if row.family == "trivial"), None)


def _interval(board: Board, row: Row) -> str:
    value = row.values[board.metrics[0]]
    told = fmt.interval(value.low, value.high, board.unit_of(board.metrics[0]), prose=True)
    return f" {told}" if told != "n/a" else ""


def _need(pair: Pair | None) -> Pair:
    if pair is None:
        raise ValueError("every model of the board has a comparison")
    return pair
