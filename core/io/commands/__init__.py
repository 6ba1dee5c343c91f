"""One module per command of `python -m core`; each has HELP, arguments(parser), run(args, say) and show(result)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError, MissingError

if TYPE_CHECKING:
    import pandas as pd

    from core.prompt import Prompt
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


def read_prompt(name: str) -> Prompt:
    """A prompt from a file of JSON or YAML. Raises DataError for a file that holds none."""
    import yaml

    from core.prompt import Prompt

    try:
        found = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(f"{name} cannot be read as a prompt: {error}", title="The prompt cannot be read") from error
    if not isinstance(found, dict):
        told = f"{name} holds {type(found).__name__}; a prompt has fields such as user and prefix."
        raise DataError(told, title="Not a prompt")
    return Prompt.from_dict(found)
