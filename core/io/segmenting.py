"""Korean words parted into morphemes by kiwipiepy, where it is installed: particles and endings stand apart from what they follow.

kiwipiepy is never required: without it Korean words end at spaces, and character n-grams find what they share. Every text is parted
once per process, however many predictors read it; that time counts for none of them and is told beside them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import Any

from core.predict.scripts import script_of
from core.prediction import Examples

PACKAGE = "kiwipiepy"
MOST = 300_000
"""Texts that are remembered."""
CHUNK = 1_000


class Analyser:
    """Texts with spaces between their morphemes; texts it knows are not parted again."""

    def __init__(self, package: Any) -> None:
        from core.io.embedded.loading import threads

        self.version = str(getattr(package, "__version__", ""))
        self.kiwi = package.Kiwi(num_workers=threads())
        self.known: dict[str, str] = {}
        self.seconds = self.characters = 0.0

    def part(self, texts: Sequence[str], say: Callable[[int, int, str], None]) -> tuple[str, ...]:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if len(self.known) + len(new) > MOST:
            self.known, new = {}, list(dict.fromkeys(texts))
        start = time.perf_counter()
        for first in range(0, len(new), CHUNK):
            say(first, len(new), "parting Korean words")
            some = new[first : first + CHUNK]
            for text, found in zip(some, self.kiwi.tokenize(some), strict=True):
                self.known[text] = " ".join(token.form for token in found)
        self.seconds += time.perf_counter() - start
        self.characters += sum(map(len, new))
        return tuple(self.known[text] for text in texts)

    def about(self, texts: Sequence[str]) -> float:
        """Seconds these texts took, by the rate of all that were parted."""
        return sum(map(len, texts)) * self.seconds / self.characters if self.characters else 0.0


def analyser() -> Analyser | None:
    """The one of this process; None where kiwipiepy cannot be imported."""
    try:
        package = import_module(PACKAGE)
    except ImportError:
        return None
    return _made(package)


@lru_cache(maxsize=1)
def _made(package: Any) -> Analyser:
    return Analyser(package)


def parted(train: Examples, test: Examples, say: Callable[[int, int, str], None]) -> tuple[Examples, Examples, dict[str, Any]]:
    """Both as predictors that read words get them, and how their words were found, for the evaluation's record.

    `script` is korean | pairs | spaces, `tokenizer` a package with its version or "", `tokenizer_seconds` what it took.
    """
    script = script_of(train.text)
    found = analyser() if script == "korean" else None
    if found is None:
        return train, test, {"script": script, "tokenizer": ""}
    train, test = (replace(rows, text=found.part(rows.text, say)) for rows in (train, test))
    seconds = found.about([*train.text, *test.text])
    return train, test, {"script": script, "tokenizer": f"{PACKAGE} {found.version}".strip(), "tokenizer_seconds": round(seconds, 1)}
