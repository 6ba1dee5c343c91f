"""What the hosted platforms allow in a training file, in one place.

Source: OpenAI's fine-tuning guides, its OpenAPI description and its Files page, as read on 21 November 2026. Other hosts
(Together, Fireworks and others) take the same chat lines with limits of their own, which are not known here.

| what | limit |
|---|---|
| examples in a training file | at least 10; 50 is where the guide says to start; no maximum is published |
| tokens of one example | 65,536 (gpt-4.1 family, gpt-4o, gpt-4o-mini); 16,385 (gpt-3.5-turbo, babbage-002, davinci-002) |
| longer examples | cut at the end, not refused |
| size of the file | 512 MB through Files, 8 GB through Uploads; JSON lines only |
| roles | developer, system, user, assistant, tool, function (deprecated) |
| keys of a message | role, content, name, weight, refusal, tool_calls, tool_call_id, function_call (deprecated) |
| keys of an example | messages, tools, parallel_tool_calls, functions (deprecated) |
| content | text, or a list of text and image parts; null only beside tool_calls, function_call or refusal |
| weight | 0 or 1, on assistant messages only |
| images | at most 10 an example and 50,000 examples with one; none in an assistant message |
| preference files | one chosen and one rejected assistant message each |
| epochs | 1 to 50; the old rule of thumb here: 3, more below 34 examples (at most 25), fewer above 8,333 |
| control tokens | text such as <|im_end|> or <|fim_suffix|> is refused |
"""

from __future__ import annotations

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
