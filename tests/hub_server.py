"""A loopback double of the Hugging Face Hub, as huggingface_hub 2.4 speaks to it.

Info of datasets and models, paged file trees, files with ranges behind a redirect to another host, branches and commits, private and gated
repositories with the Hub's own status codes and X-Error-Code headers, and planted troubles: a file that breaks off, one that is
damaged where it is kept, one that stalls, an answer of 503.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from tests import hub_uploads

TOKEN = "hf_canary_0123456789abcdef"
WRITER = "hf_writes_for_this_session_only"
PAGE = 5
"""Entries of a page of the tree: small, so that every test meets several."""


@dataclass
class Repo:
    """One dataset or model: its files at each commit, and who may read it."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Commit -> path -> content."""
    refs: dict[str, str] = field(default_factory=dict)
    """Branch, tag or ref -> commit."""
    card: dict[str, Any] | None = None
    private: bool = False
    gated: bool = False
    let_in: set[str] = field(default_factory=set)
    """Tokens that may read what is gated or private."""
    trouble: dict[str, str] = field(default_factory=dict)
    """Path -> break (once), breaks (always), stall, short (ends before its listed size), 503."""

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        """Put these files on a branch; returns the commit."""
        sha = hashlib.sha1(repr(sorted((p, hashlib.sha256(d).hexdigest()) for p, d in files.items())).encode()).hexdigest()
        self.files[sha], self.refs[ref] = dict(files), sha
        return sha

    def at(self, revision: str) -> str | None:
        return self.refs.get(revision) or (revision if revision in self.files else None)


class Hub:
    """The server; use it in a `with` block and set HF_ENDPOINT to its `url`."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, path with query, headers in small letters."""
        self.bytes = 0
        """Of file content that went out."""
        self.down = 0
        """Answer so many further requests with 503."""
        self.writers: set[str] = set()
        """Tokens that may make repositories and write to them."""
        self.objects: dict[str, bytes] = {}
        """Uploaded large files: sha256 -> content."""
        self.refuse_uploads = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def repo(self, id: str, files: dict[str, bytes] | None = None, **settings: Any) -> Repo:
        """A repository with these files on main."""
        made = self.repos[id] = Repo(**settings)
        if files is not None:
            made.commit(files)
        return made

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


