"""A version as a dataset repository of the Hugging Face Hub: one Parquet file a part and a card written from the lineage.

Private unless a person asks for public. A public repository that is there already is never written to when private was
asked for. All files arrive in one commit: a push that breaks off leaves the repository as it was. The token comes from
the session or HF_TOKEN and reaches this job in its environment only.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.card import DATA, dataset_card
from core.errors import DataError, ProviderError, SettingsError
from core.export import parquet_bytes
from core.format import short
from core.io import exporting, files, store
from core.io.sources import hub
from core.load.repository import repository_id
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk


def lineage(version: Version) -> list[Version]:
    """From the first version there is to this one."""
    known = {one.id: one for one in store.versions(version.dataset)}
    found = [version]
    while found[0].parent in known:
        found.insert(0, known[str(found[0].parent)])
    return found


def card(version: Version) -> str:
    """The dataset card, as it will be pushed."""
    return dataset_card(store.dataset(version.dataset).label, lineage(version))


def push(
    version: Version,
    repo: str,
    *,
    token: str | None,
    folder: Path,
    private: bool = True,
    progress: Callable[[int, int, str], None] = lambda done, total, message: None,
) -> dict[str, Any]:
    """Upload the version; returns {repo, url, commit, private, files}. `folder` is scratch space.

    Raises SettingsError without a token or for an id that cannot be, DataError for a public repository when private was asked for,
    ProviderError and MissingError as the Hub refuses.
    """
    id = checked(repo, token)
    tables = exporting.tables(version)
    total = len(tables) + 2
    progress(0, total, "Making the repository")
    with causes(id, token), ExitStack() as open_files:
        from huggingface_hub import CommitOperationAdd

        api = hub._api(token)
        api.create_repo(id, repo_type="dataset", private=private, exist_ok=True)
        held = bool(api.dataset_info(id, timeout=hub.WAIT).private)
        if private and not held:
            raise DataError(f"{id} is there already and is public; these rows were to be private. Choose another name, or push publicly.",
                            title="That repository is public")  # fmt: skip
        operations = [CommitOperationAdd("README.md", card(version).encode())]
        for number, (part, rows) in enumerate(tables.items(), start=1):
            progress(number, total, f"Uploading {part}")
            path = folder / f"{part}.parquet"
            files.atomic_write(path, parquet_bytes(rows))
            operations.append(CommitOperationAdd(f"{DATA}/{part}.parquet", open_files.enter_context(open(path, "rb"))))
            api.preupload_lfs_files(id, operations[-1:], repo_type="dataset")
        progress(total - 1, total, "Making the commit")
        made = api.create_commit(id, operations, commit_message=f"Version {version.number} ({version.id})", repo_type="dataset")
    progress(total, total, "Pushed")
    names = [one.path_in_repo for one in operations]
    return {"repo": id, "url": f"{hub.endpoint()}/datasets/{id}", "commit": made.oid, "private": held, "files": names}


def checked(repo: str, token: str | None) -> str:
    """The repository's id. Raises SettingsError for an id without an owner, and without a token."""
    id, _ = repository_id(repo)
    if "/" not in id:
        raise SettingsError(f"'{short(id, 80)}' names no owner. Write owner/name, with your user name first.", title="No owner")
    if not token:
        raise SettingsError("A push needs a token that may write. Set one on Settings for this session, or as HF_TOKEN.", title="No token")
    return id


@contextmanager
def causes(id: str, token: str | None, kind: str = "dataset") -> Iterator[None]:
    """Refusals of a push in a person's words; `kind` is dataset or model."""
    from huggingface_hub import errors

    try:
        with hub.causes(id, token, kind=kind):
            try:
                yield
            except errors.HfHubHTTPError as error:
                if error.response.status_code == 403:
                    raise ProviderError(f"The Hub does not let this token write to {id}. Set a token with the right to write.",
                                        title="No right to write") from error  # fmt: skip
                raise
    except RuntimeError as error:  # the library's word for a file that did not arrive
        raise ProviderError(f"A file did not reach {hub.endpoint()}: {short(str(error.__cause__ or error), 160)}. Push again; nothing was "
                            "changed there.", title="The upload broke off") from error  # fmt: skip


def run_push(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job "push": {dataset, version, repo, private} -> {repo, url, commit, private, files}; the token is HF_TOKEN."""
    version = store.version(request["dataset"], request["version"])
    scratch = desk.folder / "push"
    scratch.mkdir(exist_ok=True)
    try:
        return push(version, request["repo"], token=hub.token_for(None, desk.environment), folder=scratch,
                    private=bool(request.get("private", True)), progress=desk.say)  # fmt: skip
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
