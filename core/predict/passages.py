"""Texts cut into passages that fit into a prompt, and kept clear of the rows that are asked.

A passage is whole sentences of one text, at most so many characters. What holds a whole test text is left out together with what
follows it, because the answer would stand there. Not known here: where texts come from, and which passages are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import SettingsError
from core.predict.questions import sentences

AFTER = 300
"""Characters after a test text that are left out with it."""
START = 12
"""Characters of a test text that are looked for first; shorter test texts count only where a line begins with them."""


@dataclass(frozen=True)
class Passage:
    text: str
    source: str
    """For people: "train row 12", "notes.md, passage 3"."""


def cut(text: str, longest: int) -> list[str]:
    """The text in order as passages of at most `longest` characters: paragraphs are kept together where they fit, else sentences, and
    a sentence that is longer is cut between words."""
    if longest < 40:
        raise SettingsError(f"longest is {longest}; a passage needs at least 40 characters.", title="Passages are too short")
    found: list[str] = []
    for piece in _pieces(text, longest):
        if found and len(found[-1]) + len(piece) + 1 <= longest:
            found[-1] += ("\n" if "\n" in piece else " ") + piece
        else:
            found.append(piece)
    return found


def _pieces(text: str, longest: int) -> Iterable[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        paragraph = paragraph.strip()
        if len(paragraph) <= longest:
            yield from [paragraph] if paragraph else []
            continue
        for sentence in sentences(paragraph):
            yield from _words(sentence, longest)


def _words(sentence: str, longest: int) -> Iterable[str]:
    while len(sentence) > longest:
        at = sentence.rfind(" ", longest // 2, longest)
        at = at if at > 0 else longest
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence


def without_tests(texts: Sequence[str], tests: Iterable[str]) -> tuple[list[str], int]:
    """The texts without any whole test text and the AFTER characters behind each, and how many stretches were left out.

    Compared without regard to case and white space, from the first letter of a test text.
    """
    wanted: dict[str, list[str]] = {}
    for test in tests:
        plain = _plain(re.sub(r"^\W+", "", test))
        if plain:
            wanted.setdefault(plain[:START], []).append(plain)
    sizes = sorted({len(key) for key in wanted})
    out, left = [], 0
    for text in texts:
        spans = list(_held(text, wanted, sizes))
        out.append(_without(text, spans))
        left += len(spans)
    return out, left


def _held(text: str, wanted: Mapping[str, Sequence[str]], sizes: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Stretches (start, end) of the text that are whole test texts; `wanted` knows them by how they begin."""
    for word in re.finditer(r"\w+", text) if wanted else ():
        start = word.start()
        head = "".join(text[start : start + 3 * START].split()).lower()
        for size in sizes:
            for test in wanted.get(head[:size], ()):
                if len(test) < START and not _begins_a_line(text, start):
                    continue
                end = _end(text, start, test)
                if end:
                    yield start, end


def _end(text: str, start: int, test: str) -> int:
    """Where the test text that begins here ends; 0 when the text goes on otherwise."""
    seen = 0
    for place in range(start, len(text)):
        if text[place].isspace():
            continue
        if text[place].lower()[:1] != test[seen]:
            return 0
        seen += 1
        if seen == len(test):
            return place + 1
    return 0


def _begins_a_line(text: str, place: int) -> bool:
    return not text[text.rfind("\n", 0, place) + 1 : place].strip()


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without these stretches and what follows each."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start].rstrip() + "\n\n" + text[end + AFTER :].lstrip()
    return text.strip() if spans else text


def _plain(text: str) -> str:
    return "".join(character.lower()[:1] for character in text if not character.isspace())
