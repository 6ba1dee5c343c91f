"""A run's answers to the test rows: those of its adapter, and those of its base where nobody has asked it yet.

Both are asked the same rows with the same prompt, in batches, and saved as evaluations, so that Compare shows them side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.evaluation import Evaluation, drawn
from core.io import evaluations
from core.io.embedded import engine, facts
from core.io.embedded.weights import model_dir
from core.io.lora import bases, completions, runs
from core.io.prompting import How, run_prompted
from core.prompt import Prompt
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

LIMIT = 250
"""Test rows answered after a run, drawn by lot: about half a minute on two cores."""
SECOND = "Step {} of the same run was asked these test rows before: to choose between them by these answers would be to learn from them."
TITLES = {"base": "Measuring the base on test rows", "test": "Measuring on test rows",
          "surprise": "Measuring how surprised it is by the right answers"}  # fmt: skip


def both(
    desk: Desk, version: Version, prompt: Prompt, made: runs.Adapter, limit: int, step: int | None = None
) -> tuple[str | None, str | None]:
    """Ids of the evaluations of the adapter (or of its checkpoint of `step`) and of its base; None where the version has no test rows.

    Test rows that another checkpoint of the run has answered before are looked at a second time: the evaluation's notes say so.
    """
    if not version.splits.get("test"):
        return None, None
    total = min(limit, version.splits["test"])
    base = bases.of_adapter(made.folder) or model_dir()

    def say(phase: str) -> Any:
        desk.say(0, total, TITLES[phase], phase=phase)
        return lambda done, of, _: desk.say(done, of, TITLES[phase], phase=phase)

    known = asked_before(version, prompt, base, limit)
    if known is None:
        known = measure_base(version, prompt, base, limit=limit, journal=desk.journal("base_answers"), progress=say("base"))
        known = completions.noted(known, version, prompt, base, progress=say("surprise"))
    now, looks = made.step if step is None else step, looked(version, made)
    notes = {"second_look": SECOND.format(", ".join(map(str, sorted(looks - {now}))))} if looks - {now} else {}
    journal, telling = desk.journal("answers"), say("test")
    found = measure_adapter(version, prompt, made, limit=limit, journal=journal, progress=telling, step=step, notes=notes)
    completions.noted(found, version, prompt, base, Path(found.notes["adapter"]), progress=say("surprise"))
    if step in (None, made.step):
        runs.note(made.id, evaluation=found.id, base_evaluation=known.id)
    return found.id, known.id


def looked(version: Version, made: runs.Adapter) -> set[int]:
    """The steps of this run that have answered the version's test rows."""
    own = [one for one in evaluations.of(version.dataset, version.id) if one.notes.get("adapter_id") == made.id]
    return {int(one.notes["step"]) for one in own if "step" in one.notes}


def measure_adapter(
    version: Version,
    prompt: Prompt,
    made: runs.Adapter,
    *,
    limit: int = LIMIT,
    journal: Path | None = None,
    progress: Any = None,
    step: int | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Ask an adapter (or its checkpoint of `step`) `limit` test rows, drawn by lot, and save its evaluation (family "tuned")."""
    folder = made.folder if step is None else runs.kept_checkpoints(made.id)[step]
    told = {"adapter": str(folder), "adapter_id": made.id, "base": made.base, "step": made.step if step is None else step}
    return run_prompted(
        version,
        prompt,
        complete_with(bases.of_adapter(folder), version, folder),
        title=made.title if step in (None, made.step) else f"{made.title}, step {step}",
        family="tuned",
        predictor="adapter",
        how=How(limit),
        fit_seconds=made.seconds,
        settings=dict(made.settings),
        notes={**told, **dict(notes or {})},
        journal=journal,
        progress=progress,
    )


def measure_base(
    version: Version, prompt: Prompt, base: Path, *, limit: int = LIMIT, journal: Path | None = None, progress: Any = None
) -> Evaluation:
    """Ask a base model the same rows and save its evaluation, as Baselines would (family "prompted")."""
    return run_prompted(
        version,
        prompt,
        complete_with(base, version),
        title=f"{runs.base_title(base)} prompted",
        how=How(limit),
        settings={},
        notes=_about(base),
        journal=journal,
        progress=progress,
    )


def asked_before(version: Version, prompt: Prompt, base: Path, limit: int) -> Evaluation | None:
    """The newest evaluation of this base, with this prompt and nothing else before the question, that holds all these rows."""
    places, wanted = set(drawn(version.splits["test"], limit)), prompt.to_dict()
    for one in reversed(evaluations.of(version.dataset, version.id)):
        same = one.predictor == "prompted" and one.settings.get("prompt") == wanted and not one.settings.get("retries")
        about = _about(base)
        if same and all(one.notes.get(key) == value for key, value in about.items()) and places <= set(one.answers["index"].tolist()):
            return one
    return None


def _about(base: Path) -> dict[str, Any]:
    known = facts(base)
    return {"model": known.title} if known.licence else {"model": known.title, "revision": known.revision}


def complete_with(base: Path | None, version: Version, adapter: Path | None = None) -> Any:
    """What answers chats: a base model with or without an adapter, one line where the task wants a short answer."""
    short = version.task != "chat"

    def complete(requests: Any, **how: Any) -> Any:
        return engine(base).complete(requests, adapter=adapter, stop_at_newline=short, **how)

    return complete
