"""A server for the whole process, opened by one call and closed by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymongo.errors import InvalidOperation

import loom_async as lm
from loom_async.connection import embedded_server
from tests.aio._concurrency import together
from tests.aio.embedded_servers import until


@lm.declare_persist_db("open_and_close_db", "notes")
class Note(lm.PersistableBase):
    text: str


@lm.declare_persist_db("open_and_close_db", "notes", remote_db=True)
class RemoteNote(lm.PersistableBase):
    text: str


@pytest.fixture(autouse=True)
async def nothing_else(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Without `open` operations raise an error; each test closes what it opened."""
    monkeypatch.delenv("LOOM_URI", raising=False)
    monkeypatch.delenv("LOOM_REMOTE_URI", raising=False)
    monkeypatch.setenv("LOOM_EMBEDDED", "never")
    yield
    await lm.close()


@pytest.fixture
def directories(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The data directories of the servers that are started."""
    found: list[Path] = []
    lease_of = embedded_server.Lease.__init__

    def init(self: embedded_server.Lease, directory: Path, *rest: object) -> None:
        found.append(directory)
        lease_of(self, directory, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(embedded_server.Lease, "__init__", init)
    return found


async def texts() -> list[str]:
    return [note.text for note in await Note.filter().load_many()]


async def test_every_task_uses_what_is_opened(data_dir: Path) -> None:
    client = await lm.open_embedded(data_dir)
    assert await lm.get_async_local_db_client() is client
    await together(Note(text="a").persist, Note(text="b").persist)
    await RemoteNote(text="c").persist()
    assert await client["open_and_close_db"]["notes"].count_documents({}) == 3
    await lm.close()
    with pytest.raises(InvalidOperation):
        await client.admin.command("ping")
    with pytest.raises(lm.ConfigurationError, match="LOOM_URI"):
        await texts()


async def test_the_data_of_a_directory_is_kept(data_dir: Path) -> None:
    for text in ("a", "b"):
        await lm.open_embedded(data_dir)
        await Note(text=text).persist()
        await lm.close()
    await lm.open_embedded(str(data_dir))
    assert await texts() == ["a", "b"]
    await lm.close()


async def test_close_deletes_a_temporary_server(directories: list[Path]) -> None:
    await lm.open_embedded()
    await Note(text="a").persist()
    (directory,) = directories
    assert is_there(directory)
    await lm.close()
    until(lambda: not is_there(directory))
    await lm.close()


def is_there(directory: Path) -> bool:
    return directory.exists()


async def test_blocks_take_precedence(mongo_uri: str, data_dir: Path) -> None:
    client = await lm.open(mongo_uri)
    async with lm.embedded(data_dir) as inner:
        assert await lm.get_async_local_db_client() is inner
        await Note(text="a").persist()
        with lm.using(client=client), lm.using(database="opening_other"):
            assert await texts() == []
        assert await texts() == ["a"]
        async with lm.connect(mongo_uri) as innermost:
            assert await lm.get_async_local_db_client() is innermost
    assert await lm.get_async_local_db_client() is client
    assert await texts() == []


async def test_open_inside_a_block_applies_after_it(mongo_uri: str) -> None:
    async with lm.connect(mongo_uri) as client:
        opened = await lm.open(mongo_uri)
        assert await lm.get_async_local_db_client() is client
    assert await lm.get_async_local_db_client() is opened


async def test_opening_again_closes_the_former_client(
    mongo_uri: str, directories: list[Path]
) -> None:
    first = await lm.open(mongo_uri)
    second = await lm.open(mongo_uri)
    await lm.open_embedded()
    (directory,) = directories
    third = await lm.open(mongo_uri, appname="third")
    until(lambda: not is_there(directory))
    for former in (first, second):
        with pytest.raises(InvalidOperation):
            await former.admin.command("ping")
    assert await lm.get_async_local_db_client() is third
    assert await texts() == []


async def test_a_malformed_uri_leaves_the_former_client_open(mongo_uri: str) -> None:
    client = await lm.open(mongo_uri)
    with pytest.raises(lm.ConfigurationError, match="cannot be used"):
        await lm.open("mongodb://user:secret@host:port/")
    assert await lm.get_async_local_db_client() is client
    assert await texts() == []


async def test_open_returns_another_client_than_that_of_the_settings(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    of_settings = await lm.get_async_local_db_client()
    for _ in range(2):
        assert await lm.open(mongo_uri) is not of_settings
    assert (await of_settings.admin.command("ping"))["ok"] == 1
