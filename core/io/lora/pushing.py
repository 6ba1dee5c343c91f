"""An adapter, or the model it was merged into, as a model repository of the Hugging Face Hub, with its card, in one commit.

Private unless a person asks for public; a repository that is public already is not written to when private was asked for. The
token comes from the session or HF_TOKEN and reaches this job in its environment only.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError, SettingsError
from core.io import pushing
from core.io.embedded.adapters import WEIGHTS
from core.io.lora import exporting, merging, runs
from core.io.sources import hub

if TYPE_CHECKING:
    from core.io.work import Desk

WHAT = {"adapter": "The adapter (small; people need the base model too)", "merged": "The merged model (full weights)"}
Progress = Callable[[int, int, str], None]


def push(
    made: runs.Adapter,
    repo: str,
    *,
    token: str | None,
    folder: Path,
    what: str = "adapter",
    private: bool = True,
    progress: Progress = lambda done, total, message: None,
) -> dict[str, Any]:
    """Upload it; returns {repo, url, commit, private, files, what}. `folder` is scratch space.

    Raises SettingsError without a token or for an id that cannot be, DataError for a public repository when private was asked for,
    ProviderError and MissingError as the Hub refuses.
    """
    if what not in WHAT:
        raise SettingsError(f"'{what}' cannot be pushed; {', '.join(WHAT)} can.", title="Nothing to push")
    id = pushing.checked(repo, token)
    place = merging.merge(made, folder / "merged", progress) if what == "merged" else _laid_out(made, folder / "adapter")
    there = sorted(path for path in place.iterdir() if path.is_file())
    total = len(there) + 2
    progress(0, total, "Making the repository")
    with pushing.causes(id, token, "model"), ExitStack() as opened:
        from huggingface_hub import CommitOperationAdd

        api = hub._api(token)
        api.create_repo(id, repo_type="model", private=private, exist_ok=True)
        held = bool(api.model_info(id, timeout=hub.WAIT).private)
        if private and not held:
            raise DataError(f"{id} is there already and is public; this model was to be private. Choose another name, or push publicly.",
                            title="That repository is public")  # fmt: skip
        operations = []
        for number, path in enumerate(there, start=1):
            progress(number, total, f"Uploading {path.name}")
            operations.append(CommitOperationAdd(path.name, opened.enter_context(open(path, "rb"))))
            api.preupload_lfs_files(id, operations[-1:], repo_type="model")
        progress(total - 1, total, "Making the commit")
        done = api.create_commit(id, operations, commit_message=f"{what.capitalize()} {made.id}", repo_type="model")
    progress(total, total, "Pushed")
    names = [path.name for path in there]
    return {"repo": id, "url": f"{hub.endpoint()}/{id}", "commit": done.oid, "private": held, "files": names, "what": what}


def _laid_out(made: runs.Adapter, folder: Path) -> Path:
    """The adapter's files as they leave, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in exporting.adapter_files(made).items():
        (folder / name).write_bytes(data)
    shutil.copyfile(made.folder / WEIGHTS, folder / WEIGHTS)
    return folder


def run_push_model(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "push_model": {adapter, repo, what: adapter | merged, private} -> {repo, url, commit, private, files}; token: HF_TOKEN."""
    scratch = desk.folder / "push"
    scratch.mkdir(exist_ok=True)
    try:
        return push(runs.adapter(request["adapter"]), request["repo"], token=hub.token_for(None, desk.environment), folder=scratch,
                    what=request.get("what") or "adapter", private=bool(request.get("private", True)), progress=desk.say)  # fmt: skip
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
