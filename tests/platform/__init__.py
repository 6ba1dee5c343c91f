"""A stateful double of OpenAI's platform on loopback, to be driven through the official client.

    with Platform() as server:
        client = OpenAI(api_key=KEY, base_url=server.url)

One module per resource (`chat`, `completions`, `embeddings`, `models`, `files`, `batches`), each with its ROUTES; a further resource
is a module and a line in `server.RESOURCES`. Fields, types, ranges, error codes and headers are those of the published description;
what that refuses is refused here. What it cannot do: judge a key's rights, moderate, count tokens as a tokenizer does (four
characters are one), or take the time real work takes.
"""

from __future__ import annotations

from tests.platform.faults import Act, Fault, busy, no_credit, unsupported
from tests.platform.server import KEY, Limits, Platform

__all__ = ["KEY", "Act", "Fault", "Limits", "Platform", "busy", "no_credit", "unsupported"]
