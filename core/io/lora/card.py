"""The model card beside an adapter's weights: what is known of its run, its base model and its answers, gathered for the card's text.

Written when a run ends and again on export, because a base model or a measurement may have joined since.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from core.errors import ModelError, StudioError
from core.evaluate.metrics import METRICS
from core.evaluation import Evaluation
from core.finetune.card import ADAPTER, UPLOADED, About, Score, Span, adapter_card
from core.format import unit_of
from core.io import evaluations, files, store
from core.io.embedded.weights import NAME, TITLE, facts
from core.io.lora import runs

README = "README.md"
BUILT_IN = "HuggingFaceTB/SmolLM2-135M-Instruct"
SHOWN = 4
"""Metrics on a card: the task's headline and those after it."""
LANGUAGE_ROWS, LANGUAGE_SHARE = 200, 0.1
_HUB_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def write(made: runs.Adapter) -> Path:
    """README.md beside the adapter's weights, anew. The card an uploaded adapter brought stays."""
    return write_into(made.folder, made)


def write_into(folder: Path, made: runs.Adapter) -> Path:
    """The same into another folder: one that is being built, or written for export."""
    path = folder / README
    if not (made.origin == "uploaded" and path.is_file() and UPLOADED not in path.read_text(errors="replace")):
        files.atomic_write(path, card_text(made))
    return path


def card_text(made: runs.Adapter, kind: str = ADAPTER) -> str:
    """The card of an adapter, or of the model it was merged into."""
    return adapter_card(about(made), kind)


def about(made: runs.Adapter) -> About:
    """Everything the card tells; what is gone from the workspace (version, base model, evaluations) is left out."""
    base = base_folder(made)
    known = facts(base) if base else None
    version = _version(made)
    told = {name: getattr(made, name) for name in ("title", "task", "rows", "step", "steps", "seconds", "settings", "prompt", "train_loss",
                                                   "validation_loss", "first_validation_loss", "revision")}  # fmt: skip
    return About(
        **told,
        base=_bare(known.title) if known else made.base,
        base_id=hub_id(base) if base else "",
        licence=known.licence if known else "",
        languages=_languages(version) if version else (),
        dataset=_label(made.dataset),
        version="" if made.origin == "uploaded" else made.version,
        test_rows=version.splits.get("test", 0) if version else 0,
        scores=scores(made),
        forgetting=made.forgetting,
        uploaded=made.origin == "uploaded",
    )


def base_folder(made: runs.Adapter) -> Path | None:
    """The base model an adapter fits, by the revision of its weights; None when it is not on this machine."""
    found = next((path for path in bases_here() if facts(path).revision == made.revision), None)
    return found or next((path for path in bases_here() if not made.revision and path.name == made.base), None)


def bases_here() -> list[Path]:
    """The folders of base models on this machine: the one in use, those fetched, those adapters were trained from."""
    from core.io.lora import bases

    return [one.folder for one in bases.known() if one.facts is not None]


def hub_id(base: Path) -> str:
    """The base model's name on the Hub, where it is known; "" otherwise (a folder of somebody's own)."""
    if base.name == NAME and facts(base).title == TITLE:
        return BUILT_IN
    came = base / "came_from.json"
    told = files.read_json(came).get("repository") if came.is_file() else files.read_json(base / "config.json").get("_name_or_path")
    return told if isinstance(told, str) and _HUB_ID.fullmatch(told) else ""


def scores(made: runs.Adapter) -> tuple[Score, ...]:
    """The adapter's metrics beside its base model's on the test rows both answered, from the newest evaluation there is."""
    from core.compare.leaderboard import leaderboard

    own, plain = measured(made)
    if own is None:
        return ()
    unit = unit_of(_target(made))
    board = leaderboard([one for one in (own, plain) if one], reference=plain.id if plain else own.id, unit=unit)
    names = board.metrics[:SHOWN]
    row, other = board.row(own.id), board.row(plain.id) if plain else None
    pair = board.pair(own.id) if plain else None
    found = []
    for name in names:
        mine, theirs = row.values[name], other.values.get(name) if other else None
        beside = pair if pair and pair.metric == name else None
        found.append(Score(METRICS[name].title, board.unit_of(name), board.n, _span(mine), _span(theirs) if theirs else None,
                           (beside.difference, beside.low, beside.high) if beside else None, beside.verdict if beside else ""))  # fmt: skip
    return tuple(found)


def measured(made: runs.Adapter) -> tuple[Evaluation | None, Evaluation | None]:
    """The newest evaluations of an adapter and of its base model with the same test rows; None where there is none."""
    found = evaluations.of(made.dataset) if made.dataset else []
    mine = [one for one in reversed(found) if one.notes.get("adapter_id") == made.id]
    own = next((one for one in mine if one.id == made.evaluation or one.notes.get("adapter") == str(made.folder)), None)
    if own is None:
        return None, None
    others = [one for one in reversed(found) if one.test_id == own.test_id and one.task == own.task and not one.notes.get("adapter_id")]
    named = next((one for one in others if one.id == made.base_evaluation), None) or next(
        (one for one in others if one.notes.get("base") == made.base), None
    )
    built_in = next((one for one in others if one.notes.get("model") == TITLE and made.base == NAME), None)
    return own, named or built_in


def _span(measured: Any) -> Span:
    return (measured.value, measured.low, measured.high)


def _version(made: runs.Adapter) -> Any:
    try:
        return store.version(made.dataset, made.version)
    except StudioError:
        return None


def _target(made: runs.Adapter) -> str | None:
    version = _version(made)
    return version.roles.target if version else None


def _label(dataset: str) -> str:
    try:
        return store.dataset(dataset).label
    except StudioError:
        return dataset


def _languages(version: Any) -> tuple[str, ...]:
    from core.io.languages import mix_of

    try:
        found = mix_of(version, LANGUAGE_ROWS)
    except StudioError:
        return ()
    return tuple(one.language for one in found.languages if one.share >= LANGUAGE_SHARE and len(one.language) == 2)


def _bare(title: str) -> str:
    return title.removesuffix(" (built in)")


def clean_config(made: runs.Adapter) -> str:
    """adapter_config.json as it may leave this machine: the base model by its name on the Hub, never by a folder's path."""
    base = base_folder(made)
    path = made.folder / "adapter_config.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}.", title="A damaged adapter") from error
    return json.dumps({**data, "base_model_name_or_path": (hub_id(base) if base else "") or made.base, "auto_mapping": None}, indent=1)
