"""/v1/uploads: begin, part, complete, cancel: a large file in parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, Any

from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import anything, array, check_body, choice, integer, string
from tests.platform.files import PURPOSES, _check_lines

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

LASTS = 3600
"""Seconds after which an upload that was not completed is gone."""
PART = 64 << 20
FIELDS = {
    "bytes": integer(1, 8 << 30),
    "filename": string(),
    "mime_type": string(),
    "purpose": choice(*PURPOSES),
    "expires_after": anything,
}


@dataclass
class Upload:
    """One upload; its parts by id, in order of arrival."""

    id: str
    bytes: int
    filename: str
    purpose: str
    created_at: int
    status: str = "pending"
    parts: dict[str, bytes] = field(default_factory=dict)
    file: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "object": "upload", "bytes": self.bytes, "created_at": self.created_at, "filename": self.filename,
                "purpose": self.purpose, "status": self.status, "expires_at": self.created_at + LASTS, "file": self.file}  # fmt: skip


def create(platform: Platform, call: Call) -> dict[str, Any]:
    check_body(call.body, FIELDS, ["bytes", "filename", "mime_type", "purpose"])
    body = call.body
    if body["purpose"] in ("batch", "fine-tune") and body["mime_type"] not in ("text/jsonl", "application/jsonl", "application/json"):
        raise refuse(f"Invalid mime_type for {body['purpose']}: {body['mime_type']}", None, "mime_type")
    with platform.lock:
        one = Upload(platform.new_id("upload_"), body["bytes"], body["filename"], body["purpose"], platform.now())
        platform.files.uploads[one.id] = one
        return one.to_dict()


def part(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    found = _pending(platform, id)
    if "data" not in call.form:
        raise refuse("'data' is a required property", None, "data")
    content = call.form["data"][1]
    if len(content) > PART:
        raise RefusedError(Fault(413, f"Maximum content size limit ({PART}) exceeded ({len(content)} bytes read)", "invalid_request_error"))
    if sum(map(len, found.parts.values())) + len(content) > found.bytes:
        raise refuse(f"The parts of {id} are larger than the {found.bytes} bytes it was created with.", None, "data")
    with platform.lock:
        made = platform.new_id("part_")
        found.parts[made] = content
        return {"id": made, "object": "upload.part", "created_at": platform.now(), "upload_id": id}


def complete(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    found = _pending(platform, id)
    check_body(call.body, {"part_ids": array(string()), "md5": string()}, ["part_ids"])
    unknown = [one for one in call.body["part_ids"] if one not in found.parts]
    if unknown:
        raise refuse(f"No such part: {unknown[0]}", None, "part_ids", 404)
    content = b"".join(found.parts[one] for one in call.body["part_ids"])
    if len(content) != found.bytes:
        raise refuse(f"The parts hold {len(content)} bytes; the upload was created with {found.bytes}.", None, "part_ids")
    if "md5" in call.body and md5(content, usedforsecurity=False).hexdigest() != call.body["md5"]:
        raise refuse("The md5 checksum does not match.", None, "md5")
    if found.purpose in ("batch", "fine-tune"):
        _check_lines(found.filename, content, found.purpose)
    found.file = platform.files.put(platform, found.filename, found.purpose, content).to_dict()
    found.status = "completed"
    return found.to_dict()


def cancel(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    found = _pending(platform, id)
    found.status = "cancelled"
    return found.to_dict()


def _pending(platform: Platform, id: str) -> Upload:
    if id not in platform.files.uploads:
        raise RefusedError(Fault(404, f"No such Upload object: {id}", "invalid_request_error", None, "id"))
    found = platform.files.uploads[id]
    if found.status == "pending" and platform.now() > found.created_at + LASTS:
        found.status = "expired"
    if found.status != "pending":
        raise refuse(f"Upload {id} is already {found.status}.")
    return found


ROUTES = [
    ("POST", "/v1/uploads", create), ("POST", r"/v1/uploads/([^/]+)/parts", part), ("POST", r"/v1/uploads/([^/]+)/complete", complete),
    ("POST", r"/v1/uploads/([^/]+)/cancel", cancel),
]  # fmt: skip
