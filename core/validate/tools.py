"""Tool definitions as tokens: the cookbook's formula for prompts. What they cost in training is not published.

| of | counts |
|---|---|
| every function | 7 tokens (10 for gpt-3.5 and gpt-4), and its "name:description" without a final full stop |
| its properties, if any | 3 |
| every property | 3, and its "name:type:description" |
| a property's enum | -3, and 3 and the text of every option |
| all tools together | 12 |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.validate.encodings import base_of


def tool_tokens(tools: Sequence[Any], count: Callable[[list[str]], list[int]], model: str = "") -> int:
    """Tokens of tool definitions in a prompt, as the cookbook estimates them."""
    texts, fixed = tool_parts(tools, model)
    return fixed + sum(count(texts))


def tool_parts(tools: Sequence[Any], model: str = "") -> tuple[list[str], int]:
    """(texts to count, tokens that come on top)."""
    base = base_of(model)
    per_function = 10 if base.startswith(("gpt-3.5", "gpt-4")) and not base.startswith(("gpt-4o", "gpt-4.1", "gpt-4.5")) else 7
    texts, fixed = [], 12
    for tool in tools:
        function = _object(tool.get("function", tool)) if isinstance(tool, dict) else {}
        fixed += per_function
        texts.append(f"{function.get('name', '')}:{_described(function)}")
        properties = _object(_object(function.get("parameters")).get("properties"))
        fixed += 3 if properties else 0
        for name, found in properties.items():
            field = _object(found)
            fixed += 3
            options = field.get("enum")
            if isinstance(options, list):
                fixed += 3 * len(options) - 3
                texts += [str(option) for option in options]
            texts.append(f"{name}:{field.get('type', '')}:{_described(field)}")
    return texts, fixed


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _described(value: dict[str, Any]) -> str:
    return str(value.get("description") or "").removesuffix(".")
