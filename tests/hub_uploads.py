"""What the Hub answers to somebody who writes: a new repository, preupload, LFS batch, upload and verify, the commit.

As huggingface_hub 2.4 speaks to it when files come as open streams (plain HTTP, no Xet). A commit that names an LFS object
nobody uploaded is refused, as the Hub does.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import yaml

LARGE = (".parquet", ".safetensors", ".gguf")
"""Endings of files that are uploaded beside the commit."""


def answer(hub: Any, repo_class: Any, method: str, path: str, token: str | None, body: bytes) -> tuple[int, Any, str]:
    """(status, JSON body, X-Error-Code) for a POST or PUT; `hub` holds repos, writers and the uploaded objects."""
    if method == "PUT":
        return _put(hub, path, body)
    if token not in hub.writers:
        known = token is not None and token.startswith("hf_")
        return (
            (403, {"error": "You don't have the rights to create a dataset under this namespace"}, "")
            if known
            else (401, {"error": "Invalid"}, "")
        )
    asked = {} if path.endswith(("/commit/main",)) else json.loads(body or b"{}")
    if path == "/api/repos/create":
        return _create(hub, repo_class, asked, token)
    if path == "/api/validate-yaml":
        return _validate(asked["content"])
    if path.endswith(".git/info/lfs/objects/batch"):
        return 200, {"transfer": "basic", "objects": [_object(hub, one) for one in asked["objects"]]}, ""
    if path == "/lfs-verify":
        right = len(hub.objects.get(asked["oid"], b"")) == asked["size"]
        return (200, {}, "") if right else (404, {"error": "not uploaded"}, "")
    path = path.removeprefix("/api/datasets/").removeprefix("/api/models/")
    id, _, rest = path.partition("/preupload/")
    if rest:
        modes = [{"path": one["path"], "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular", "shouldIgnore": False}
                 for one in asked["files"]]  # fmt: skip
        return (200, {"files": modes}, "") if id in hub.repos else (404, {"error": "Repository not found"}, "RepoNotFound")
    id, _, rest = path.partition("/commit/")
    return _commit(hub, id, body) if rest and id in hub.repos else (404, {"error": "Repository not found"}, "RepoNotFound")


def content(headers: Any, stream: Any) -> bytes:
    """A request's content, sent whole or in chunks."""
    if headers.get("transfer-encoding", "") != "chunked":
        return stream.read(int(headers.get("content-length", 0)))
    parts = []
    while size := int(stream.readline().strip() or b"0", 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)


def _create(hub: Any, repo_class: Any, asked: dict[str, Any], token: str | None) -> tuple[int, Any, str]:
    id = f"{asked['organization']}/{asked['name']}"
    told = {"url": f"{hub.url}/{'datasets/' if asked.get('type') == 'dataset' else ''}{id}", "name": id}
    if id in hub.repos:
        return 409, {**told, "error": "You already created this dataset repo"}, ""
    private = asked.get("visibility") == "private"
    made = hub.repos[id] = repo_class(private=private, let_in={token})
    made.commit({".gitattributes": b"*.parquet filter=lfs\n"})
    return 200, told, ""


def _validate(content: str) -> tuple[int, Any, str]:
    front = content.split("---\n")[1] if content.startswith("---\n") else ""
    try:
        yaml.safe_load(front)
    except yaml.YAMLError as error:
        return 400, {"errors": [{"message": str(error)}], "warnings": []}, ""
    return 200, {"errors": [], "warnings": []}, ""


def _object(hub: Any, one: dict[str, Any]) -> dict[str, Any]:
    if one["oid"] in hub.objects:
        return one
    upload = {"href": f"{hub.url}/lfs-upload/{one['oid']}"}
    return {**one, "actions": {"upload": upload, "verify": {"href": f"{hub.url}/lfs-verify"}}}


def _put(hub: Any, path: str, body: bytes) -> tuple[int, Any, str]:
    oid = path.removeprefix("/lfs-upload/")
    if hub.refuse_uploads or hashlib.sha256(body).hexdigest() != oid:
        return 400, {"error": "The checksum did not match"}, ""
    hub.objects[oid] = body
    return 200, {}, ""


def _commit(hub: Any, id: str, body: bytes) -> tuple[int, Any, str]:
    repo = hub.repos[id]
    content = dict(repo.files[repo.refs["main"]])
    for line in map(json.loads, body.splitlines()):
        one = line["value"]
        if line["key"] == "file":
            content[one["path"]] = base64.b64decode(one["content"])
        elif line["key"] == "lfsFile":
            if one["oid"] not in hub.objects:
                return 400, {"error": f"LFS pointer pointed to a file that does not exist: {one['path']}"}, ""
            content[one["path"]] = hub.objects[one["oid"]]
    sha = repo.commit(content)
    return 200, {"success": True, "commitOid": sha, "commitUrl": f"{hub.url}/datasets/{id}/commit/{sha}", "hookOutput": ""}, ""
