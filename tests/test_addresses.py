"""Which addresses may be asked at all, and which never."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ProviderError, SettingsError
from core.io.providers import connect
from core.io.providers.addresses import check_host, clean_url
from tests.loopback import KEY
from tests.test_providers import chats


@pytest.mark.parametrize("host", [
    "169.254.169.254", "fe80::1", "metadata.google.internal", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "::ffff:169.254.169.254",
    "2852039166", "METADATA.GOOGLE.INTERNAL.",
])  # fmt: skip
def test_link_local_and_metadata_addresses_are_refused(host: str) -> None:
    with pytest.raises(ProviderError) as told:
        check_host(host)
    assert told.value.title == "That address is refused"


def test_a_name_that_resolves_to_a_metadata_address_is_refused() -> None:
    with pytest.raises(ProviderError, match="machinery"):
        check_host("models.example", lambda host: ["93.184.216.34", "169.254.169.254"])
    assert check_host("models.example", lambda host: ["10.0.0.4"]) == ["10.0.0.4"]


def test_a_key_does_not_travel_in_the_open(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.io.providers.addresses.resolve", lambda host: ["93.184.216.34"])
    monkeypatch.setattr("core.io.providers.client.check_host", lambda host, **kw: ["93.184.216.34"])
    with pytest.raises(ProviderError, match="not encrypted"):
        connect("compatible", base_url="http://models.example/v1", model="m", key=KEY).complete(chats(1), max_tokens=5)


@pytest.mark.parametrize(
    "url", ["", "ftp://x/v1", "http://user:pass@host/v1", "https://host/v1?key=1", "http://[::1", "http://host:99999/v1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        connect("compatible", base_url=url, model="m")


def test_addresses_have_one_spelling() -> None:
    assert clean_url(" localhost:11434/v1/ ") == "http://localhost:11434/v1"
    assert clean_url("https://Host.Example/v1") == "https://host.example/v1"
