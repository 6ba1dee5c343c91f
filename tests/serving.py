"""The local model's server in a thread of the test, on a free port of loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.io.serving import application


@contextmanager
def served(base: Path, models: Mapping[str, str | None]) -> Iterator[str]:
    """The address to give a client as its base URL."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application(base, models), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join(30)
