"""The gates: their reasons, what each measures, where it stands, and whether it rejects, warns or is off.

Held-out rows (validation and test) are never sent to any writer; the gate that compares with them can be neither switched off nor
overruled. The other bounds are conventions, not optima; each can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import SettingsError

MODES = ("reject", "warn", "off")
ALWAYS = ("unread", "refusal", "empty", "held_out")
"""Gates that always reject: three have nothing that could be kept, the last would make every later number worthless."""
ALL, MEANING, TEXTS = ("answer", "label", "context", "schema"), ("answer",), ("answer", "label")


@dataclass(frozen=True)
class Gate:
    """One reason to stop a variant."""

    title: str
    """As bars and tables name it."""
    meaning: str
    measure: str = ""
    """What its value is, as the axis of a histogram; "" for yes or no (1 or 0) and counts."""
    limit: str = ""
    """The field of Limits that holds its threshold; "" means that any value above 0 fails."""
    fails: str = "above"
    """above | below | from: on which side of the threshold a variant fails ("from": at the threshold too)."""
    of: tuple[str, ...] = ALL
    """What has to stay where it is asked: answer | label | context | schema (see `Preset.keeps`)."""
    mode: str = "reject"
    """Unless set otherwise: reject | warn | off."""


GATES: dict[str, Gate] = {
    "unread": Gate("not readable", "The reply held no whole variant that could be read."),
    "refusal": Gate("refused", "The writer refused or apologised instead of writing."),
    "empty": Gate("empty", "There are no letters or digits in it."),
    "held_out": Gate(
        "too close to a test row",
        "It equals or nearly equals a row kept aside for validation or test.",
        "share of five-letter pieces in common with the nearest row kept aside",
        "near_held_out",
        "from",
    ),
    "chatter": Gate("talks to you", 'It holds words to the person, such as "Sure, here are", instead of data.'),
    "schema": Gate("does not fit the columns", "A cell is missing, of the wrong kind, no allowed choice or out of range."),
    "answer_absent": Gate("answer not in the text", "The answer does not stand word for word in the text it is about.", of=("context",)),
    "same": Gate("same as original", "It is the original, apart from case, blanks or punctuation."),
    "duplicate": Gate("written twice", "Another variant or another train row already says exactly this."),
    "near_sibling": Gate(
        "close to another variant",
        "Another variant of the same row says nearly the same, letter for letter.",
        "share of five-letter pieces in common with the nearest other variant",
        "near_sibling",
        "from",
    ),
    "near_train": Gate(
        "close to another row",
        "Another train row says nearly the same, letter for letter.",
        "share of five-letter pieces in common with the nearest other train row",
        "near_train",
        "from",
    ),
    "too_long": Gate("too long", "It is much longer than the original.", "length / original's length", "longest", of=TEXTS),
    "too_short": Gate("too short", "It is much shorter than the original.", "length / original's length", "shortest", "below", MEANING),
    "language": Gate("other language", "It is written in another script or language than the original."),
    "number_lost": Gate("lost a number", "A number of the original is missing.", of=MEANING),
    "answer_leaked": Gate("gives the answer away", "It names the answer or label, which the original does not."),
    "number_added": Gate("new number", "It holds a number the original does not have.", of=MEANING),
    "unit_lost": Gate("lost a unit", "A number of the original stands without its unit, or with another one.", of=MEANING),
    "label_lost": Gate("lost its answer", "The original names the answer or label; this does not.", of=MEANING),
    "name_lost": Gate("lost a name", "A name, a quoted term or an address of the original is missing.", of=MEANING),
    "too_similar": Gate(
        "too close", "Almost letter for letter the original.", "letters in common with the original", "most_similar", of=TEXTS
    ),
    "too_different": Gate(
        "drifted",
        "It shares almost nothing with the original: the meaning has probably changed.",
        "letters in common with the original, for its length",
        "least_similar",
        "below",
        MEANING,
    ),
    "meaning": Gate(
        "means something else",
        "The sentence encoder finds another meaning than the original's. Judged only in languages it knows.",
        "cosine with the original",
        "least_meaning",
        "below",
        MEANING,
    ),
    "negation": Gate("negation changed", "The original says not, never or 없다 where this does not, or the other way round.", of=MEANING),
}
"""Name -> gate, in the order they are asked; the first that rejects names the rejection."""


@dataclass(frozen=True)
class Limits:
    """Where the gates stand."""

    most_similar: float = 0.93
    """Above it a variant is the original with a letter changed."""
    least_similar: float = 0.30
    """Below it the meaning of a long text has probably drifted; the bar falls with the length, and to a third for scripts
    written in syllables (not asked of new texts that only keep a label)."""
    strict: bool = False
    """Whether `least_similar` holds for short texts and syllable scripts too."""
    longest: float = 2.5
    """A variant may be that many times as long as the original, and `slack` characters more."""
    slack: int = 40
    near_held_out: float = 0.80
    """Share of common five-letter pieces from which a variant counts as a copy of a held-out row; 0.5 to 0.9."""
    shortest: float = 0.30
    """A variant and half of `slack` must be that part of the original's length."""
    near_sibling: float = 0.80
    """The same share from which two variants of one row count as one."""
    near_train: float = 0.80
    """The same share for any other train row."""
    least_meaning: float = 0.50
    """Least cosine of the sentence encoder's vectors. Of 149 pairs of unrelated film reviews nine in ten lie below 0.38, 99 in 100 below
    0.53 (MiniLM); short paraphrases lie from 0.4, and negated sentences at 0.7 to 0.9, which is why negation is a gate of its own."""
    modes: tuple[tuple[str, str], ...] = ()
    """(gate, reject | warn | off) where it is not the gate's own."""

    def __post_init__(self) -> None:
        for gate, mode in self.modes:
            if gate not in GATES or mode not in MODES:
                raise SettingsError(
                    f"'{gate}: {mode}' is no setting of a gate. Gates: {', '.join(GATES)}; each can {', '.join(MODES)}.",
                    title="Unknown gate",
                )
            if gate in ALWAYS and mode != "reject":
                raise SettingsError(
                    f"'{GATES[gate].title}' always rejects; it cannot be set to '{mode}'.", title="This gate cannot be switched off"
                )
        if not 0.5 <= self.near_held_out <= 0.9:
            raise SettingsError(
                f"The bound for copies of test rows is {self.near_held_out}; it lies between 0.5 and 0.9: this gate is never off.",
                title="Bound out of range",
            )

    def mode(self, gate: str) -> str:
        """reject | warn | off"""
        return dict(self.modes).get(gate, GATES[gate].mode)

    def with_mode(self, gate: str, mode: str) -> Limits:
        """These limits with one gate set to reject, warn or off. Raises SettingsError for what cannot be."""
        return replace(self, modes=(*((name, kept) for name, kept in self.modes if name != gate), (gate, mode)))

    def threshold(self, gate: str) -> float | None:
        """Where the gate stands on the axis of its values; None for yes-or-no gates and counts."""
        return float(getattr(self, GATES[gate].limit)) if GATES[gate].limit else None

    def fails(self, gate: str, value: float | None) -> bool:
        """Whether a measured value lies on the wrong side; None (not judged) never does."""
        if value is None:
            return False
        bound = self.threshold(gate) or 0.0
        side = GATES[gate].fails
        return value < bound if side == "below" else value >= bound if side == "from" else value > bound

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "modes": dict(self.modes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Limits:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "modes": tuple(dict(known.get("modes", ())).items())})


SMALL_WRITER = Limits(least_similar=0.5, strict=True, longest=1.5, slack=20)
"""For a very small model: it tends to chat or to write about something else, so it is kept near the original."""
