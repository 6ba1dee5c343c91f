"""The names a request may hold: `$text`, `${n}`, `$target`, the columns. An unknown one is told instead of being sent as it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from core.errors import SettingsError

_NAME = re.compile(r"\$(?:\{([^{}\n]{1,60})\}|([^\W\d]\w*))")


def names_in(template: str) -> list[str]:
    """Every name a template holds, known or not, in order."""
    return [braced or plain for braced, plain in _NAME.findall(template)]


def written(name: str) -> str:
    """A name as it is written into a request: $text, ${n}, ${my column}."""
    return f"${name}" if re.fullmatch(r"[^\W\d]\w*", name) and name != "n" else f"${{{name}}}"


def check_names(template: str, known: Sequence[str], *, needed: Collection[str] = ()) -> None:
    """Raises SettingsError for a name that is none of `known`, with the nearest that is, and when none of `needed` is used."""
    for match in _NAME.finditer(template):
        name = match.group(1) or match.group(2)
        if name in known:
            continue
        inside = next((one for one in sorted(known, key=len, reverse=True) if one and name.startswith(one)), None)
        near = difflib.get_close_matches(name, known, 1)
        advice = f"Write ${{{inside}}} where a letter follows directly. " if inside and match.group(2) else ""
        advice = advice or (f"Did you mean {written(near[0])}? " if near else "")
        raise SettingsError(
            f"The prompt says {match.group(0)[:80]}, and there is no such name. {advice}It may use {', '.join(map(written, known[:20]))}. "
            "A dollar sign that is meant as such needs a blank or a digit behind it.",
            title="Unknown name in the prompt",
        )
    if needed and not set(names_in(template)) & set(needed):
        first = "text" if "text" in needed else min(needed)
        raise SettingsError(f"Put {written(first)} where it belongs.", title=f"The prompt does not use {written(first)}")
