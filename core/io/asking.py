"""What a prompted predictor takes from outside, made from a request: who answers, the prompt, what is searched, how often is asked.

A request may hold: provider {name, model, base_url, rates, parallel}, budget (USD), prompt {system, user, max_tokens} with what
differs from the version's, retries, source (`core.io.passages.Source`). It never holds a key: keys come with the job's environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import SettingsError
from core.io import passages
from core.predict.registry import entry, title_of
from core.prediction import Examples
from core.prompt import Prompt, default_prompt
from core.version import Version

Say = Callable[[int, int, str], None]
MODEL = "SmolLM2"
"""What {model} in a title is for the built-in model."""
MOST_RETRIES = 3
USUAL = {"shots": 4, "search": "text", "choose": "spread", "longest": 600}
"""What a predictor's settings are unless somebody says otherwise: what differs stands in its title."""


def language_model(
    provider: Mapping[str, Any] | None, kind: str, say: Say, environment: Mapping[str, str], budget: float | None = None
) -> tuple[Callable[..., Sequence[Any]], dict[str, Any]]:
    """What answers chats, and what is written about it. The built-in model is prepared first when it never was."""
    chosen = dict(provider or {})
    name = chosen.pop("name", "embedded")
    if name == "embedded":
        from core.io import embedded

        embedded.ensure_converted(say)
        one_line = kind != "chat"

        def complete(requests: Sequence[Any], **how: Any) -> Sequence[Any]:
            return embedded.engine().complete(requests, stop_at_newline=one_line, **how)

        return complete, {"model": embedded.TITLE}
    from core.io.providers import connect

    known = {key: value for key, value in chosen.items() if key in ("model", "base_url", "rates", "parallel") and value}
    remote = connect(name, environment=environment, budget=budget, **known)
    return remote.complete, {"provider": name, "model": remote.model}


def prompt_of(version: Version, train: Examples, changes: Mapping[str, Any] | None = None) -> Prompt:
    """The version's prompt, or the usual one for its task, with these fields changed. Raises SettingsError for an impossible one."""
    from core.format import unit_of

    usual = version.prompt or default_prompt(version.task or "chat", version.roles, train.labels, unit_of(version.roles.target))
    return changed(usual, changes)


def changed(prompt: Prompt, changes: Mapping[str, Any] | None) -> Prompt:
    """The prompt with the fields that are named and not None."""
    new = {name: value for name, value in (changes or {}).items() if value is not None}
    unknown = sorted(set(new) - set(Prompt.__dataclass_fields__))
    if unknown:
        raise SettingsError(f"A prompt has no field {', '.join(unknown)}.", title="Unknown field")
    return replace(prompt, **new)


def retries_of(request: Mapping[str, Any]) -> int:
    """How often an unreadable reply is asked for again. Raises SettingsError outside 0 to MOST_RETRIES."""
    number = int(request.get("retries") or 0)
    if not 0 <= number <= MOST_RETRIES:
        raise SettingsError(f"retries is {number}; it is 0 to {MOST_RETRIES}.", title="Too many retries")
    return number


def given_for(
    name: str,
    settings: Mapping[str, Any],
    source: Mapping[str, Any] | None,
    version: Version | None,
    rows: tuple[Examples, Examples],
    say: Say | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a prompted predictor takes besides prompt and model, and what is written about it in its evaluation's notes."""
    kind, given, notes = entry(name), {}, {}
    if "encode" in kind.takes and settings.get("search") == "meaning":
        given["encode"] = passages.encoder(say)
    if "passages" in kind.needs:
        found = passages.read(passages.Source.from_dict(source or {}), version, *rows)
        given["passages"] = found.passages
        notes = {"passages": found.told, "passages_n": len(found.passages), "passages_left_out": found.left_out}
    return given, notes


def titled(name: str, request: Mapping[str, Any]) -> str:
    """What the predictor is called on the ladder: the model, and in brackets what differs from the usual settings."""
    kind = entry(name)
    model = (request.get("provider") or {}).get("model") or MODEL
    title = kind.title.replace("{model}", model)
    if "complete" not in kind.needs:
        return title_of(name, request.get("settings", {}).get(name))
    settings = request.get("settings", {}).get(name, {})
    apart = [f"{settings['shots']}" if settings.get("shots", 4) != USUAL["shots"] else ""]
    apart += ["by meaning" if settings.get("search", "text") != USUAL["search"] else ""]
    apart += [str(settings["choose"]) if settings.get("choose", "spread") != USUAL["choose"] else ""]
    apart += [f"{settings['longest']} characters" if settings.get("longest", 600) != USUAL["longest"] else ""]
    apart += ["own prompt" if request.get("prompt") else "", "asked again" if request.get("retries") else ""]
    told = ", ".join(part for part in apart if part)
    return f"{title} ({told})" if told else title
