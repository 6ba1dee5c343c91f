"""POST /v1/embeddings: three numbers for each text, the first its length."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from tests.platform.chat import tokens_of
from tests.platform.faults import refuse
from tests.platform.fields import array, check_body, choice, either, integer, string

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

_MANY = array(either((str, string(shortest=1)), (int, integer(0)), (list, array(integer(0), 1, 2048))), 1, 2048)
FIELDS = {
    "input": either((str, string(shortest=1)), (list, _MANY)), "model": string(), "dimensions": integer(1),
    "encoding_format": choice("float", "base64"), "user": string(),
}  # fmt: skip


def create(platform: Platform, call: Call, act: str = "ok") -> dict[str, Any]:
    """One vector for each input, in no particular order: `index` tells which."""
    body = call.body
    check_body(body, FIELDS, ["model", "input"])
    platform.models.find(body["model"], "embedding")
    given = body["input"]
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    if any(tokens_of(one) > 8192 for one in inputs):
        raise refuse("Invalid 'input': maximum context length is 8192 tokens.", None, "input")
    width = body.get("dimensions") or 3
    rows = [[float(len(one)), 1.0, 0.5, *[0.0] * max(0, width - 3)][:width] for one in inputs]
    coded = body.get("encoding_format") == "base64"
    data = [{"object": "embedding", "index": i, "embedding": base64.b64encode(struct.pack(f"<{width}f", *row)).decode() if coded else row}
            for i, row in enumerate(rows)]  # fmt: skip
    used = sum(tokens_of(one) for one in inputs)
    return {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": used, "total_tokens": used}}


ROUTES = [("POST", "/v1/embeddings", create)]
