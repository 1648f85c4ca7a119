"""The embedded server that operations use without a URI, and how it is turned off."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.mongod import fallback_notice


@lm.declare_persist_db("fallback_db", "notes")
class Note(lm.PersistableBase):
    text: str


@pytest.fixture
def no_uri(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Path:
    """The data directory of the server that operations start."""
    monkeypatch.delenv("LOOM_URI", raising=False)
    monkeypatch.setenv("LOOM_DATA_DIR", str(data_dir))
    return data_dir


def is_untouched(data_dir: Path) -> bool:
    return not data_dir.exists()


async def connected() -> None:
    async with lm.connect():
        pytest.fail("there is no server to connect to")


async def found() -> None:
    await Note.filter().load_many()


async def persisted() -> None:
    await Note(text="x").persist()


@pytest.mark.parametrize("use", [connected, found, persisted, lm.get_async_local_db_client])
async def test_never_refuses_operations_without_a_uri(
    no_uri: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[], Awaitable[Any]]
) -> None:
    monkeypatch.setenv("LOOM_EMBEDDED", "never")
    with pytest.raises(lm.ConfigurationError, match=r"LOOM_URI(.|\n)*Hint: set LOOM_URI") as caught:
        await use()
    assert "LOOM_EMBEDDED=never" in caught.value.message
    assert is_untouched(no_uri)


async def test_never_allows_named_servers(
    no_uri: Path, monkeypatch: pytest.MonkeyPatch, mongo_uri: str
) -> None:
    monkeypatch.setenv("LOOM_EMBEDDED", "never")
    async with lm.connect(mongo_uri):
        await found()
    async with lm.embedded():
        await found()
    with lm.config_context(uri=mongo_uri):
        await found()
        await lm.close()
    assert is_untouched(no_uri)


@pytest.fixture
def log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[[], list[str]]:
    """The messages that Loom logs, as in a process that has not started a server yet."""
    monkeypatch.setattr(fallback_notice, "_is_given", False)
    caplog.set_level(logging.INFO, "loom")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "loom"]


async def test_the_first_start_is_logged_once(no_uri: Path, log: Callable[[], list[str]]) -> None:
    for _ in range(2):
        await found()
        await lm.close()
    async with lm.connect():
        await found()
    (message,) = log()
    assert str(no_uri) in message
    assert "LOOM_URI" in message
    assert "LOOM_DATA_DIR" in message


async def test_named_servers_are_not_logged(mongo_uri: str, log: Callable[[], list[str]]) -> None:
    async with lm.embedded():
        await found()
    async with lm.connect(mongo_uri):
        await found()
    with lm.config_context(uri=mongo_uri):
        await found()
        await lm.close()
    assert log() == []


async def test_the_local_client_inside_a_block(no_uri: Path, mongo_uri: str) -> None:
    async with lm.connect(mongo_uri) as client:
        assert await lm.get_async_local_db_client() is client
        async with lm.embedded() as inner:
            assert await lm.get_async_local_db_client() is inner
            with lm.using(client=client), lm.using(database="fallback_db"):
                assert await lm.get_async_local_db_client() is client
            assert await lm.get_async_local_db_client() is inner
        assert await lm.get_async_local_db_client() is client
    assert is_untouched(no_uri)


async def test_other_values_are_refused() -> None:
    with pytest.raises(lm.ConfigurationError, match="embedded"), lm.config_context(embedded="no"):
        pass
