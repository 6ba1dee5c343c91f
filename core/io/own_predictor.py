"""A person's own predictor from a Python file, on the command line only: `--predictor mine.py:price`.

The name is a function (see `core.predict.own`), or a class with fit(train) and predict(rows) as every predictor here has. The file
is run with the person's own rights.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from core.errors import MissingError, ModelError, SettingsError
from core.predict.own import Own
from core.prediction import Predictor


def load(name: str) -> tuple[str, Predictor]:
    """Title and predictor of `file.py:name`. Raises SettingsError or MissingError."""
    file, _, wanted = name.rpartition(":")
    if not file or not wanted:
        raise SettingsError(
            f"'{name}' names no predictor. Write the file and the name in it, such as mine.py:price.", title="Which predictor?"
        )
    path = Path(file)
    if not path.is_file():
        raise MissingError(f"There is no file '{file}'.", title="No such file")
    found = getattr(_module(path), wanted, None)
    if found is None:
        raise MissingError(f"{path.name} has no '{wanted}'.", title="No such predictor")
    made = found() if isinstance(found, type) else found
    if isinstance(made, Predictor):
        return wanted, made
    if callable(made):
        return wanted, Own(made)
    raise SettingsError(f"'{wanted}' in {path.name} is neither a function nor a class with fit and predict.", title="Not a predictor")


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path.name} is not a Python file.", title="Not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.append(folder)  # what stands beside the file may be imported
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelError(f"{path.name} cannot be run: {type(error).__name__}: {error}.", title="The file cannot be run") from error
    return module
