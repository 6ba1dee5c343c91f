"""What comes of a folder of messy files: how many are read, refused (with which title), rows, and rows left out.

python -m benchmarks.messy FOLDER ...        one JSON line a file, and one for all of them
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

from core.errors import DataError
from core.load.read import read

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "messy"


def outcome(path: Path) -> dict[str, object]:
    """What the reader makes of one file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = read(path.name, path.read_bytes())
    except DataError as error:
        return {"file": path.name, "refused": error.title, "rows": 0, "rejected": 0}
    return {"file": path.name, "refused": None, "rows": len(loaded.frame), "columns": len(loaded.frame.columns),
            "rejected": len(loaded.rejects), "format": loaded.format, "encoding": loaded.encoding}  # fmt: skip


def run(folders: list[Path]) -> list[dict[str, object]]:
    """One record a file, and the sums at the end."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    found = [outcome(path) for path in files]
    refused = sum(one["refused"] is not None for one in found)
    rejected = sum(int(str(one["rejected"])) for one in found)
    rows = sum(int(str(one["rows"])) for one in found)
    what = f"messy files: {refused} refused with a reason, {rejected} rows left out with a reason"
    return [*found, {"name": "messy", "what": what, "n": f"{len(found)} files", "value": f"{rows:,}", "unit": "rows read"}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[SHARED])
    for record in run(parser.parse_args().folders):
        print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    main()
