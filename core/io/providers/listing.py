"""Which models an address has: the test of an address and a key, with the cause when it fails."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from core.errors import ProviderError
from core.io.providers.addresses import OPENAI
from core.io.providers.client import Failure, failure_of, make_client


def list_models(url: str, key: str | None, *, deadline: float) -> list[str]:
    """Their names, sorted. Raises ProviderError saying whether the address, the key, the path, the kind of answer or time failed."""
    client = make_client(url, key, deadline=deadline)
    try:
        raw = client.models.with_raw_response.list()
        return _names(raw, url)
    except Exception as error:
        failure = _cause(error, failure_of(error, key, deadline), url)
        raise ProviderError(failure.message, title=failure.title) from None
    finally:
        client.close()


def _names(raw: Any, url: str) -> list[str]:
    body, kind = raw.text.lstrip(), raw.headers.get("content-type", "")
    if body[:1] == "<" or "html" in kind:
        raise ProviderError(f"{url}/models answers with a web page, not with a list of models. This looks like the address of a "
                            "website or a login page; that of an API usually ends in /v1.", title="That is a web page")  # fmt: skip
    try:
        data = raw.http_response.json()
    except ValueError:
        raise ProviderError(f"{url}/models answers, but not in JSON ('{' '.join(body.split())[:60]}'). Check the address.",
                            title="The answer is not JSON") from None  # fmt: skip
    rows = data.get("data") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise ProviderError(f"{url}/models answers in JSON, but lists no models ('data' is missing). Check that the server speaks OpenAI's "
                            "protocol.", title="The answer lists no models")  # fmt: skip
    return sorted(str(one["id"]) for one in rows if isinstance(one, dict) and one.get("id"))


def _cause(error: Exception, failure: Failure, url: str) -> Failure:
    """The failure in the words of somebody who tests an address."""
    import openai

    where = urlsplit(url)
    host = f"{where.hostname}:{where.port}" if where.port else str(where.hostname)
    if failure.timeout:
        advice = "It may be starting, or a firewall may swallow the request."
        return Failure("fatal", f"{host} gave {failure.message}. {advice}", "The endpoint is too slow")
    if isinstance(error, openai.APIStatusError) and error.status_code in (404, 405):
        hint = "" if url == OPENAI or url.endswith("/v1") else " Addresses of this kind usually end in /v1."
        return Failure("fatal", f"{host} answers, but has no {where.path}/models (HTTP {error.status_code}).{hint}", "No such path")
    if isinstance(error, openai.APIConnectionError) and not isinstance(error.__cause__, ProviderError):
        if "refused" in failure.message.casefold():
            return Failure("fatal", f"Nothing listens at {host} (connection refused). Start the server, or check the port.",
                           "The endpoint cannot be reached")  # fmt: skip
        return Failure("fatal", f"{host} cannot be reached: {failure.message}.", "The endpoint cannot be reached")
    return failure
