# Generated from tests/aio/test_open_and_close.py by `nox -s sync`: edit that file.
"""A server for the whole process, opened by one call and closed by another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo.errors import InvalidOperation

import loom_sync as lm
from loom_sync.connection import embedded_server
from tests.sync._concurrency import together
from tests.sync.embedded_servers import until


@lm.declare_persist_db("open_and_close_db", "notes")
class Note(lm.PersistableBase):
    text: str


@lm.declare_persist_db("open_and_close_db", "notes", remote_db=True)
class RemoteNote(lm.PersistableBase):
    text: str


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without `open` operations raise an error; each test closes what it opened."""
    monkeypatch.delenv("LOOM_URI", raising=False)
    monkeypatch.delenv("LOOM_REMOTE_URI", raising=False)
    monkeypatch.setenv("LOOM_EMBEDDED", "never")
    yield
    lm.close()


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


def texts() -> list[str]:
    return [note.text for note in Note.filter().load_many()]


def test_every_task_uses_what_is_opened(data_dir: Path) -> None:
    client = lm.open_embedded(data_dir)
    assert lm.get_local_db_client() is client
    together(Note(text="a").persist, Note(text="b").persist)
    RemoteNote(text="c").persist()
    assert client["open_and_close_db"]["notes"].count_documents({}) == 3
    lm.close()
    with pytest.raises(InvalidOperation):
        client.admin.command("ping")
    with pytest.raises(lm.ConfigurationError, match="LOOM_URI"):
        texts()


def test_the_data_of_a_directory_is_kept(data_dir: Path) -> None:
    for text in ("a", "b"):
        lm.open_embedded(data_dir)
        Note(text=text).persist()
        lm.close()
    lm.open_embedded(str(data_dir))
    assert texts() == ["a", "b"]
    lm.close()


def test_close_deletes_a_temporary_server(directories: list[Path]) -> None:
    lm.open_embedded()
    Note(text="a").persist()
    (directory,) = directories
    assert is_there(directory)
    lm.close()
    until(lambda: not is_there(directory))
    lm.close()


def is_there(directory: Path) -> bool:
    return directory.exists()


def test_blocks_take_precedence(mongo_uri: str, data_dir: Path) -> None:
    client = lm.open(mongo_uri)
    with lm.embedded(data_dir) as inner:
        assert lm.get_local_db_client() is inner
        Note(text="a").persist()
        with lm.using(client=client), lm.using(database="opening_other"):
            assert texts() == []
        assert texts() == ["a"]
        with lm.connect(mongo_uri) as innermost:
            assert lm.get_local_db_client() is innermost
    assert lm.get_local_db_client() is client
    assert texts() == []


def test_open_inside_a_block_applies_after_it(mongo_uri: str) -> None:
    with lm.connect(mongo_uri) as client:
        opened = lm.open(mongo_uri)
        assert lm.get_local_db_client() is client
    assert lm.get_local_db_client() is opened


def test_opening_again_closes_the_former_client(mongo_uri: str, directories: list[Path]) -> None:
    first = lm.open(mongo_uri)
    second = lm.open(mongo_uri)
    lm.open_embedded()
    (directory,) = directories
    third = lm.open(mongo_uri, appname="third")
    until(lambda: not is_there(directory))
    for former in (first, second):
        with pytest.raises(InvalidOperation):
            former.admin.command("ping")
    assert lm.get_local_db_client() is third
    assert texts() == []


def test_a_malformed_uri_leaves_the_former_client_open(mongo_uri: str) -> None:
    client = lm.open(mongo_uri)
    with pytest.raises(lm.ConfigurationError, match="cannot be used"):
        lm.open("mongodb://user:secret@host:port/")
    assert lm.get_local_db_client() is client
    assert texts() == []


def test_open_returns_another_client_than_that_of_the_settings(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    of_settings = lm.get_local_db_client()
    for _ in range(2):
        assert lm.open(mongo_uri) is not of_settings
    assert of_settings.admin.command("ping")["ok"] == 1
