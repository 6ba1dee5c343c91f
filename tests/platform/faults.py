"""Errors as the platform words them: the envelope's four fields, a status, headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """An error answer."""

    status: int
    message: str = "something went wrong"
    type: str = "server_error"
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


Act = str | Fault
"""What one request gets: "ok", "no usage", "zero usage", "cut", "refusal", "empty", "malformed", "wrong shape", "html", "text", "redirect",
"reset", "slow", "drip", or an error."""


class RefusedError(Exception):
    """Carries a fault out of a handler."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def refuse(message: str, code: str | None = None, param: str | None = None, status: int = 400) -> RefusedError:
    """An error of the request itself."""
    return RefusedError(Fault(status, message, "invalid_request_error", code, param))


def busy(seconds: float | str | None, **headers: str) -> Fault:
    """A rate limit; `seconds` is what Retry-After says."""
    told = {} if seconds is None else {"retry-after": str(seconds)}
    return Fault(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", headers={**told, **headers})


def no_credit() -> Fault:
    return Fault(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota")


def unsupported(parameter: str) -> Fault:
    return Fault(400, f"Unsupported parameter: '{parameter}'", "invalid_request_error", "unsupported_parameter", parameter)
