"""What anything that answers chat messages gives back for one request."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Reply:
    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    """From sending to the last token; in a batch, the batch's seconds divided by its requests."""
    finish: str = "stop"
    """stop | length | refusal | error | timeout"""
    usd: float | None = None
    """None for local work."""
    estimated: bool = False
    """True when the endpoint reported no token usage and the tokens were counted here."""
    cached: bool = False
    error: str = ""
    """What went wrong, when finish is "error" or "timeout"."""

    def again(self) -> Reply:
        """The same reply for an equal request: it is not paid again."""
        return replace(self, cached=True, usd=None if self.usd is None else 0.0)
