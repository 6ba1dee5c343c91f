"""Who answers chat requests: the built-in model, OpenAI (at once, or in batches at half price), any address of its protocol.

Every provider has `complete(requests, ...) -> list[Reply]`: same length, same order, one Reply per request, failures included.
Importing this package imports neither torch nor openai.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from core.errors import SettingsError
from core.prompt import Message
from core.reply import Reply

Progress = Callable[[int, int, str], None]
Arrived = Callable[[int, Reply], None]
"""Called with the request's place and its reply, as each arrives, in the caller's thread."""


class Provider(Protocol):
    """Answers chats. `rates` are USD per million tokens in and out, None when no price is known."""

    name: str
    model: str
    rates: tuple[float, float] | None

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
        """One reply per request, in order. `seed` is one for all or one each: what is drawn, and remembered, depends on it. `schema` is
        a JSON schema of the reply, for those who keep to one; others ignore it, so replies are still to be read with care.

        Raises ProviderError when going on makes no sense (key refused, no such model), Paused when the same run may be resumed
        later (busy, failing, stalled, no credit); what arrived before was handed to `arrived`.
        """
        ...

    def models(self) -> list[str]:
        """The names of the models there are."""
        ...


@dataclass(frozen=True)
class Entry:
    """One line of the registry."""

    title: str
    path: str
    """module:class, imported when it is connected."""
    needs_key: bool
    meaning: str
    """One sentence for the page."""
    model: str = ""
    """The model that is proposed."""


PROVIDERS: dict[str, Entry] = {
    "embedded": Entry(
        "Built-in model", "core.io.providers.local:Embedded", False, "Free, offline, writes simply.", "SmolLM2-135M-Instruct"
    ),
    "openai": Entry(
        "OpenAI", "core.io.providers.hosted:OpenAIHosted", True, "Paid per token; needs a key; the rows leave this machine.", "gpt-4o-mini"
    ),
    "compatible": Entry(
        "Compatible address",
        "core.io.providers.hosted:Compatible",
        False,
        "Any server that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, LM Studio, Together; the rows go to that address.",
        "",
    ),
}


def entry(name: str) -> Entry:
    """Raises SettingsError naming the choices."""
    if name not in PROVIDERS:
        raise SettingsError(f"There is no provider '{name}'. Choose one of {', '.join(PROVIDERS)}.", title="Unknown provider")
    return PROVIDERS[name]


def connect(name: str, **settings: Any) -> Provider:
    """The provider of that name, ready to answer. Nothing is sent yet.

    Settings of hosted ones: model, base_url, key (session memory) or environment (mapping, default os.environ), budget (USD),
    parallel, rates, keep (whether replies are remembered in the workspace); of the embedded one: engine, adapter.
    """
    module, kind = entry(name).path.split(":")
    return getattr(import_module(module), kind)(**settings)


@dataclass(frozen=True)
class Connection:
    """What a test of an address and key found."""

    models: tuple[str, ...]
    seconds: float


def test_connection(name: str, **settings: Any) -> Connection:
    """Ask for the list of models: free, and it needs a right key. Raises ProviderError with the endpoint's words."""
    import time

    start = time.perf_counter()
    found = connect(name, **settings).models()
    return Connection(tuple(found), time.perf_counter() - start)


test_connection.__test__ = False  # type: ignore[attr-defined]  # not a test, although its name begins so


def public_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that may be written beside results: never the key, the environment or live objects."""
    return {
        name: settings[name] for name in ("model", "base_url", "budget", "parallel", "rates", "adapter") if settings.get(name) is not None
    }
