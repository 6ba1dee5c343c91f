"""/v1/files: upload, list, read, content, delete."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.platform.faults import Fault, RefusedError, refuse
from tests.platform.fields import choice, integer

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


@dataclass
class Stored:
    """One file."""

    id: str
    filename: str
    purpose: str
    created_at: int
    content: bytes
    expires_at: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "object": "file", "bytes": len(self.content), "created_at": self.created_at, "expires_at": self.expires_at,
                "filename": self.filename, "purpose": self.purpose, "status": "processed", "status_details": None}  # fmt: skip


@dataclass
class Files:
    """Those that are there, oldest first."""

    there: dict[str, Stored] = field(default_factory=dict)
    largest: int = 512 << 20
    deleted: list[str] = field(default_factory=list)
    uploads: dict[str, Any] = field(default_factory=dict)
    """Uploads in parts (`tests.platform.uploads`)."""

    def find(self, id: str) -> Stored:
        if id not in self.there:
            raise RefusedError(Fault(404, f"No such File object: {id}", "invalid_request_error", None, "id"))
        return self.there[id]

    def put(self, platform: Platform, filename: str, purpose: str, content: bytes, lasts: int | None = None) -> Stored:
        with platform.lock:
            now = platform.now()
            one = Stored(platform.new_id("file-"), filename, purpose, now, content, now + lasts if lasts else None)
            self.there[one.id] = one
            return one


def create(platform: Platform, call: Call) -> dict[str, Any]:
    form = {name: value[1].decode() for name, value in call.form.items() if name != "file"}
    for name in ("file", "purpose"):
        if name not in call.form:
            raise refuse(f"'{name}' is a required property", None, name)
    for name in form:
        if name not in ("purpose", "expires_after[anchor]", "expires_after[seconds]"):
            raise refuse(f"Unrecognized request argument supplied: {name}")
    if form["purpose"] not in PURPOSES:
        raise refuse(f"'{form['purpose']}' is not one of {list(PURPOSES)} - 'purpose'", None, "purpose")
    lasts = _lasts(form)
    filename, content = call.form["file"]
    if not content:
        raise refuse("File is empty.", None, "file")
    if len(content) > platform.files.largest:
        raise RefusedError(Fault(413, f"Maximum content size limit ({platform.files.largest}) exceeded ({len(content)} bytes read)",
                                 "invalid_request_error"))  # fmt: skip
    if form["purpose"] in ("batch", "fine-tune"):
        _check_lines(filename, content, form["purpose"])
    return platform.files.put(platform, filename, form["purpose"], content, lasts).to_dict()


def _lasts(form: dict[str, str]) -> int | None:
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return 30 * 86400 if form["purpose"] == "batch" else None
    for name, value in (("anchor", anchor), ("seconds", seconds)):
        if value is None:
            raise refuse(f"Missing required parameter: 'expires_after.{name}'.", "missing_required_parameter", f"expires_after.{name}")
    choice("created_at")(anchor, "expires_after.anchor")
    if not str(seconds).isdigit():
        raise refuse("Invalid type for 'expires_after.seconds': expected an integer, but got a string instead.", "invalid_type",
                     "expires_after.seconds")  # fmt: skip
    integer(3600, 2_592_000)(int(str(seconds)), "expires_after.seconds")
    return int(str(seconds))


def _check_lines(filename: str, content: bytes, purpose: str) -> None:
    if not filename.endswith(".jsonl"):
        raise refuse(f"Invalid file format for {purpose}. Must be .jsonl", "invalid_file_format", "file")
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            if line.strip() and not isinstance(json.loads(line), dict):
                raise ValueError
        except ValueError:
            raise refuse("Expected file to have JSONL format, where every line is a JSON dictionary. "
                         f'Line {number} is not a dictionary (HINT: line starts with: "{line[:6].decode(errors="replace")}...").') from None  # fmt: skip


def every(platform: Platform, call: Call) -> dict[str, Any]:
    """A page of them, newest first."""
    for name in call.query:
        if name not in ("purpose", "limit", "order", "after"):
            raise refuse(f"Unrecognized request argument supplied: {name}")
    order, limit = call.query.get("order", "desc"), call.query.get("limit", "10000")
    choice("asc", "desc")(order, "order")
    integer(1, 10_000)(int(limit) if limit.lstrip("-").isdigit() else limit, "limit")
    found = [one for one in platform.files.there.values() if one.purpose == call.query.get("purpose", one.purpose)]
    return page(found if order == "asc" else found[::-1], call.query.get("after"), int(limit))


def page(found: list[Any], after: str | None, limit: int) -> dict[str, Any]:
    """So many of a list, from the one after `after`."""
    ids = [one.id for one in found]
    if after is not None and after not in ids:
        raise refuse(f"No such object: {after}", None, "after", 404)
    rest = found[ids.index(after) + 1 :] if after is not None else found
    some = [one.to_dict() for one in rest[:limit]]
    ends = {"first_id": some[0]["id"], "last_id": some[-1]["id"]} if some else {"first_id": None, "last_id": None}
    return {"object": "list", "data": some, **ends, "has_more": len(rest) > limit}


def one(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    return platform.files.find(id).to_dict()


def content(platform: Platform, call: Call, id: str) -> bytes:
    found = platform.files.find(id)
    if found.purpose in ("assistants", "vision", "user_data"):
        raise refuse(f"Not allowed to download files of purpose: {found.purpose}")
    return found.content


def delete(platform: Platform, call: Call, id: str) -> dict[str, Any]:
    platform.files.find(id)
    with platform.lock:
        del platform.files.there[id]
        platform.files.deleted.append(id)
    return {"id": id, "object": "file", "deleted": True}


ROUTES = [
    ("POST", "/v1/files", create), ("GET", "/v1/files", every), ("GET", r"/v1/files/([^/]+)", one),
    ("GET", r"/v1/files/([^/]+)/content", content), ("DELETE", r"/v1/files/([^/]+)", delete),
]  # fmt: skip
