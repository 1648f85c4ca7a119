# Generated from tests/aio/test_watch_iteration.py by `nox -s sync`: edit that file.
"""Loops and blocks open change streams and close them; several threads use them."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync.collections.find import collection_of
from tests.sync import _concurrency
from tests.sync.shop import User
from tests.sync.watching import cursors, is_closed, operations, token_now


def test_a_loop_opens_and_closes_the_stream(client: Any, db: str) -> None:
    token = token_now()
    for name in ("Ann", "Bea", "Cid"):
        User(name=name).persist()
    names = []
    for change in User.watch(resume_after=token):
        assert change.document is not None
        names.append(change.document.name)
        if len(names) == 3:
            break
    assert names == ["Ann", "Bea", "Cid"]
    assert is_closed(client, db)


def test_leaving_a_loop_closes_the_cursor(client: Any, db: str) -> None:
    token = token_now()
    User(name="Ann").persist()
    connections = client.admin.command("serverStatus")["connections"]["current"]
    for _ in range(20):
        for _change in User.watch(resume_after=token):
            break

    def fail() -> None:
        for change in User.watch(resume_after=token):
            raise LookupError(change.id)

    with pytest.raises(LookupError):
        fail()
    assert is_closed(client, db)
    status = client.admin.command("serverStatus")
    assert status["connections"]["current"] < connections + 10


def test_a_block_has_the_stream_open(client: Any, db: str) -> None:
    changes = User.watch()
    assert changes.token is None
    assert cursors(client, db) == []
    with changes:
        assert len(cursors(client, db)) == 1
        User(name="Ann").persist()
        for change in changes:
            assert change.document is not None
            break
        User(name="Bea").persist()
        assert operations(changes, 1) == [("insert", "Bea")]
        assert len(cursors(client, db)) == 1
        with pytest.raises(lm.QueryError, match="being watched already"), changes:
            pass
    assert is_closed(client, db)
    with pytest.raises(lm.QueryError, match="not being watched here"):
        next(changes)


def test_one_stream_is_not_opened_twice_at_once(client: Any, db: str) -> None:
    changes = User.watch()

    def enter() -> str:
        try:
            with changes:
                for _ in range(3):
                    cursors(client, db)
        except lm.QueryError as error:
            return error.message
        return "entered"

    results = _concurrency.gathered(enter, enter, enter)
    assert results.count("entered") == 1
    assert is_closed(client, db)


def test_used_again_it_goes_on_where_it_stopped(db: str) -> None:
    changes = User.watch()
    with changes:
        User(name="Ann").persist()
        next(changes)
    User(name="Bea").persist()
    for change in changes:
        assert change.document is not None
        assert change.document.name == "Bea"
        break
    User(name="Cid").persist()
    with changes:
        assert operations(changes, 1) == [("insert", "Cid")]


def test_used_again_at_once_it_is_a_stream_of_its_own(client: Any, db: str) -> None:
    """The loop before is still closing its own when the next one begins."""
    changes = User.watch()
    with changes:
        pass
    for n in range(40):
        User(name=f"a{n}").persist()
        for change in changes:
            assert change.document is not None
            assert change.document.name == f"a{n}"
            break
        with changes:
            for _ in range(3):
                User(name=f"b{n}").persist()
                assert operations(changes, 1) == [("insert", f"b{n}")]
    assert is_closed(client, db)


def test_closing_its_client_ends_the_iteration(client: Any, db: str, mongo_uri: str) -> None:
    own = MongoClient[dict[str, Any]](mongo_uri)
    with lm.using(client=own):
        changes = User.watch()

    def read() -> list[str]:
        return [change.operation for change in changes]

    def close() -> list[str]:
        while not cursors(client, db):
            _concurrency.pause()
        User(name="Ann").persist()
        token = changes.token
        while changes.token == token:
            _concurrency.pause()
        own.close()
        return []

    assert _concurrency.gathered(read, close) == [["insert"], []]
    # The client that was closed can no longer tell the server.
    for row in cursors(client, db):
        ids = [row["cursor"]["cursorId"]]
        client[db].command("killCursors", row["ns"].partition(".")[2], cursors=ids)


def test_leaving_a_block_ends_what_another_task_iterates(client: Any, db: str) -> None:
    entered: list[Any] = []

    def block() -> None:
        with User.watch() as changes:
            entered.append(changes)
            while len(entered) < 2:
                _concurrency.pause()
            for _ in range(20):
                cursors(client, db)

    def read() -> None:
        while not entered:
            _concurrency.pause()
        entered.append("waiting")
        assert next(entered[0], None) is None

    _concurrency.gathered(block, read)
    assert is_closed(client, db)


def test_several_watch_at_once(db: str) -> None:
    def names_seen() -> list[str | None]:
        with User.watch(resume_after=token) as changes:
            return [name for _, name in operations(changes, 30)]

    def write() -> list[str | None]:
        written = [f"{n}" for n in range(30)]
        for name in written:
            User(name=name).persist()
        return written

    token = token_now()
    results = _concurrency.gathered(names_seen, names_seen, write, names_seen)
    assert results == [[f"{n}" for n in range(30)]] * 4


def test_it_can_be_stopped_from_elsewhere(client: Any, db: str) -> None:
    changes = User.watch(resume_after=token_now())

    def read() -> int:
        return len(list(changes))

    def stop() -> int:
        User(name="Ann").persist()
        while not changes.token or changes.token == token:
            _concurrency.pause()
        changes.stop()
        return 0

    token = changes.token
    assert _concurrency.gathered(read, stop)[0] <= 1
    assert is_closed(client, db)
    assert list(changes) == []


def test_a_document_that_does_not_fit_does_not_end_a_block(db: str) -> None:
    collection = collection_of(User)
    with User.watch() as changes:
        bad = collection.insert_one({"age": 3}).inserted_id
        User(name="Bea").persist()
        with pytest.raises(lm.InvalidDocument, match="does not fit User: name") as caught:
            next(changes)
        assert caught.value.id == bad
        assert f"watch(resume_after={changes.token!r})" in caught.value.__notes__[0]
        assert operations(changes, 1) == [("insert", "Bea")]
        collection.delete_one({"_id": bad})
        assert next(changes).id == bad


def test_a_loop_can_go_on_after_a_document_that_does_not_fit(client: Any, db: str) -> None:
    changes = User.watch(resume_after=token_now())
    collection_of(User).insert_one({"age": 3})
    User(name="Bea").persist()
    with pytest.raises(lm.InvalidDocument):
        for _change in changes:
            pass
    assert is_closed(client, db)
    for change in changes:
        assert change.document is not None
        assert change.document.name == "Bea"
        break
