"""Files of Kaggle datasets, through the kagglehub package: what a dataset holds, and one file into the workspace's tmp.

Credentials come from the environment (KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY) or from kaggle.json and are never kept
here; public datasets need none. What is downloaded is read like any uploaded file.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import DataError, MissingError, ProviderError, SettingsError
from core.format import plural, short, size
from core.io import files

if TYPE_CHECKING:
    from core.io.work import Desk

SECONDS = 20
"""Kaggle's own client waits without end; a question is given up after so long, a download after `QUIET` without a byte."""
QUIET = 60
KEPT = 86_400
"""Seconds after which a downloaded file that was not added is deleted."""
MOST_FILES, MOST_BYTES = 1_000, 16 << 30
T = TypeVar("T")


@dataclass(frozen=True)
class Listing:
    """What a dataset of Kaggle holds."""

    handle: str
    version: int
    files: tuple[tuple[str, int], ...]
    """(path, bytes); bytes 0 where Kaggle does not say."""


def installed() -> bool:
    return find_spec("kagglehub") is not None


def credentials() -> str | None:
    """Where the credentials come from, in words; None without any. Raises SettingsError for a kaggle.json that cannot be read."""
    if os.environ.get("KAGGLE_API_TOKEN") or (os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")):
        return "the environment"
    if not installed():
        return None
    from kagglehub.config import get_kaggle_credentials

    try:
        return "a file of this machine" if get_kaggle_credentials() else None
    except ValueError as error:
        raise SettingsError(
            f"{error}. Download it again from your Kaggle account, or delete it.", title="kaggle.json cannot be read"
        ) from error


def handle_of(text: str) -> str:
    """ "owner/name" of what a person typed: a handle, "owner/name/versions/3", or an address of kaggle.com."""
    asked = re.sub(r"^(?:https?://)?(?:www\.)?kaggle\.com/", "", text.strip().strip("\"'")).removeprefix("datasets/")
    asked = asked.split("?")[0].strip("/")
    found = re.fullmatch(r"([\w.\-]{1,80}/[\w.\-]{1,120})(?:/versions/(\d+))?(?:/(?:data|code|discussion).*)?", asked)
    if not found:
        raise SettingsError(
            f"'{short(text.strip(), 80)}' names no dataset. One looks like zillow/zecon.", title="That is no dataset of Kaggle"
        )
    return f"{found[1]}/versions/{found[2]}" if found[2] else found[1]


def listing(text: str) -> Listing:
    """The files of a dataset at its newest version, or at the one that is named. Raises StudioError with the cause."""
    handle = handle_of(text)
    _needed()
    owner, name, *rest = handle.split("/")

    def ask() -> Listing:
        from kagglehub.clients import build_kaggle_client
        from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest, ApiListDatasetFilesRequest

        with build_kaggle_client() as client:
            api = client.datasets.dataset_api_client
            version = int(rest[1]) if rest else 0
            if not version:
                about = ApiGetDatasetRequest()
                about.owner_slug, about.dataset_slug = owner, name
                version = int(api.get_dataset(about).current_version_number)
            found: list[tuple[str, int]] = []
            token = ""
            while len(found) < MOST_FILES:
                request = ApiListDatasetFilesRequest()
                request.owner_slug, request.dataset_slug, request.dataset_version_number = owner, name, version
                request.page_size = 200
                if token:
                    request.page_token = token
                answer = api.list_dataset_files(request)
                found += [(str(one.name), int(one.total_bytes or 0)) for one in answer.dataset_files or [] if one]
                token = answer.next_page_token or ""
                if not token:
                    break
            return Listing(f"{owner}/{name}", version, tuple(sorted(found)))

    with causes(handle):
        found = _within(SECONDS, ask)
    if not found.files:
        raise DataError(f"{found.handle}, version {found.version}, lists no file. Choose another dataset.", title="No files")
    return found


def fetch(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """The job: one file into a folder of the workspace's tmp. Returns where it is."""
    handle, version, name = handle_of(request["handle"]), int(request["version"]), str(request["file"])
    _needed()
    if name.startswith(("/", "\\")) or ".." in Path(name).parts or "\\" in name or "\x00" in name:
        raise DataError(f"'{short(name, 80)}' leads outside its dataset.", title="That name is not possible")
    _sweep()
    folder = files.folder("tmp", f"kaggle-{desk.folder.name}", *handle.split("/")[:2], "versions", str(version))
    total = int(request.get("bytes") or 0)
    done: list[Any] = []

    def download() -> None:
        import kagglehub

        try:
            done.append(kagglehub.dataset_download(f"{handle}/versions/{version}", path=name, output_dir=str(folder), force_download=True))
        except BaseException as error:  # handed to the thread that waits
            done.append(error)

    with causes(f"{handle}: {name}"), files.disk_errors(folder):
        threading.Thread(target=download, daemon=True).start()
        last, since = -1, time.monotonic()
        while not done:
            here = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
            if here > MOST_BYTES:
                raise DataError(
                    f"{name} of {handle} takes more than {size(MOST_BYTES)} on this disk. Download it in a browser and cut it first.",
                    title="The file is too large",
                )
            if here != last:
                last, since = here, time.monotonic()
            elif time.monotonic() - since > QUIET:
                raise TimeoutError(f"nothing came for {QUIET} s")
            desk.say(0, 1, "Downloading", bytes=here, of=total)
            time.sleep(0.2)
        if isinstance(done[0], BaseException):
            raise done[0]
    path = Path(done[0])
    if not path.is_file():
        raise DataError(f"Kaggle sent no file '{short(name, 80)}' of {handle}.", title="The file did not come")
    desk.say(1, 1, "Downloading", bytes=path.stat().st_size, of=path.stat().st_size)
    return {"path": str(path), "file": name, "handle": handle, "version": version, "bytes": path.stat().st_size}


def fetched(result: dict[str, Any]) -> bytes:
    """The bytes a finished fetch left. Raises MissingError when they were cleaned away."""
    path = Path(result["path"])
    root = files.folder("tmp").resolve()
    if not path.resolve().is_relative_to(root) or not path.is_file():
        raise MissingError(f"{result['file']} is no longer in the workspace. Fetch it again.", title="The file is gone")
    return path.read_bytes()


def forget(result: dict[str, Any]) -> None:
    """Delete what a fetch left."""
    name = Path(result["path"]).resolve().relative_to(files.folder("tmp").resolve()).parts[0]
    shutil.rmtree(files.folder("tmp") / name, ignore_errors=True)


@contextmanager
def causes(what: str) -> Iterator[None]:
    """What Kaggle's client raises, as what a person can act on."""
    import requests
    from kagglehub import exceptions

    try:
        yield
    except requests.HTTPError as error:
        raise _refused(what, error.response.status_code if error.response is not None else 0) from error
    except (requests.ConnectionError, requests.Timeout, TimeoutError) as error:
        raise ProviderError(
            f"Kaggle does not answer when asked for {what} ({short(str(error).split('(Caused')[0], 120)}). Check the connection, or "
            "download the file in a browser and upload it.",
            title="No Kaggle access from here",
        ) from error
    except exceptions.UnauthenticatedError as error:
        raise _refused(what, 401) from error
    except exceptions.DataCorruptionError as error:
        raise DataError(f"{what} came with other bytes than Kaggle says. Fetch it again.", title="The file came damaged") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise ProviderError(f"{what} came only in part. Fetch it again.", title="The file did not come whole") from error


def _refused(what: str, status: int) -> ProviderError | MissingError:
    held = credentials()
    if status in (401, 403):
        told = f"the credentials of {held} may not" if held else "there are no Kaggle credentials here"
        return ProviderError(
            f"Kaggle refuses {what}: {told}. Make a token in your Kaggle account and set KAGGLE_API_TOKEN (or KAGGLE_USERNAME and "
            "KAGGLE_KEY), or put kaggle.json into ~/.kaggle, and start the studio again. They are never stored.",
            title="Kaggle refuses" if held else "No Kaggle credentials",
        )
    if status == 404:
        return MissingError(f"Kaggle knows no {what}. Check the spelling: owner/name, as in its address.", title="No such dataset")
    if status == 429:
        return ProviderError("Kaggle asks for a pause: too many requests. Try again in a few minutes.", title="Kaggle asks for a pause")
    return ProviderError(f"Kaggle answered {status} when asked for {what}. Try again later.", title="Kaggle cannot answer now")


def _needed() -> None:
    if not installed():
        raise MissingError("Kaggle is read with the package kagglehub, which is not installed: pip install kagglehub==1.0.2. Or download "
                           "the file in a browser and upload it.", title="kagglehub is not installed")  # fmt: skip


def _within(seconds: float, ask: Callable[[], T]) -> T:
    """The answer, or TimeoutError: Kaggle's client has no time limit of its own."""
    found: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            found.append((True, ask()))
        except BaseException as error:  # handed to the thread that waits
            found.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise TimeoutError(f"no answer within {plural(int(seconds), 'second')}")
    if not found[0][0]:
        raise found[0][1]
    return found[0][1]


def _sweep() -> None:
    """Delete what earlier fetches left and nobody added."""
    for place in files.folder("tmp").glob("kaggle-*"):
        if time.time() - place.stat().st_mtime > KEPT:
            shutil.rmtree(place, ignore_errors=True)
