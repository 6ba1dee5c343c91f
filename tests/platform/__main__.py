"""`python -m tests.platform [SECONDS]`: the double as a process of its own, each answer SECONDS late. Prints its address, ends with its input."""

from __future__ import annotations

import sys

from tests.loopback import Loopback

if __name__ == "__main__":
    with Loopback(pause=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0) as server:
        print(server.url, flush=True)
        sys.stdin.read()
