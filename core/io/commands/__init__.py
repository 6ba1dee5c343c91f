"""One module per command of `python -m core`; each has HELP, arguments(parser), run(args, say) and show(result)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import MissingError

if TYPE_CHECKING:
    import pandas as pd

    from core.version import Version

COMMANDS = (
    "profile", "curate", "leakage", "augment", "validate", "cost", "convert", "prepare", "baselines", "predict", "score", "compare",
    "finetune", "generate", "serve", "jobs", "demo",
)  # fmt: skip
"""In the order of the workflow; a module of the same name stands beside this file."""


def read_data(name: str, split: str | None = None) -> tuple[pd.DataFrame, Version | None]:
    """The rows of a file of any readable kind, or of a version by its id. Raises MissingError when it is neither."""
    from core.io import store

    path = Path(name)
    if path.is_file():
        from core.load.read import read

        return read(path.name, path.read_bytes()).frame, None
    found = store.find(name)
    if found is None:
        raise MissingError(f"'{name}' is neither a file nor the id of a version in this workspace.", title="No such data")
    return store.frame(found, split=split), found
