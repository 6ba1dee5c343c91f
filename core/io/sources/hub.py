"""Asking the Hugging Face Hub what a dataset holds, with a clear cause for every refusal.

The address is HF_ENDPOINT or huggingface.co. Every request has short time limits and none is repeated for minutes: where there
is no way out, a person learns it in seconds. A revision is resolved to its commit before anything is read. Loading scripts are
never run: the files themselves are read.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from core.errors import DataError, MissingError, ProviderError, StudioError
from core.format import plural, short
from core.load.repository import OTHER, PARQUET, Entry, Table, listed, repository_id, tables

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB = "https://huggingface.co"
TOKEN = "HF_TOKEN"
CONVERTED = "refs/convert/parquet"
"""The revision in which the Hub keeps its own Parquet copy of a dataset."""
CONNECT, WAIT = 5.0, 15.0
"""Seconds for a connection, and between two bytes of an answer."""
MOST_FILES = 50_000
PLACES = {"dataset": "datasets/", "model": ""}
OWN = {"dataset": "upload a file", "model": "name a folder that holds the model"}
"""The way on without the Hub."""
_ONCE = threading.Lock()


@dataclass(frozen=True)
class Repository:
    """What a dataset of the Hub holds at one commit."""

    id: str
    asked: str | None
    """The revision as it was asked for; None is the main one."""
    commit: str
    tables: tuple[Table, ...]
    converted: bool = False
    """Whether the tables are the Hub's own Parquet copies."""
    others: int = 0
    """Files that are no table."""

    @property
    def configs(self) -> list[str]:
        return list(dict.fromkeys(table.config for table in self.tables))

    def splits(self, configs: list[str]) -> list[str]:
        """The splits of these configurations."""
        return list(dict.fromkeys(table.split for table in self.tables if table.config in configs))


