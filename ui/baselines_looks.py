"""Baselines, view What it looks at: coefficients and words of linear models, importances of trees; and on what scale it learnt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import format as fmt
from core.evaluate.answers import Answers
from core.evaluation import Evaluation
from core.version import Version
from ui import charts, tables
from ui.baselines_ladder import Ranked
from ui.state import plain

BARS = 16
SILENT = {
    "embedding_linear": "It reads 384 numbers a sentence encoder makes of each text. They have no names.",
    "neighbours": "It looks at the train rows most like each row. Select a row in Worst rows to see them.",
}
"""Predictor -> why it names nothing. Others read nothing, or everything they are shown."""


def learnt(version: Version, made: Evaluation) -> str:
    """On what scale numbers were learnt, and how words were found: "Learnt on log price, chosen on held-out train rows."."""
    told, notes = [], made.notes
    if "log" in notes:
        target = version.roles.target or "the target"
        told.append(f"Learnt on log {target}" if notes["log"] else f"Learnt on {target} as it is, not its logarithm")
        told[-1] += ", chosen on held-out train rows." if notes.get("scale") == "auto" else "."
    if notes.get("tokenizer"):
        seconds = fmt.duration(notes.get("tokenizer_seconds"))
        told.append(f"Korean words parted by {notes['tokenizer']} in {seconds}, once for all models and in no model's time.")
    elif notes.get("script") == "korean":
        told.append("Korean words end at spaces here. With kiwipiepy installed, particles and endings are parted from them.")
    elif notes.get("script") == "pairs":
        told.append("Pairs of letters stand for words: this script puts no spaces between them.")
    return " ".join(told)


def looks_at(version: Version, one: Ranked, answers: Answers, table: Any) -> None:
    """The figure: what shuffling costs a model of trees, else the largest weights."""
    notes = one.evaluation.notes
    if notes.get("permutation"):
        _shuffled(version, one.evaluation)
        return
    pairs = _weights(one.evaluation)
    if not pairs:
        st.caption(SILENT.get(one.evaluation.predictor, "It names nothing that it looks at."))
        return
    pairs, label = _of_label(one.evaluation, pairs)
    top = sorted(pairs[:BARS], key=lambda pair: -pair[1])
    colors = [charts.CLASSICAL if weight >= 0 else charts.FREE[0] for _, weight in top]
    told = [_effect(version, one.evaluation, weight) for _, weight in top]
    fig = charts.bars([name for name, _ in top], [weight for _, weight in top], told, colors=colors)
    low, high = min(0.0, top[-1][1]), max(0.0, top[0][1])
    room = 0.22 * ((high - low) or 1.0)
    fig.update_layout(margin={"l": 0, "r": 0, "t": 6, "b": 0})
    fig.update_xaxes(range=[low - (room if low < 0 else 0), high + room])
    charts.show(fig, f"baselines_weights_{one.evaluation.id}_{label}", f"{pairs[0][0]} weighs most")
    st.caption(plain(_meaning(version, one.evaluation, label, [weight for _, weight in top])))


def silent(made: Evaluation) -> bool:
    """Whether a model names nothing that it looks at."""
    return not (made.notes.get("permutation") or made.notes.get("looks_at"))


def weights_table(version: Version, one: Ranked) -> None:
    """All weights the evaluation kept, or the share each word and feature has in a forest's splits."""
    import pandas as pd

    made = one.evaluation
    pairs = _weights(made)
    if made.notes.get("permutation"):
        if not pairs:
            pairs = [(str(name), float(worse)) for name, worse, _ in made.notes["permutation"]]
            st.caption("All features, in the order of the figure")
            tables.rows(pd.DataFrame(pairs, columns=["Feature", "Worse by"]), "baselines_weights", height=_tall(pairs))
            return
        st.caption("Words and features by their share of the splits, counted while it learnt")
        tables.rows(pd.DataFrame(pairs, columns=["What", "Share"]), "baselines_weights", height=_tall(pairs))
        return
    if pairs:
        labels = _labels(made, pairs)
        front = f"{st.session_state.get(_key(made), labels[0])}: " if labels else ""
        pairs = [(name.removeprefix(front), weight) for name, weight in pairs if name.startswith(front)]
        effects = [_effect(version, made, weight) for _, weight in pairs]
        frame = pd.DataFrame(pairs, columns=["What", "Weight"])
        tables.rows(frame.assign(Effect=effects) if _per_deviation(made) else frame, "baselines_weights", height=_tall(pairs))


