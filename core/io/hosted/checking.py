"""A training file looked at before it leaves: what a host would refuse is refused here, in the host's words where they are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError
from core.finetune.hosted import METHODS

if TYPE_CHECKING:
    from core.validate.checks import Check
    from core.validate.report import Report


def blocking(made: Report, *, validation: bool = False) -> list[Check]:
    """The failed checks. How few examples are too few is said of the training file alone."""
    return [one for one in made.failed if not (validation and one.name == "examples")]


def another_format(made: Report, method: str) -> str:
    """What is wrong with the file's format for this method; "" when nothing is."""
    wanted = METHODS[method]
    if made.detection.format == wanted:
        return ""
    known = f"in the {made.detection.format} format" if made.detection.format else "in no known format"
    return f"{known}; the method {method} takes {wanted}"


def words(made: Report, check: Check) -> str:
    """A failed check in one line: the host's words where they are known, then where it stands."""
    from core.validate.wording import platform_words, told

    return " ".join(part for part in (check.sentence, f"({told(made, check) or check.detail})", platform_words(made, check)) if part)


def refuse(made: Report, name: str, method: str, *, validation: bool = False, say: Callable[[str], None] | None = None) -> None:
    """Raises DataError when the host would refuse the file; `say` is told every reason first. Without a method any format will do."""
    if wrong := another_format(made, method) if method else "":
        raise DataError(f"{name} is {wrong}. Convert it with `python -m core convert`, choose another method, or add --force.",
                        title="Another format is needed")  # fmt: skip
    failed = blocking(made, validation=validation)
    if not failed:
        return
    told = [words(made, one) for one in failed]
    for line in told if say else ():
        say(f"FAIL  {line}")  # type: ignore[misc]
    raise DataError(f"{name} has {len(failed)} failed check{'s' * (len(failed) > 1)}: {_few(told)}. The host would refuse it. Mend it on "
                    "Validate & Cost, or with `python -m core validate FILE --fix all`.", title="The file was not uploaded")  # fmt: skip


def _few(told: Sequence[str]) -> str:
    more = f"; and {len(told) - 2} more" if len(told) > 2 else ""
    return "; ".join(one.rstrip(".") for one in told[:2]) + more


def looked_at(path: Path, model: str) -> Report:
    """Validate's report of a file, counted as the model counts."""
    from core.io.validating import checked

    return checked(str(path), model=model)
