"""`python -m core.io.lora.launched FOLDER`: one of the processes of a training that several share. The first one writes what is told."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from core.errors import StudioError
from core.io import device, files
from core.io.lora import several
from core.io.lora.standing import Told
from core.io.lora.training import out_of_memory, train_here


def main(place: Path) -> int:
    """Exit code 1 after an error, which is written down."""
    from accelerate import PartialState

    def tell(told: Told) -> None:
        if several.leads():
            files.append_line(place / "told.jsonl", asdict(told))

    try:
        PartialState(**({} if device.cuda() else {"cpu": True, "backend": "gloo"}))
        made = train_here(several.unpacked(files.read_json(place / "run.json")), tell)
    except (StudioError, RuntimeError, MemoryError) as error:
        title = error.title if isinstance(error, StudioError) else "The training failed"
        told = {"title": title, "message": str(error)[:2000], "memory": not isinstance(error, StudioError) and out_of_memory(error)}
        files.write_json(place / f"error-{os.environ.get('RANK', '0')}.json", told)
        return 1
    if several.leads():
        files.write_json(place / "trained.json", json.loads(json.dumps(asdict(made), default=str)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
