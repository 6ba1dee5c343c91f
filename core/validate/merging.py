"""A report put together from pieces: the same one that `report.report` makes of all rows at once, without their texts.

Repeats, contradictions and leaks are found by fingerprints, everything else is counted row by row in the pieces. Rows stay
where they are; only the few that tell the wording of questions from their answers are read again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.validate.accounting import Tokens
from core.validate.answers import is_template, pair_of
from core.validate.file_rules import beyond_images
from core.validate.formats import FORMATS, HOSTED, UNKNOWN, Detection
from core.validate.piece import MOST_VALUES, NAMES, Guess, Pairs, Piece, Rules, shifted
from core.validate.places import Places
from core.validate.reading import TrainingFile
from core.validate.report import Report, concluded, concluded_classic
from core.validate.stems import stem_of_all


def settled_guess(pieces: Sequence[Piece]) -> Guess:
    """The format and the stem of the whole, by its pieces."""
    raw = np.concatenate([np.bincount(piece.raw + 1, minlength=len(NAMES) + 1)[None] for piece in pieces]).sum(axis=0)[1:]
    most = max(FORMATS, key=lambda name: raw[NAMES.index(name)]) if raw.any() else UNKNOWN
    return Guess(most, stem_of_all([piece.told for piece in pieces if piece.told]))


def merged(
    pieces: Sequence[Piece], file: TrainingFile, chats: Sequence[Any], rules: Rules, guess: Guess, held: np.ndarray | None = None
) -> Report:
    """The report of the whole. `guess` is what the pieces were examined with and has to be right; `held` as in `piece.Pairs.folded`."""
    codes = np.concatenate([piece.kinds for piece in pieces])
    detection = _detection(codes, guess.format)
    tokens = tokens_of(pieces)
    found: dict[str, Any] = defaultdict(Places)
    for (_, name), places in shifted(pieces).items():
        found[name] = Places(np.concatenate([found[name].array, places]))
    if rules.rules == "classic":
        return concluded_classic(file, detection, dict(found), tokens, rules.model)
    pairs, starts = _pairs(pieces), np.cumsum([0, *(piece.rows for piece in pieces)])
    found["duplicate_example"] = Places(pairs.places[repeats(pairs.example)])
    found["conflicting_answers"] = Places(pairs.places[contradictions(pairs)])
    found["answer_in_prompt"] = Places(_in_prompt(pieces, starts, pairs.places, file, chats, guess.stem))
    if detection.format != UNKNOWN:
        own = NAMES.index(detection.format)
        found["mixed_formats"] = Places(np.flatnonzero((codes >= 0) & (codes != own)))
        named = detection.format in ("chat", "reinforcement")
        found["no_format"] = Places() if named else Places(np.flatnonzero(codes < 0))
        found["not_hosted_format"] = _not_hosted(pieces, starts, codes, detection.format)
    found["too_many_image_examples"] = Places(beyond_images(_all(pieces, starts, "images")))  # type: ignore[arg-type]
    found["leak"] = Places(pairs.places[np.isin(pairs.folded, held)]) if held is not None and len(held) else Places()
    found["repeated_key"] = Places(file.repeated)
    found["too_long"] = Places(tokens.too_long)
    return concluded(file, detection, chats, found, guess.stem, tokens, rules.model, held is not None)


def _detection(codes: np.ndarray, most: str) -> Detection:
    kinds = tuple(None if code < 0 else NAMES[code] for code in codes.tolist())
    return Detection(most, Counter(kinds)[most] / len(kinds) if most != UNKNOWN else 0.0, kinds)


def tokens_of(pieces: Sequence[Piece]) -> Tokens:
    """The tokens of all rows, places counted through."""
    made: dict[str, Any] = {}
    before = np.cumsum([0, *(piece.rows for piece in pieces)])
    for name, value in vars(pieces[0].tokens).items():
        parts = [getattr(piece.tokens, name) for piece in pieces]
        if isinstance(value, np.ndarray):
            parts = [part + start for part, start in zip(parts, before, strict=False)] if name == "places" else parts
            made[name] = np.concatenate(parts).astype(np.int32)
        else:
            made[name] = any(parts) if isinstance(value, bool) else value
    return Tokens(**made)


def _pairs(pieces: Sequence[Piece]) -> Pairs:
    made: dict[str, list[np.ndarray]] = defaultdict(list)
    before = 0
    for piece in pieces:
        if piece.pairs:
            for name, value in vars(piece.pairs).items():
                made[name].append(value + np.int32(before) if name == "places" else value)
        before += piece.rows
    return Pairs(**{name: np.concatenate(parts) for name, parts in made.items()})


def repeats(prints: np.ndarray) -> np.ndarray:
    """Indices of fingerprints that stand earlier too, in order."""
    order = np.argsort(prints, kind="stable")
    again = prints[order[1:]] == prints[order[:-1]]
    return np.sort(order[1:][again])


def contradictions(pairs: Pairs) -> np.ndarray:
    """Indices of answered questions that have another answer elsewhere, in order."""
    told = np.flatnonzero(pairs.answered)
    question, answer = pairs.question[told], pairs.answer[told]
    order = np.lexsort((answer, question))
    question, answer = question[order], answer[order]
    if not len(order):
        return order
    first = np.flatnonzero(np.concatenate([[True], question[1:] != question[:-1]]))
    last = np.concatenate([first[1:], [len(order)]]) - 1
    torn = np.repeat(answer[first] != answer[last], last - first + 1)
    return np.sort(told[order[torn]])


def _in_prompt(pieces: Sequence[Piece], starts: np.ndarray, paired: np.ndarray, file: TrainingFile, chats: Sequence[Any],
               stem: str) -> np.ndarray:  # fmt: skip
    """Positions of answers that stand in their question, without those that belong to the wording of the questions."""
    values = {value: None for piece in pieces for value in piece.shown[2]}
    kept = [np.ones(len(piece.shown[0]), dtype=bool) for piece in pieces]
    if values and len(values) <= MOST_VALUES:
        sample = [
            pair for place in paired[:: max(1, len(paired) // 50)].tolist() if (pair := pair_of(place, chats[place], file.rows[place]))
        ]
        wording = {value for value in values if is_template(value, sample, stem)}
        kept = [~np.isin(piece.shown[1], [i for i, value in enumerate(piece.shown[2]) if value in wording]) for piece in pieces]
    return np.concatenate([piece.shown[0][keep] + start for piece, keep, start in zip(pieces, kept, starts, strict=False)])


def _not_hosted(pieces: Sequence[Piece], starts: np.ndarray, codes: np.ndarray, kind: str) -> Places:
    if kind == "preference":
        return Places(_all(pieces, starts, "unhosted"))
    return Places() if kind in HOSTED else Places(np.flatnonzero(codes == NAMES.index(kind)))


def _all(pieces: Sequence[Piece], starts: np.ndarray, name: str) -> np.ndarray:
    return np.concatenate([getattr(piece, name) + start for piece, start in zip(pieces, starts, strict=False)])
