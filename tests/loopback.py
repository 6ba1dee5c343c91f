"""The platform's double with two models that take anything, scripted per test: what most tests of providers need.

with Loopback(script=[busy(3), "malformed"]) as server:  # then it answers properly
    server.url, server.asked
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.platform.faults import Act, Fault, busy, no_credit, unsupported
from tests.platform.models import Model
from tests.platform.server import KEY, Limits, Platform, three_variants

__all__ = ["KEY", "Act", "Fault", "Limits", "Loopback", "busy", "no_credit", "three_variants", "unsupported"]


class Loopback(Platform):
    """The server; use it in a `with` block. Its models answer chats, continue texts and give vectors."""

    def __init__(self, script: Sequence[Act] = (), *, models: Sequence[str] = ("small", "large"), **settings: Any) -> None:
        super().__init__(script, **settings)
        self.models.there = {name: Model(name, "any", "loopback") for name in models}

    def __enter__(self) -> Loopback:
        super().__enter__()
        return self
