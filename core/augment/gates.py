"""Which variants are kept: gates in order, each with its reason; the first that fails names the rejection.

Held-out rows (validation and test) are compared with here and are never sent to any writer. Similarity is the Dice
coefficient of the sets of character bigrams and trigrams (no model), after NFKC and case folding: 1 is the same text, 0
shares nothing. Of 2,000 pairs of unrelated reviews the drift gate stops 57 % (English) and 91 % (Korean); it cannot know
whether a variant is true or well written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from core.augment.reading import normal
from core.augment.requests import Ask
from core.reading import read_amount


@dataclass(frozen=True)
class Gate:
    """One reason to stop a variant."""

    title: str
    """As bars and tables name it."""
    meaning: str


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
    """A variant may be that many times as long as the original, and 40 characters more."""
    slack: int = 40
    near_held_out: float = 0.80
    """Share of common five-letter pieces from which a variant counts as a copy of a held-out row."""


GATES: dict[str, Gate] = {
    "unread": Gate("not readable", "The reply held no whole variant that could be read."),
    "empty": Gate("empty", "There are no letters or digits in it."),
    "same": Gate("same as original", "It is the original, apart from case, blanks or punctuation."),
    "duplicate": Gate("written twice", "Another variant or another train row already says exactly this."),
    "too_long": Gate("too long", "It is much longer than the original."),
    "language": Gate("other language", "It is written in another script or language than the original."),
    "number_lost": Gate("lost a number", "A number of the original is missing."),
    "number_added": Gate("new number", "It holds a number the original does not have."),
    "label_lost": Gate("lost its answer", "The original names the answer or label; this does not."),
    "answer_leaked": Gate("gives the answer away", "It names the answer or label, which the original does not."),
    "too_similar": Gate("too close", "Almost letter for letter the original."),
    "too_different": Gate("drifted", "It shares almost nothing with the original: the meaning has probably changed."),
    "held_out": Gate("too close to a test row", "It equals or nearly equals a row kept aside for validation or test."),
}
"""Name -> gate, in the order they are asked."""


SMALL_WRITER = Limits(least_similar=0.5, strict=True, longest=1.5, slack=20)
"""For a very small model: it tends to chat or to write about something else, so it is kept near the original."""


@dataclass
class Judge:
    """Judges variants one after another and remembers what it has let pass. Same order, same verdicts."""

    held_out: HeldOut
    keeps: str = "answer"
    """"answer": numbers and meaning must stay. "label": a new text of the same class, only the label must stay."""
    task: str = "classification"
    limits: Limits = field(default_factory=Limits)
    seen: set[str] = field(default_factory=set)
    """Normalised texts that exist already: train rows, then every variant that passed."""
    language: Callable[[str], str] | None = None
    """Names the language of a text, "" when it is too short to tell."""

    def __call__(self, variant: str, ask: Ask) -> str:
        """The name of the gate it fails, or "" when it passes."""
        for name, failed in self._checks(variant, ask):
            if failed():
                return name
        self.seen.add(bare(variant))
        return ""

    def _checks(self, variant: str, ask: Ask) -> Iterable[tuple[str, Callable[[], bool]]]:
        original, exact = ask.original, self.keeps == "answer"
        yield "empty", lambda: not re.search(r"\w", variant)
        yield "same", lambda: bare(variant) == bare(original)
        yield "duplicate", lambda: bare(variant) in self.seen
        yield "too_long", lambda: len(variant) > self.limits.longest * len(original) + self.limits.slack
        yield "language", lambda: other_language(variant, original, self.language)
        yield "held_out", lambda: self.held_out.holds(variant, self.limits.near_held_out)
        if exact:
            yield "number_lost", lambda: bool(numbers(original) - numbers(variant))
            yield "answer_leaked", lambda: leaked(variant, original, ask.target, self.task)
            yield "number_added", lambda: bool(numbers(variant) - numbers(original))
            yield "label_lost", lambda: self.task != "regression" and named(original, ask.target) and not named(variant, ask.target)
        else:
            yield "answer_leaked", lambda: leaked(variant, original, ask.target, self.task)
        yield "too_similar", lambda: similarity(variant, original) > self.limits.most_similar
        if exact:
            yield "too_different", lambda: similarity(variant, original) < floor(original, self.limits)


def bare(text: str) -> str:
    """Normalised, without punctuation: what makes two texts the same."""
    return " ".join(re.sub(r"[^\w\s]", " ", normal(text)).split())


def grams(text: str) -> set[str]:
    """Character bigrams and trigrams of the bare text."""
    letters = f" {bare(text)} "
    return {letters[i : i + n] for n in (2, 3) for i in range(len(letters) - n + 1)}


def similarity(one: str, other: str) -> float:
    """Dice coefficient of character bigrams and trigrams, 0 to 1."""
    a, b = grams(one), grams(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def floor(original: str, limits: Limits) -> float:
    """The least similarity a paraphrase of this text must have: 0 for a few words, all of it from 60 letters on (28 syllables)."""
    least = limits.least_similar
    if limits.strict:
        return least
    letters = scripts(original)
    syllables = letters["hangul"] + letters["han"] + letters["kana"] > letters.total() / 2
    length = len(bare(original))
    share = (length - 8) / 20 if syllables else (length - 15) / 45
    return (least / 3 if syllables else least) * min(1.0, max(0.0, share))


def numbers(text: str) -> set[float]:
    """Every number written in digits: "1,299" and "1299" are one; digits inside names (B12) count too."""
    found = re.findall(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", normal(text))
    values = (read_amount(digits) for digits in found)
    return {value for value in values if value is not None}


def named(text: str, answer: str) -> bool:
    """Whether a text names the answer as a word (Korean: also with a particle behind it)."""
    answer = normal(answer)
    if not re.search(r"\w", answer):
        return False
    after = r"(?![^\W가-힣])" if re.search(r"[가-힣]", answer) else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(answer)}{after}", normal(text)) is not None


def leaked(variant: str, original: str, answer: str, task: str) -> bool:
    """Whether the variant gives away an answer the original does not."""
    if not answer or named(original, answer):
        return False
    value = read_amount(answer)
    if value is not None and task == "regression":
        return value in numbers(variant) - numbers(original)
    if value is not None and task == "classification":  # "3" in "3 pieces" is no star rating; "3 stars" is
        return re.search(rf"(?<![\w.]){re.escape(answer)}\s*(?:-\s*)?(?:stars?|out of|/\s*\d|점|별)", normal(variant)) is not None
    if task == "chat":
        return False
    return named(variant, answer)


_SCRIPTS = (
    ("hangul", "가", "힣"), ("hangul", "ᄀ", "ᇿ"), ("hangul", "㄰", "㆏"), ("kana", "぀", "ヿ"), ("han", "一", "鿿"), ("cyrillic", "Ѐ", "ӿ"),
    ("arabic", "؀", "ۿ"), ("hebrew", "֐", "׿"), ("greek", "Ͱ", "Ͽ"), ("thai", "฀", "๿"), ("devanagari", "ऀ", "ॿ"),
)  # fmt: skip


def scripts(text: str) -> Counter[str]:
    """How many letters of each script a text holds."""
    return Counter(_script(letter) for letter in text if letter.isalpha())


def _script(letter: str) -> str:
    return next((name for name, low, high in _SCRIPTS if low <= letter <= high), "latin" if ord(letter) < 0x250 else "other")


def other_language(variant: str, original: str, language: Callable[[str], str] | None = None) -> bool:
    """Whether the main script differs, or, within one script, the language that is told for both."""
    a, b = scripts(original), scripts(variant)
    if not a or not b:
        return False
    wanted, share = a.most_common(1)[0][0], a.most_common(1)[0][1] / a.total()
    if b[wanted] / b.total() < 0.5 * share:
        return True
    if language is None:
        return False
    one, other = language(original), language(variant)
    return bool(one and other and one != other)


class HeldOut:
    """The rows kept aside, as far as needed to recognise a copy. Their texts leave this object in no way."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._bare: set[str] = set()
        self._pieces: list[frozenset[str]] = []
        self._where: dict[str, list[int]] = {}
        for text in texts:
            plain = bare(text)
            if not plain or plain in self._bare:
                continue
            self._bare.add(plain)
            pieces = frozenset(_pieces(plain))
            for piece in pieces:
                self._where.setdefault(piece, []).append(len(self._pieces))
            self._pieces.append(pieces)

    def holds(self, text: str, near: float) -> bool:
        """Whether a held-out row equals this text, or shares at least `near` of the pieces of both (Jaccard)."""
        plain = bare(text)
        if plain in self._bare:
            return True
        mine = _pieces(plain)
        if len(mine) < 8:
            return False
        rare = sorted((piece for piece in mine if piece in self._where), key=lambda piece: (len(self._where[piece]), piece))
        if len(rare) < near * len(mine):  # every row with that Jaccard shares at least that many pieces
            return False
        tried = {row for piece in rare[: len(mine) - int(near * len(mine)) + 1] for row in self._where[piece]}
        return any(len(mine & self._pieces[row]) / len(mine | self._pieces[row]) >= near for row in tried)


def _pieces(plain: str) -> set[str]:
    return {plain[i : i + 5] for i in range(max(1, len(plain) - 4))}


def word_changes(original: str, variant: str) -> tuple[str, str]:
    """Words only the original has, and words only the variant has, in order."""
    old, new = original.split(), variant.split()
    have_old, have_new = Counter(map(bare, old)), Counter(map(bare, new))
    return _without(old, have_new), _without(new, have_old)


def _without(words: list[str], other: Mapping[str, int]) -> str:
    left = Counter(other)
    kept = []
    for word in words:
        key = bare(word)
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(word)
    return " ".join(kept)
