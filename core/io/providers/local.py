"""The built-in model as a provider: no key, no network, no charge.

It is small: lists, rules and long prompts are beyond it, so augmentation asks it for one variant at a time (`one_each`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.prompt import Message
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.providers import Arrived, Progress

CHUNK = 8
"""Requests handed to the model at once, so that a question asked meanwhile does not wait long and a stop loses little."""


class Embedded:
    """Answers with the one loaded copy of the model (`engine`), or loads the process's own."""

    name = "embedded"
    rates: tuple[float, float] | None = (0.0, 0.0)
    spent = 0.0
    over_budget = 0

    def __init__(self, *, engine: Any = None, adapter: str | None = None, model: str = "", **ignored: Any) -> None:
        self.adapter = adapter
        self.model = model or "SmolLM2-135M-Instruct"
        self._engine = engine

    @property
    def engine(self) -> Any:
        if self._engine is None:
            from core.io import embedded

            self._engine = embedded.engine()
        return self._engine

    def complete(
        self,
        requests: Sequence[Sequence[Message]],
        *,
        max_tokens: int | Sequence[int],
        temperature: float = 0.0,
        seed: int | Sequence[int] = 0,
        prefix: str = "",
        schema: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        arrived: Arrived | None = None,
    ) -> list[Reply]:
        """See Provider. Requests of one length limit are answered together; order is kept."""
        limits = [max_tokens] * len(requests) if isinstance(max_tokens, int) else list(max_tokens)
        replies: dict[int, Reply] = {}
        for places in self.together(limits):
            settings = {
                "adapter": self.adapter,
                "max_tokens": _rounded(limits[places[0]]),
                "temperature": temperature,
                "seed": seed + places[0] if isinstance(seed, int) else seed[places[0]],
                "prefix": prefix,
            }
            for place, reply in zip(places, self.engine.complete([list(requests[p]) for p in places], **settings), strict=True):
                replies[place] = reply
                if arrived:
                    arrived(place, reply)
            if progress:
                progress(len(replies), len(requests), f"{len(replies)} of {len(requests)} answered")
        return [replies[i] for i in range(len(requests))]

    def together(self, limits: Sequence[int]) -> list[list[int]]:
        """Places of the requests that are answered together, by their length limits. What is drawn for one depends on its company, so a
        run that goes on asks for these whole."""
        groups: dict[int, list[int]] = defaultdict(list)
        for place, limit in enumerate(limits):
            groups[_rounded(limit)].append(place)
        return [places[i : i + CHUNK] for _, places in sorted(groups.items()) for i in range(0, len(places), CHUNK)]

    def models(self) -> list[str]:
        return [self.model]


def _rounded(limit: int) -> int:
    return -(-limit // 32) * 32
