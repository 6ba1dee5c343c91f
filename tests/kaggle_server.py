"""A loopback double of Kaggle's API, as kagglesdk speaks to it with KAGGLE_API_ENVIRONMENT=TEST."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOWHERE = "http://localhost:9"
TOKEN = "KGAT_canary_0123456789abcdef"


class Kaggle:
    """The server; inside its `with` block kagglesdk's TEST environment is this server, and afterwards nothing is."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, Any]] = {}
        """owner/name -> {"version", "files": {path: bytes}, "private": bool}"""
        self.requests: list[tuple[str, dict[str, Any], str | None]] = []
        """Service call, body, Authorization header."""
        self.trouble: dict[str, str] = {}
        """Path -> damaged (another checksum), break, stall."""
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("localhost", 0), _handler(self))
        self.port = self._server.server_address[1]
        self._server.daemon_threads = True

    def add(self, handle: str, files: dict[str, bytes], *, version: int = 1, private: bool = False) -> None:
        self.datasets[handle] = {"version": version, "files": files, "private": private}

    def __enter__(self) -> Kaggle:
        point(f"http://localhost:{self.port}")
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        point(NOWHERE)


def point(address: str) -> None:
    """Let kagglesdk's TEST environment, which is localhost:7777, be that address in this process."""
    from kagglesdk import kaggle_env

    kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.TEST] = address


def _handler(kaggle: Kaggle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            call = self.path.rsplit("/", 1)[-1]
            kaggle.requests.append((call, body, self.headers.get("authorization")))
            handle = f"{body.get('ownerSlug')}/{body.get('datasetSlug')}"
            found = kaggle.datasets.get(handle)
            if found is None:
                return self._json(404, {"code": 404, "message": "Not found"})
            if found["private"] and self.headers.get("authorization") != f"Bearer {TOKEN}":
                return self._json(403, {"code": 403, "message": "Permission 'datasets.get' was denied"})
            if call == "GetDataset":
                owner, name = handle.split("/")
                return self._json(200, {"ownerRef": owner, "ref": handle, "title": name, "currentVersionNumber": found["version"]})
            if call == "ListDatasetFiles":
                start = int(body.get("pageToken") or 0)
                page = sorted(found["files"])[start : start + 2]
                more = str(start + 2) if start + 2 < len(found["files"]) else ""
                return self._json(200, {
                    "datasetFiles": [{"name": one, "totalBytes": len(found["files"][one])} for one in page], "nextPageToken": more,
                })  # fmt: skip
            if call == "DownloadDataset":
                name = body.get("fileName")
                if name not in found["files"]:
                    return self._json(404, {"code": 404, "message": "Not found"})
                return self._send(302, b"", {"location": f"http://localhost:{kaggle.port}/storage/{handle}/{name}"})
            return self._json(404, {"code": 404, "message": f"no call {call}"})

        def do_GET(self) -> None:
            owner, dataset, name = self.path.removeprefix("/storage/").split("/", 2)
            data = kaggle.datasets[f"{owner}/{dataset}"]["files"][name]
            trouble = kaggle.trouble.get(name)
            kept = data + b"x" if trouble == "damaged" else data
            mark = base64.b64encode(hashlib.md5(kept).digest()).decode()
            headers = {"content-type": "application/octet-stream", "x-goog-hash": f"crc32c=n03x6A==,md5={mark}", "accept-ranges": "bytes"}
            if trouble == "stall":
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[:10])
                self.wfile.flush()
                kaggle.over.wait(20)
                return None
            return self._send(200, data, headers)

        def _json(self, status: int, body: dict[str, Any]) -> None:
            self._send(status, json.dumps(body).encode(), {"content-type": "application/json"})

        def _send(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