class Unreachable(ConnectionError):
    """The Hub did not answer in time, or not at all."""


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def token_for(typed: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """The token: typed for this session, or HF_TOKEN of the environment."""
    where = os.environ if environment is None else environment
    return (typed or where.get(TOKEN) or "").strip() or None


def describe(text: str, *, revision: str | None = None, token: str | None = None, own: bool = False) -> Repository:
    """The tables of a dataset (its id, "id@revision" or its address). `own` keeps to the repository's own files.

    Without Parquet of its own the Hub's converted copy is taken, where there is one. Raises StudioError with the cause: no way to
    the Hub, no such dataset or revision, gated or private, or nothing in it that is a table.
    """
    id, named = repository_id(text)
    asked = (revision or named or "").strip() or None
    with causes(id, token, asked):
        api = _api(token)
        info = api.dataset_info(id, revision=asked, timeout=WAIT)
        commit = str(info.sha or asked or "main")
        entries = _entries(api, id, commit)
        found = tables(entries, _card(info))
        if not own and not any(table.parquet for table in found):
            copy = _converted(api, id, asked)
            if copy:
                return Repository(id, asked, copy[0], tuple(copy[1]), converted=True)
    if not found:
        kinds = sorted({"." + entry.path.rsplit(".", 1)[-1] for entry in entries if "." in entry.path.rsplit("/", 1)[-1]})
        raise DataError(
            f"{id} holds {plural(len(entries), 'file')} ({listed(kinds) or 'without endings'}) and none is a table. What is read: "
            f"{', '.join((*PARQUET[:1], *OTHER))}, also with .gz.",
            title="No table in this dataset",
        )
    return Repository(id, asked, commit, tuple(found), others=len(entries) - sum(len(one.files) for one in found))


def location(id: str, commit: str, path: str) -> str:
    """The address of a file at a commit."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(id, path, repo_type="dataset", revision=commit, endpoint=endpoint())


def headers(token: str | None) -> dict[str, str]:
    from huggingface_hub.utils import build_hf_headers

    return build_hf_headers(token=token or False, library_name="finetune-studio")


def session() -> Any:
    """The HTTP client of the Hub's library, with our time limits: shared by this process, closed when it ends."""
    from huggingface_hub.utils import get_session

    with _ONCE:
        _limits()
    return get_session()


@contextmanager
def causes(id: str, token: str | None, revision: str | None = None, kind: str = "dataset") -> Iterator[None]:
    """What the Hub's library raises, as what a person can act on. `kind` is dataset or model."""
    from huggingface_hub import errors

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise ProviderError(
            f"HF_HUB_OFFLINE is set in the environment, so the Hub is not asked. Start the studio without it, or {OWN[kind]}.",
            title="No Hub access from here",
        ) from error
    except Unreachable as error:
        raise ProviderError(
            f"{endpoint()} does not answer: {short(str(error), 160)}. Check the connection (or HF_ENDPOINT) and try again, or "
            f"{OWN[kind]}. Nothing was changed.",
            title="No Hub access from here",
        ) from error
    except errors.GatedRepoError as error:
        held = "The token in use has not been let in." if token else "Without a token nobody is let in."
        raise ProviderError(
            f"{id} is gated: its owners ask who reads it. {held} Accept the terms on {endpoint()}/{PLACES[kind]}{id}, then set a token of "
            "that account on Settings (or HF_TOKEN).",
            title=f"This {kind} is gated",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise MissingError(f"{id} has no revision '{short(revision or '', 60)}'. Give a branch, a tag or a commit, or leave it empty.",
                           title="No such revision") from error  # fmt: skip
    except errors.EntryNotFoundError as error:
        raise MissingError(f"{id} no longer holds a file that it listed. Look it up again.", title="A file is gone") from error
    except errors.RepositoryNotFoundError as error:
        raise _unknown(id, token, kind) from error
    except errors.HFValidationError as error:
        raise DataError(f"'{id}' cannot be a {kind}'s id: {short(str(error), 160)}.", title=f"That is no {kind} id") from error
    except errors.HfHubHTTPError as error:
        raise _refused(id, error.response.status_code, token, kind) from error


def _refused(id: str, status: int, token: str | None, kind: str) -> StudioError:
    if status == 401 and token:
        return ProviderError("The Hub does not accept the token. Set another one on Settings, or none.", title="The token is not accepted")
    if status == 401:  # what the Hub answers a visitor for a private dataset and for one that is not there
        return _unknown(id, token, kind)
    if status == 403:
        return ProviderError(f"The Hub does not let this {'token' if token else 'visitor'} read {id}. Set a token that may.",
                             title=f"No right to read this {kind}")  # fmt: skip
    if status == 429:
        return ProviderError("The Hub asks for a pause: too many requests came from here. Try again in a few minutes, with a token.",
                             title="The Hub asks for a pause")  # fmt: skip
    return ProviderError(f"The Hub answered {status} when asked for {id}. Try again later.", title="The Hub cannot answer now")


def _unknown(id: str, token: str | None, kind: str) -> StudioError:
    held = "the token may not see it" if token else "it is private, and there is no token (set one on Settings or as HF_TOKEN)"
    return MissingError(
        f"The Hub knows no {kind} '{id}', or {held}. Check the spelling: owner/name, capitals count.", title=f"No such {kind}"
    )


def _api(token: str | None) -> HfApi:
    """The Hub's client, with our time limits."""
    from huggingface_hub import HfApi

    session()
    return HfApi(endpoint=endpoint(), token=token or False)


def _entries(api: HfApi, id: str, revision: str) -> list[Entry]:
    from huggingface_hub.hf_api import RepoFile

    found = []
    for one in api.list_repo_tree(id, recursive=True, revision=revision, repo_type="dataset"):
        if isinstance(one, RepoFile):
            found.append(Entry(one.path, one.size, one.lfs.sha256 if one.lfs else None))
        if len(found) > MOST_FILES:
            raise DataError(f"{id} holds more than {MOST_FILES:,} files; so many are not listed.", title="Too many files")
    return found


def _converted(api: HfApi, id: str, asked: str | None) -> tuple[str, list[Table]] | None:
    """(commit, tables) of the Hub's own Parquet copy, which exists for the main revision only; None without one."""
    from huggingface_hub import errors

    if asked not in (None, "main"):
        return None
    try:
        commit = str(api.dataset_info(id, revision=CONVERTED, timeout=WAIT).sha or CONVERTED)
        found = [table for table in tables(_entries(api, id, commit)) if table.parquet]
    except (errors.RevisionNotFoundError, errors.RepositoryNotFoundError):
        return None
    return (commit, found) if found else None


def _card(info: Any) -> Mapping[str, Any]:
    card = info.card_data
    return card.to_dict() if card is not None and hasattr(card, "to_dict") else {}


@cache
def _limits() -> None:
    """Give the library's client our limits, once in a process. Its own waits without end and repeats for half a minute."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled
    from huggingface_hub.utils import hf_raise_for_status, set_client_factory

    class Patient(httpx2.Client):
        def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
            if constants.is_offline_mode():
                raise OfflineModeIsEnabled("offline")
            request.extensions["timeout"] = {"connect": CONNECT, "read": WAIT, "write": WAIT, "pool": CONNECT}
            try:
                answer = super().send(request, **how)
            except httpx2.TransportError as error:
                raise Unreachable(why(error)) from error
            if answer.status_code in (500, 502, 503, 504):
                answer.close()
                raise Unreachable(f"it answers {answer.status_code}")
            if answer.status_code == 429:
                answer.read()
                hf_raise_for_status(answer)
            return answer

    set_client_factory(lambda: Patient(follow_redirects=True))


def why(error: Exception) -> str:
    """ "timed out after 15 s", "the name is not known", "refused" """
    words = f"{type(error).__name__}: {error}".strip(": ")
    if "Timeout" in words:
        return f"no answer within {CONNECT if 'Connect' in words else WAIT:.0f} s"
    if "Name or service" in words or "name resolution" in words or "getaddrinfo" in words:
        return "its name is not known to this machine's network"
    return "the connection was refused" if "refused" in words.casefold() else words
