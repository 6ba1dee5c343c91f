"""What to set where a run does not fit: every smaller way of the same training with what it takes, and the mildest that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.finetune.estimates import smaller
from core.finetune.settings import TrainSettings
from core.format import size


@dataclass(frozen=True)
class Smaller:
    """One way to need less."""

    changes: Mapping[str, Any]
    """Fields of the settings and their new values."""
    memory: int
    """Bytes expected at the peak; 0 when nothing is known of the model."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ladder(settings: TrainSettings, memory: Callable[[TrainSettings], int]) -> list[Smaller]:
    """Ways to need less, the mildest first; each one keeps what the ones before it changed. `memory` says what settings take, in bytes.

    Half the batch with double accumulation takes the same steps with the same rows. Only what really needs less is listed.
    """
    found, least, following = [], memory(settings), smaller(settings)
    while following:
        now = following[0]
        following, needs = smaller(now), memory(now)
        if needs and needs >= least:
            continue
        least = needs or least
        found.append(Smaller({key: value for key, value in now.to_dict().items() if value != getattr(settings, key)}, needs))
    return found


def advised(ways: Sequence[Smaller], room: int) -> Smaller | None:
    """The mildest way that fits into `room` bytes, or the one that needs least; None when there is no way."""
    return next((one for one in ways if one.memory <= room), min(ways, key=lambda one: one.memory, default=None))


def sentence(way: Smaller, settings: Mapping[str, Any]) -> str:
    """ "Set batch to 2 instead of 4 and accumulate to 4 instead of 2: the same steps, about 2.1 GiB." """
    parts = [f"{key.replace('_', ' ')} to {value} instead of {settings.get(key, 'now')}" for key, value in way.changes.items()]
    same = "the same rows in each step, " if set(way.changes) <= {"batch", "accumulate"} else ""
    return f"Set {' and '.join(parts)}: {same}about {size(way.memory)}." if way.memory else f"Set {' and '.join(parts)}."
