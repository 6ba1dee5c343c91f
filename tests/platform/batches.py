"""/v1/batches: a file of requests that is worked through later. Each look at a batch moves it one state on.

validating -> in_progress -> finalizing -> completed, or failed (the file is wrong), expired (the window ended), cancelling -> cancelled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.platform import chat, completions, embeddings
from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import METADATA, check_body, choice, integer, record, string
from tests.platform.files import page

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

ENDPOINTS = {"/v1/chat/completions": chat.create, "/v1/completions": completions.create, "/v1/embeddings": embeddings.create}
"""Those of the published eight that are worked through here."""
_ALL = ("/v1/responses", *ENDPOINTS, "/v1/moderations", "/v1/images/generations", "/v1/images/edits", "/v1/videos")
FIELDS = {
    "completion_window": choice("24h"), "endpoint": choice(*_ALL), "input_file_id": string(), "metadata": METADATA,
    "output_expires_after": record({"anchor": choice("created_at"), "seconds": integer(3600, 2_592_000)}, ["anchor", "seconds"]),
}  # fmt: skip
_MOMENTS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


@dataclass
class Batch:
    """One batch. `fate` is where it ends: completed | failed | expired | stuck (never leaves in_progress)."""

    id: str
    endpoint: str
    input_file_id: str
    created_at: int
    metadata: dict[str, str] | None
    fate: str = "completed"
    model: str | None = None
    status: str = "validating"
    moments: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"total": 0, "completed": 0, "failed": 0})
    errors: list[dict[str, Any]] = field(default_factory=list)
    output: str | None = None
    error: str | None = None
    used: list[int] = field(default_factory=lambda: [0, 0])

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id, "object": "batch", "endpoint": self.endpoint, "model": self.model,
            "errors": {"object": "list", "data": self.errors} if self.errors else None, "input_file_id": self.input_file_id,
            "completion_window": "24h", "status": self.status, "output_file_id": self.output, "error_file_id": self.error,
            "created_at": self.created_at, "expires_at": self.created_at + 86400,
            **{f"{name}_at": self.moments.get(name) for name in _MOMENTS}, "request_counts": dict(self.counts), "metadata": self.metadata,
            "usage": {"input_tokens": self.used[0], "input_tokens_details": {"cached_tokens": 0}, "output_tokens": self.used[1],
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": sum(self.used)},
        }  # fmt: skip


@dataclass
class Batches:
    """Those that are there, and how the next ones will end."""

    there: dict[str, Batch] = field(default_factory=dict)
    fates: list[str] = field(default_factory=list)
    most: int = 50_000
    largest: int = 200 << 20
    enqueued: int = 90_000_000
    """Tokens that may wait in all."""

    def find(self, id: str) -> Batch:
        if id not in self.there:
            raise RefusedError(Fault(404, f"No batch found with id '{id}'.", "invalid_request_error"))
        return self.there[id]


def create(platform: Platform, call: Call) -> dict[str, Any]:
    body = call.body
    check_body(body, FIELDS, ["input_file_id", "endpoint", "completion_window"])
    stored = platform.files.find(body["input_file_id"])
    if stored.purpose != "batch":
        raise refuse(f"Invalid purpose '{stored.purpose}' for file '{stored.id}'. The input file's purpose must be 'batch'.",
                     "invalid_file_purpose", "input_file_id")  # fmt: skip
    with platform.lock:
        fate = platform.batches.fates.pop(0) if platform.batches.fates else "completed"
        made = Batch(platform.new_id("batch_"), body["endpoint"], stored.id, platform.now(), body.get("metadata"), fate)
        platform.batches.there[made.id] = made
    return made.to_dict()


def every(platform: Platform, call: Call) -> dict[str, Any]:
    for name in call.query:
        if name not in ("limit", "after"):
            raise refuse(f"Unrecognized request argument supplied: {name}")
    limit = call.query.get("limit", "20")
    integer(1, 100)(int(limit) if limit.lstrip("-").isdigit() else limit, "limit")
    return page(list(platform.batches.there.values())[::-1], call.query.get("after"), int(limit))


def one(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    """As it stands after one more step."""
    with platform.lock:
        found = platform.batches.find(id)
        _advance(platform, found)
        return found.to_dict()


def cancel(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    with platform.lock:
        found = platform.batches.find(id)
        if found.status not in ("validating", "in_progress", "finalizing"):
            raise RefusedError(Fault(409, f"Cannot cancel a batch with status '{found.status}'.", "invalid_request_error"))
        found.fate = "cancelled" if found.status != "validating" else "cancelled early"
        _turn(platform, found, "cancelling")
        return found.to_dict()


ROUTES = [
    ("POST", "/v1/batches", create), ("GET", "/v1/batches", every), ("GET", r"/v1/batches/([^/]+)", one),
    ("POST", r"/v1/batches/([^/]+)/cancel", cancel),
]  # fmt: skip


def _turn(platform: Platform, batch: Batch, status: str) -> None:
    batch.status = status
    batch.moments[status] = platform.now()


def _advance(platform: Platform, batch: Batch) -> None:
    if batch.status == "validating":
        lines = _lines(platform, batch)
        if batch.errors:
            _turn(platform, batch, "failed")
        else:
            batch.counts["total"] = len(lines)
            _turn(platform, batch, "in_progress")
    elif batch.status == "in_progress" and batch.fate != "stuck":
        if batch.fate == "expired":
            _work(platform, batch, "expired")
        else:
            _turn(platform, batch, "finalizing")
    elif batch.status == "finalizing":
        _work(platform, batch, "completed")
    elif batch.status == "cancelling":
        _work(platform, batch, "cancelled")


def _lines(platform: Platform, batch: Batch) -> list[dict[str, Any]]:
    """The requests; what is wrong with the file goes to `errors`."""
    content = platform.files.there[batch.input_file_id].content if batch.input_file_id in platform.files.there else b""
    lines: list[dict[str, Any]] = [json.loads(line) for line in content.split(b"\n") if line.strip()]
    limits = platform.batches
    wrong = batch.errors
    if batch.fate == "failed":
        wrong.append(_error("server_error", "The batch could not be processed.", None))
    if not lines:
        wrong.append(_error("empty_file", "The input file is empty. Please ensure that the batch contains at least one request.", None))
    if len(lines) > limits.most or len(content) > limits.largest:
        wrong.append(
            _error("invalid_file_size", f"The batch input file is larger than {limits.most} requests or {limits.largest} bytes.", None)
        )
    if len(content) // 4 > limits.enqueued:
        wrong.append(_error("token_limit_exceeded", f"Enqueued token limit reached. Limit: {limits.enqueued:,} enqueued tokens. Please try again "
                            "once some in_progress batches have been completed.", None))  # fmt: skip
    seen: set[str] = set()
    models = {json.dumps(line.get("body", {}).get("model")) for line in lines if isinstance(line.get("body"), dict)}
    for number, line in enumerate(lines, 1):
        for name in ("custom_id", "method", "url", "body"):
            if name not in line:
                wrong.append(_error("missing_required_parameter", f"Missing required parameter: '{name}'.", number, name))
        for name in set(line) - {"custom_id", "method", "url", "body"}:
            wrong.append(_error("unknown_parameter", f"Unknown parameter: '{name}'.", number, name))
        if line.get("method", "POST") != "POST":
            wrong.append(_error("invalid_method", "Only POST requests are supported.", number, "method"))
        if line.get("url", batch.endpoint) != batch.endpoint:
            wrong.append(
                _error(
                    "invalid_url", f"The URL provided for this request does not match the batch endpoint '{batch.endpoint}'.", number, "url"
                )
            )
        if line.get("custom_id") in seen:
            wrong.append(_error("duplicate_custom_id", f"The custom_id '{line['custom_id']}' for this request is a duplicate of another request. The "
                                "custom_id parameter must be unique for each request in a batch.", number, "custom_id"))  # fmt: skip
        seen.add(str(line.get("custom_id")))
    if len(models) > 1:
        wrong.append(_error("mismatched_model", "All requests in a batch must use the same model.", 2, "body.model"))
    name = next(iter(lines), {}).get("body", {}).get("model")
    if name is not None and name not in platform.models.there:
        wrong.append(_error("model_not_found", f"The provided model '{name}' is not supported by the Batch API.", 1, "body.model"))
    batch.model = name
    return lines


def _error(code: str, message: str, line: int | None, param: str | None = None) -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": param}


def _work(platform: Platform, batch: Batch, ends: str) -> None:
    """Answer the requests (half of them when the batch expires or is cancelled) and write both files."""
    from tests.platform.server import Call

    lines = _lines(platform, batch) if batch.fate != "cancelled early" else []
    batch.errors.clear()
    done = len(lines) if ends == "completed" else len(lines) // 2
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        told = {"id": platform.new_id("batch_req_"), "custom_id": line["custom_id"]}
        if number >= done:
            words = "This request could not be executed before the completion window expired."
            words = words if ends == "expired" else "This request was not executed because the batch was cancelled."
            bad.append({**told, "response": None, "error": {"code": f"batch_{ends}", "message": words}})
            continue
        request = {"request_id": platform.new_id("req_")}
        try:
            made: Any = ENDPOINTS[batch.endpoint](platform, Call("POST", batch.endpoint, {}, {}, body=line["body"]))
            good.append({**told, "response": {"status_code": 200, **request, "body": made}, "error": None})
            batch.used[0] += made["usage"]["prompt_tokens"]
            batch.used[1] += made["usage"].get("completion_tokens", 0)
        except RefusedError as refused:
            bad.append({**told, "response": {"status_code": refused.fault.status, **request, "body": refused.fault.body}, "error": None})
    batch.counts = {"total": len(lines), "completed": len(good), "failed": len(bad)}
    batch.output, batch.error = (_written(platform, batch, name, rows) for name, rows in (("output", good[::-1]), ("error", bad)))
    _turn(platform, batch, ends)


def _written(platform: Platform, batch: Batch, name: str, rows: list[dict[str, Any]]) -> str | None:
    """A result file; its lines stand in no particular order."""
    if not rows:
        return None
    content = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    return platform.files.put(platform, f"{batch.id}_{name}.jsonl", "batch_output", content).id