def _shuffled(version: Version, made: Evaluation) -> None:
    """How much worse the answers get when one feature is shuffled among validation rows."""
    found = [(str(name), float(worse), float(spread)) for name, worse, spread in made.notes["permutation"]][:BARS]
    unit = fmt.unit_of(version.roles.target) if made.task == "regression" else "share"
    told = [_worse(unit, worse) for _, worse, _ in found]
    fig = charts.bars([name for name, _, _ in found], [max(worse, 0.0) for _, worse, _ in found], told)
    fig.update_traces(error_x={"type": "data", "array": [spread for *_, spread in found], "thickness": 1, "color": charts.SOFT})
    fig.update_traces(textposition="none")
    for place, text in enumerate(told):
        fig.add_annotation(x=max(found[place][1], 0.0) + found[place][2], y=place, text=text.replace("$", "&#36;"), showarrow=False,
                           xanchor="left", xshift=6, font={"size": 12, "color": charts.SOFT})  # fmt: skip
    fig.update_layout(margin={"l": 0, "r": 90, "t": 6, "b": 0})
    charts.show(fig, f"baselines_shuffled_{made.id}", f"{found[0][0]} matters most: without it {told[0]}")
    what = "the average miss grows" if made.task == "regression" else "the share right falls"
    st.caption(
        f"By how much {what} when one feature is shuffled among {fmt.plural(int(made.notes['permutation_rows']), 'validation row')}; "
        "lines: the spread over three shuffles. Features that say the same share what they are worth."
    )


def _tall(pairs: Sequence[Any]) -> int:
    """Pixels of a table of so many lines, at most eleven."""
    return 38 + 36 * min(len(pairs), 11)


def _worse(unit: str, value: float) -> str:
    if unit == "share":
        return fmt.signed(f"{100 * value:.1f} points")
    return fmt.metric(unit, value)


def _weights(made: Evaluation) -> list[tuple[str, float]]:
    return [(str(name), float(weight)) for name, weight in made.notes.get("looks_at", [])]


def _key(made: Evaluation) -> str:
    return f"baselines_label_{made.id}"


def _labels(made: Evaluation, pairs: Sequence[tuple[str, float]]) -> list[str]:
    """The labels that stand before the names of weights; [] where weights are of no label."""
    if made.task != "classification" or made.family == "trivial":
        return []
    found = [str(label) for label in made.labels if any(name.startswith(f"{label}: ") for name, _ in pairs)]
    return found if all(any(name.startswith(f"{label}: ") for label in found) for name, _ in pairs) else []


def _of_label(made: Evaluation, pairs: Sequence[tuple[str, float]]) -> tuple[list[tuple[str, float]], str]:
    """The weights of one label, without its name before each: the only one there is, or the one that is chosen."""
    labels = _labels(made, pairs)
    if not labels:
        return list(pairs), ""
    label = labels[0] if len(labels) == 1 else st.selectbox("Label", labels, key=_key(made))
    front = f"{label}: "
    return [(name.removeprefix(front), weight) for name, weight in pairs if name.startswith(front)], str(label)


def _per_deviation(made: Evaluation) -> bool:
    """Whether weights are of features in standard deviations and the answer is a number."""
    return made.predictor == "features_linear" and made.task == "regression"


def _effect(version: Version, made: Evaluation, weight: float) -> str:
    """What a weight does to the answer, where that can be said in the target's unit or in percent."""
    if made.predictor == "constant_group" and made.task == "classification":
        return fmt.share(weight)
    unit = fmt.unit_of(version.roles.target) if made.task == "regression" else "number"
    if _per_deviation(made) and made.notes.get("log"):
        return fmt.signed(f"{100 * math.expm1(weight):+.1f} %")
    if _per_deviation(made) or made.predictor == "constant_group":
        return ("+" if weight > 0 else "") + fmt.metric(unit, weight)
    return fmt.number(weight, 2)


def _meaning(version: Version, made: Evaluation, label: str, weights: Sequence[float]) -> str:
    """What a bar is, in words."""
    target = version.roles.target or "the answer"
    if made.predictor == "constant_group":
        return (
            f"How far the category's {target} is from the overall one."
            if made.task == "regression"
            else "Share of train rows it is right for."
        )
    sides = f"Blue speaks for {label}, the other colour against it." if label else f"Blue adds to {target}, the other colour takes from it."
    if min(weights) >= 0:
        sides = f"Longer speaks more for {label}." if label else "Longer weighs more."
    if _per_deviation(made):
        return f"What one standard deviation more of a feature does to {target}, the others staying as they are. {sides}"
    if made.predictor == "forest":
        return "Shares of the forest's splits, by word and feature. With validation rows, importances by shuffling stand here."
    alone = "What a row of this word alone would add."
    words = {"features_linear": "Coefficients of features in standard deviations.", "word2vec_linear": alone, "word2vec_svm": alone}
    scale = f" On the logarithm of {target}." if made.notes.get("log") else ""
    return f"{words.get(made.predictor, 'Coefficients of words.')} {sides}{scale}"
