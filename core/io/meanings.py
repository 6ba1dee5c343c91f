"""How near a variant is to its original in meaning: cosines of the English sentence encoder, remembered beside the replies.

    <folder>/meanings.jsonl     {of: hash of the pair, cosine}     null: a language the encoder does not know

A text takes 0.01 to 0.05 s, so a run asks for them once, at its end, and pages ask for a few at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.io import encoder, files, minilm
from core.io.languages import identify
from core.version import digest

FEW = 200
"""Pairs a page may ask for at once."""
MOST = 5_000
"""Pairs a run asks for; those beyond are not judged by meaning."""
CHUNK = 64
Progress = Callable[[int, int], None]


def remembered(
    folder: Path, most: int = FEW, progress: Progress | None = None
) -> Callable[[Sequence[tuple[str, str]]], list[float | None]]:
    """A function of (variant, original) pairs giving cosines; None where it could not judge, or more than `most` are new."""

    def judge(pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        known = {line["of"]: line["cosine"] for line in files.read_lines(folder / "meanings.jsonl")}
        names = [digest(list(pair))[:16] for pair in pairs]
        first = {name: place for place, name in reversed(list(enumerate(names)))}
        places = sorted(place for name, place in first.items() if name not in known)
        places = places[:most] if encoder.installed() else []
        for start in range(0, len(places), CHUNK):
            some = places[start : start + CHUNK]
            for place, cosine in zip(some, cosines([pairs[place] for place in some], few=len(places) <= FEW), strict=True):
                known[names[place]] = cosine
                files.append_line(folder / "meanings.jsonl", {"of": names[place], "cosine": cosine})
            if progress:
                progress(start + len(some), len(places))
        return [known.get(name) for name in names]

    return judge


def at_once() -> Callable[[Sequence[tuple[str, str]]], list[float | None]] | None:
    """The same for a few pairs that no folder remembers; None without an encoder."""
    return cosines if encoder.installed() else None


def cosines(pairs: Sequence[tuple[str, str]], *, few: bool = True) -> list[float | None]:
    """Of each pair's vectors; None unless both texts are English. `few` takes the way that is ready sooner, and slower per text."""
    english = {text: _english(text) for pair in pairs for text in pair}
    texts = list(dict.fromkeys(text for pair in pairs if all(english[one] for one in pair) for text in pair))
    if not texts:
        return [None] * len(pairs)
    vectors = dict(zip(texts, minilm.encode(texts) if few else encoder.encoder()(texts), strict=True))
    return [round(float(vectors[a] @ vectors[b]), 4) if english[a] and english[b] else None for a, b in pairs]


def _english(text: str) -> bool:
    name, sure = identify(text)
    return name == "en" and sure > 0.8