def parquet(frame: pd.DataFrame, row_group: int = 100) -> bytes:
    """A frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, row_group_size=row_group)
    return buffer.getvalue()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_HEAD(self) -> None:
            self._serve()

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._write()

        def do_PUT(self) -> None:
            self._write()

        def _write(self) -> None:
            hub.requests.append((self.command, self.path, {k.casefold(): v for k, v in self.headers.items()}))
            body = hub_uploads.content(self.headers, self.rfile)
            if hub.down:
                hub.down -= 1
                return self._refuse(503, "", "Service Unavailable")
            path = unquote(urlsplit(self.path).path)
            status, told, code = hub_uploads.answer(hub, Repo, self.command, path, self._token(), body)
            self._send(status, json.dumps(told).encode(), {"content-type": "application/json", **({"x-error-code": code} if code else {})})
            return None

        def _serve(self) -> None:
            hub.requests.append((self.command, self.path, {k.casefold(): v for k, v in self.headers.items()}))
            parts = urlsplit(self.path)
            path, query = unquote(parts.path), parse_qs(parts.query)
            try:
                if hub.down:
                    hub.down -= 1
                    return self._refuse(503, "", "Service Unavailable")
                for kind in ("datasets", "models"):
                    start = f"/api/{kind}/"
                    if path.startswith(start):
                        return self._api(path.removeprefix(start), parts.path.removeprefix(start), query, kind)
                if "/resolve/" in path and not path.startswith("/cdn/"):
                    return self._resolve(path.removeprefix("/datasets/").removeprefix("/"), parts.path)
                if path.startswith("/cdn/"):
                    return self._file(path.removeprefix("/cdn/"))
                return self._refuse(404, "", "Sorry, we can't find the page you are looking for.")
            except (BrokenPipeError, ConnectionResetError):
                return None

        def _token(self) -> str | None:
            held = self.headers.get("authorization", "")
            return held.removeprefix("Bearer ") if held.startswith("Bearer ") else None

        def _allowed(self, id: str, *, content: bool) -> Repo | None:
            """The repository, or None after the refusal the Hub gives."""
            repo, token = hub.repos.get(id), self._token()
            if token is not None and not token.startswith("hf_"):
                self._refuse(401, "", "Invalid credentials in Authorization header")
            elif repo is None or (repo.private and token not in repo.let_in):
                if token is None:
                    self._refuse(401, "RepoNotFound" if repo else "", "Invalid username or password.")
                else:
                    self._refuse(404, "RepoNotFound", "Repository not found")
            elif content and repo.gated and token not in repo.let_in:
                told = f"Access to dataset {id} is restricted. You must have access to it and be authenticated to access it."
                self._refuse(401 if token is None else 403, "GatedRepo", told)
            else:
                return repo
            return None

        def _api(self, path: str, raw: str, query: dict[str, list[str]], kind: str) -> None:
            for word in ("/revision/", "/tree/"):
                if word in path:
                    id = path.split(word, 1)[0]
                    revision = unquote(raw.split(word, 1)[1].split("/")[0])
                    break
            else:
                word, id, revision = "", path, "main"
            repo = self._allowed(id, content=False)
            if repo is None:
                return
            commit = repo.at(revision)
            if commit is None:
                self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            elif word == "/tree/":
                self._tree(id, repo, commit, revision, query, kind)
            else:
                files = [{"rfilename": name} for name in sorted(repo.files[commit])]
                body = {"_id": "1", "id": id, "author": id.split("/")[0], "sha": commit, "private": repo.private, "gated": "auto" if repo.gated
                        else False, "disabled": False, "tags": [], "downloads": 1, "likes": 0, "siblings": files,
                        "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z"}  # fmt: skip
                self._json(body | ({"cardData": repo.card} if repo.card else {}))

        def _tree(self, id: str, repo: Repo, commit: str, revision: str, query: dict[str, list[str]], kind: str) -> None:
            files = repo.files[commit]
            folders = {"/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)}
            entries: list[dict[str, Any]] = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": name} for name in folders]
            for path, data in files.items():
                size = len(data) + (4096 if repo.trouble.get(path) == "short" else 0)
                entry: dict[str, Any] = {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": size, "path": path}
                if path.endswith((".parquet", ".gz")) and repo.trouble.get(path) != "short":
                    sha = "0" * 64 if repo.trouble.get(path) == "swapped" else hashlib.sha256(data).hexdigest()
                    entry["lfs"] = {"oid": sha, "size": size, "pointerSize": 130}
                entries.append(entry)
            entries.sort(key=lambda one: one["path"])
            start = int(query.get("cursor", ["0"])[0])
            headers = {}
            if start + PAGE < len(entries):
                more = f"{hub.url}/api/{kind}/{id}/tree/{revision}?recursive=True&expand=False&cursor={start + PAGE}"
                headers["Link"] = f'<{more}>; rel="next"'
            self._json(entries[start : start + PAGE], headers)

        def _resolve(self, path: str, raw: str) -> None:
            id, rest = path.split("/resolve/", 1)
            revision = unquote(raw.split("/resolve/", 1)[1].split("/")[0])
            name = rest[len(revision) + 1 :]
            repo = self._allowed(id, content=True)
            if repo is None:
                return
            commit = repo.at(revision)
            if commit is None:
                self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            elif name not in repo.files[commit]:
                self._refuse(404, "EntryNotFound", "Entry not found")
            else:
                data = repo.files[commit][name]
                found = {"x-repo-commit": commit, "x-linked-size": str(len(data)), "x-linked-etag": f'"{hashlib.sha256(data).hexdigest()}"'}
                self._send(302, b"", {**found, "location": f"http://localhost:{hub.port}/cdn/{id}/{commit}/{name}"})

        def _file(self, path: str) -> None:
            id = next(one for one in hub.repos if path.startswith(f"{one}/"))
            commit, name = path.removeprefix(f"{id}/").split("/", 1)
            repo = hub.repos[id]
            data, trouble = repo.files[commit][name], repo.trouble.get(name)
            if trouble == "503":
                return self._refuse(503, "", "Slow Down")
            low, high, status = 0, len(data), 200
            if asked := self.headers.get("range"):
                first, last = asked.removeprefix("bytes=").split("-")
                low, high, status = int(first), min(len(data), int(last or len(data) - 1) + 1), 206
                if low >= len(data):
                    return self._send(416, b"", {"content-range": f"bytes */{len(data)}"})
            body = data[low:high]
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("accept-ranges", "bytes")
            if status == 206:
                self.send_header("content-range", f"bytes {low}-{high - 1}/{len(data)}")
            self.end_headers()
            if trouble == "stall":
                self.wfile.write(body[:10])
                self.wfile.flush()
                hub.over.wait(20)
                return None
            if trouble in ("break", "breaks") and len(body) > 64:
                if trouble == "break":
                    del repo.trouble[name]
                    body = body[: len(body) // 2]
                else:
                    body = b""
                self.wfile.write(body)
                self.wfile.flush()
                self.close_connection = True
                hub.bytes += len(body)
                return None
            if trouble == "slow":
                for at in range(0, len(body), 4096):
                    self.wfile.write(body[at : at + 4096])
                    time.sleep(0.1)
            else:
                self.wfile.write(body)
            hub.bytes += len(body)
            return None

        def _json(self, body: Any, headers: dict[str, str] | None = None) -> None:
            self._send(200, json.dumps(body).encode(), {"content-type": "application/json", **(headers or {})})

        def _refuse(self, status: int, code: str, message: str) -> None:
            headers = {"content-type": "application/json", "x-error-message": message, **({"x-error-code": code} if code else {})}
            self._send(status, json.dumps({"error": message}).encode(), headers)

        def _send(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

    return Handler
