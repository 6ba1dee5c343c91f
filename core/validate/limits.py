"""What the hosted platforms allow in a training file, in one place, with sources.

Source: OpenAI's fine-tuning guides, its OpenAPI description and its Files page, as read on the day of AS_OF. Other hosts
(Together, Fireworks and others) take the same chat lines with limits of their own, which are not known here.
"""

from __future__ import annotations

AS_OF = "2026-11-21"
MIN_EXAMPLES = 10
FEW_EXAMPLES = 50
MAX_BYTES = 512_000_000
MAX_IMAGES = 10
MAX_IMAGE_EXAMPLES = 50_000
ROLES = ("developer", "system", "user", "assistant", "tool", "function")
MESSAGE_KEYS = ("role", "content", "name", "weight", "refusal", "tool_calls", "tool_call_id", "function_call")
EXAMPLE_KEYS = ("messages", "tools", "parallel_tool_calls", "functions")
PART_TYPES = ("text", "image_url", "refusal")

CLASSIC_ROLES = ("system", "user", "assistant", "function")
CLASSIC_KEYS = ("role", "content", "name", "function_call", "weight")
CLASSIC_LIMIT = 16_385
"""Tokens of one example in the cookbook's notebook."""

_SFT, _BEST, _SPEC, _VISION = (
    "guide to supervised fine-tuning",
    "guide, best practices",
    "OpenAPI description",
    "guide to vision fine-tuning",
)
LIMITS = (
    ("examples in a training file", "at least 10; 50 is where the guide says to start; no maximum is published", _SFT),
    ("tokens of one example", "65,536: gpt-4.1, gpt-4.1-mini, gpt-4.1-nano, gpt-4o-2024-08-06, gpt-4o-mini-2024-07-18", _BEST),
    ("tokens of one example, older models", "16,385: gpt-3.5-turbo-0125 and -1106; 4,096: -0613", "older guide"),
    ("longer examples", "cut at the end, not refused", _BEST),
    ("tokens of question and answer", "128,000 for fine-tunes of gpt-4.1 and gpt-4o", _BEST),
    ("size of the file", "512 MB through Files, 8 GB through Uploads; JSON lines only", "Files reference"),
    ("roles", "developer, system, user, assistant, tool, function (deprecated)", _SPEC),
    ("keys of a message", ", ".join(MESSAGE_KEYS[:-1]) + ", function_call (deprecated)", _SPEC),
    ("keys of an example", "messages, tools, parallel_tool_calls, functions (deprecated)", _SPEC),
    ("content", "text, or a list of text and image parts; null only beside tool_calls, function_call or refusal", _SPEC),
    ("weight", "0 or 1, on assistant messages only", _SPEC),
    ("images", "at most 10 an example, 10 MB each, 50,000 examples with one; none in an assistant message", _VISION),
    ("preference files", "one chosen and one rejected assistant message each; text only, one turn", "guide to preference tuning"),
    ("epochs", "1 to 50; the cookbook's rule of thumb: 3, more below 34 examples (at most 25), fewer above 8,333", _SPEC),
    ("checkpoints", "one per epoch, the last 3 are kept", _SFT),
    ("control tokens", "text such as <|im_end|> or <|fim_suffix|> is refused", "messages of failed jobs"),
    ("batch", "50,000 requests, 200 MB, answered within 24 hours", _SPEC),
)
"""(what, limit, where it is stated)."""
