"""Which addresses may be asked, and where keys come from.

Link-local and metadata addresses of clouds are always refused, by name and by what the name resolves to; loopback and private
ones are fine. A key is bound to its base URL: another address never gets it. Keys are read from the environment or handed over
from session memory; they are never written.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from core.errors import ProviderError, SettingsError

OPENAI = "https://api.openai.com/v1"
SESSION_KEY, SESSION_URL = "FINETUNE_STUDIO_SESSION_KEY", "FINETUNE_STUDIO_SESSION_URL"
"""How a key of session memory reaches a job: in its environment, with the address it is for."""
COMPATIBLE_KEY, COMPATIBLE_URL = "FINETUNE_STUDIO_COMPATIBLE_KEY", "FINETUNE_STUDIO_COMPATIBLE_URL"
_METADATA = {ipaddress.ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254")}
_NAMES = {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
Resolve = Callable[[str], list[str]]


def resolve(host: str) -> list[str]:
    """Every address a host name stands for. Raises OSError when there is none."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def clean_url(url: str) -> str:
    """The base URL in one spelling. Raises SettingsError for what is no plain http(s) address."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text if "//" in text else f"http://{text}")
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"'{text[:80]}' is no address: {error}.", title="That is no address") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"'{text[:80]}' is no address. One looks like http://localhost:11434/v1.", title="That is no address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("The address holds a user name, a password or a '?' part. Put the key into its own field.",
                            title="The address holds more than an address")  # fmt: skip
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def check_host(host: str, resolver: Resolve = resolve, *, proxied: bool = False) -> list[str]:
    """Its addresses, when it may be asked. Raises ProviderError for refused or unknown ones."""
    if host.casefold().rstrip(".") in _NAMES:
        raise _refused(host)
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        if proxied:
            return []
        try:
            found = resolver(host)
        except OSError as error:
            raise ProviderError(f"The name '{host[:80]}' is not known to this machine's network. Check the address and the connection.",
                                title="The address was not found") from error  # fmt: skip
    for text in found:
        address = ipaddress.ip_address(text.split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified or mapped in _METADATA or address in _METADATA:
            raise _refused(host)
    return found


def is_near(addresses: list[str]) -> bool:
    """Whether every address is on this machine or in a private network."""
    return bool(addresses) and all(ipaddress.ip_address(text.split("%")[0]).is_private for text in addresses)


def is_loopback(url: str) -> bool:
    """Whether a base URL names this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _refused(host: str) -> ProviderError:
    return ProviderError(f"'{host[:80]}' is an address of the network's own machinery (link-local or metadata); the studio never asks "
                         "such addresses. Name the server that runs the model.", title="That address is refused")  # fmt: skip


def key_for(url: str, key: str | None = None, environment: Mapping[str, str] | None = None) -> tuple[str | None, str]:
    """The key for this base URL and where it comes from ("this session", "the environment", "").

    `key` was typed for this very address. The environment holds OPENAI_API_KEY (OpenAI's own address only), or a key beside
    the address it is for.
    """
    where = os.environ if environment is None else environment
    if key and key.strip():
        return key.strip(), "this session"
    if where.get(SESSION_KEY) and where.get(SESSION_URL) == url:
        return where[SESSION_KEY], "this session"
    if url == OPENAI and where.get("OPENAI_API_KEY"):
        return where["OPENAI_API_KEY"].strip(), "the environment"
    if where.get(COMPATIBLE_KEY) and where.get(COMPATIBLE_URL) and clean_url(where[COMPATIBLE_URL]) == url:
        return where[COMPATIBLE_KEY].strip(), "the environment"
    return None, ""


def for_child(url: str, key: str | None) -> dict[str, str]:
    """The environment that hands a session key to a job for this address."""
    return {SESSION_KEY: key.strip(), SESSION_URL: url} if key and key.strip() else {}
