"""Files of predictions and of right answers, from here or from elsewhere, as tables of text.

Every cell of a CSV stays text ("None" and "NA" are answers); an empty cell is missing. Gold files are tables with one
column of right answers, or question files in SQuAD shape.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError, MissingError
from core.evaluate import official
from core.evaluate.recorded import from_long
from core.evaluation import Evaluation

INDEX = ("index", "id", "item_id", "row")
TRUTH = ("truth", "target", "answer", "answers", "label", "gold", "reference", "expected", "completion", "price", "stars")
GUESS = ("guess", "prediction", "predicted", "answer", "output", "response")


def read_table(name: str) -> pd.DataFrame:
    """A file as a table: CSV, TSV, JSONL, JSON (records) and Parquet here, other kinds as Explore reads them."""
    path = Path(name)
    if not path.is_file():
        raise MissingError(f"There is no file '{name}'.", title="No such file")
    try:
        if path.suffix in (".csv", ".tsv"):
            sep = "\t" if path.suffix == ".tsv" else ","
            frame = pd.read_csv(path, sep=sep, dtype=str, keep_default_na=False, encoding="utf-8-sig")
            return frame.replace("", None) if len(frame) else frame
        if path.suffix == ".jsonl":
            return pd.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()])
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".json":
            return pd.DataFrame(json.loads(path.read_text(encoding="utf-8-sig")))
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as a table: {error}", title="The file cannot be read") from error
    from core.io.commands import read_data

    return read_data(name)[0]


def read_predictions(names: list[str], task: str | None = None) -> tuple[list[Evaluation], pd.DataFrame]:
    """All models of all files as evaluations on one test set, and the long-form rows they came from."""
    frames = []
    for name in names:
        frame = read_table(name).rename(columns=lambda column: str(column).strip().casefold())
        if "model" not in frame:
            frame["model"] = Path(name).stem
        taken = {str(model) for earlier in frames for model in earlier["model"]}
        frame["model"] = [f"{model} ({Path(name).stem})" if str(model) in taken else model for model in frame["model"]]
        frames.append(frame)
    rows = pd.concat(frames, ignore_index=True)
    return from_long(rows, task, name=Path(names[0]).name), rows


def read_gold(name: str) -> dict[str, Any]:
    """Item -> right answer (a list where several are accepted), in the file's order; items without an index count from 0."""
    path = Path(name)
    if path.is_file() and path.suffix == ".json":
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(data, dict) and "data" in data:
            return dict(official.questions(data))
        if isinstance(data, dict) and not any(column in data for column in TRUTH):
            return {str(key): value for key, value in data.items()}
    if path.is_file():
        frame, column = read_table(name), None
    else:
        from core.io.commands import read_data

        frame, version = read_data(name, split="test")
        column = version.roles.target if version else None
    plain = {str(one).strip().casefold(): one for one in frame.columns}
    truth = column or next((plain[one] for one in TRUTH if one in plain), None)
    if truth is None:
        others = [one for one in frame.columns if str(one).strip().casefold() not in INDEX]
        truth = others[0] if len(others) == 1 else None
    if truth is None:
        raise DataError(f"{path.name} has the columns {', '.join(map(str, frame.columns))}; one named truth, target, answer or label "
                        "is needed.", title="No right answers found")  # fmt: skip
    return dict(zip(_items(frame, plain), frame[truth].tolist(), strict=True))


def read_guesses(name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Item -> answer of one model, and the table they came from (columns in lower case, an `item` column added)."""
    path = Path(name)
    if path.is_file() and path.suffix == ".json":
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(data, dict):
            table = pd.DataFrame({"item": [str(key) for key in data], "guess": list(data.values())})
            return dict(zip(table["item"], table["guess"], strict=True)), table
    frame = read_table(name).rename(columns=lambda column: str(column).strip().casefold())
    models = list(dict.fromkeys(frame["model"].tolist())) if "model" in frame else []
    if len(models) > 1:
        raise DataError(f"{path.name} holds {len(models)} models. Score one at a time, or use `compare`.", title="More than one model")
    column = next((one for one in (*GUESS, "raw") if one in frame), None)
    if column is None:
        raise DataError(f"{path.name} has the columns {', '.join(frame.columns)}; one named guess is needed.", title="No answers found")
    frame = frame.assign(item=_items(frame, {one: one for one in frame.columns}))
    items = frame["item"].tolist()
    twice = [item for item in dict.fromkeys(items) if items.count(item) > 1] if len(set(items)) < len(items) else []
    if twice:
        raise DataError(f"{path.name} answers item {twice[0]} more than once.", title="An item answered twice")
    return dict(zip(frame["item"], frame[column], strict=True)), frame.assign(guess=frame[column])


def _items(frame: pd.DataFrame, plain: dict[str, str]) -> list[str]:
    column = next((plain[one] for one in INDEX if one in plain), None)
    if column is None:
        return [str(i) for i in range(len(frame))]
    return [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip() for cell in frame[column]]
