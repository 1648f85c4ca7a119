# Generated from tests/aio/test_watch.py by `nox -s sync`: edit that file.
"""Changes of documents, as they happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

import loom_sync as lm
from loom_sync import fld
from loom_sync.collections.find import collection_of
from tests.commands import commands_of
from tests.cursors import open_cursors
from tests.sync import _concurrency
from tests.sync.shop import Archived, User
from tests.sync.watching import operations, taken


def cursors(client: Any, db: str) -> list[Any]:
    return client.admin.aggregate(open_cursors(db)).to_list()


def is_closed(client: Any, db: str) -> bool:
    tries = 0
    while tries < 500 and cursors(client, db):
        tries += 1
    return tries < 500


def start() -> str:
    """Return the place where the stream of users is now."""
    with User.watch() as changes:
        assert changes.token is not None
        return changes.token


def test_each_operation(db: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with User.watch() as changes:
        ann = User(name="Ann", price=Decimal("1.5"), tags=list("abcdefgh"), alias="x")
        ann.persist()
        inserted = next(changes)
        assert (inserted.operation, inserted.id) == ("insert", ann.id)
        assert inserted.document == ann
        assert (inserted.updated, inserted.removed, inserted.truncated) == ({}, (), {})
        assert before < inserted.at < datetime.now(UTC) + timedelta(seconds=1)
        assert inserted.at.tzinfo is UTC

        ann.price, ann.alias = Decimal("2.50"), "y"
        ann.persist()
        updated = next(changes)
        assert (updated.operation, updated.document) == ("update", ann)
        assert updated.updated["price"] == Decimal("2.50")
        assert updated.updated["storedAs"] == "y"
        assert updated.removed == ()

        collection = collection_of(User)
        cut = {"$set": {"tags": {"$slice": ["$tags", 6]}}}
        collection.update_one({}, [cut, {"$unset": "color"}])
        how = next(changes)
        assert (how.updated, how.removed, how.truncated) == ({}, ("color",), {"tags": 6})

        collection.replace_one({"_id": ann.id}, {"name": "Bea"})
        replaced = next(changes)
        assert (replaced.operation, replaced.document.name) == ("replace", "Bea")
        ann.delete()
        deleted = next(changes)
        assert (deleted.operation, deleted.id, deleted.document) == ("delete", ann.id, None)


def test_documents_can_be_edited_and_persisted(db: str) -> None:
    with User.watch() as changes:
        User(name="Ann").persist()
        ann = next(changes).document
        assert ann is not None
        assert ann.persist() is False
        ann.age = 5
        assert ann.persist() is True
        assert set(next(changes).updated) == {"age", "updated_time"}


def test_the_document_of_an_update_is_the_one_of_now(db: str) -> None:
    ann, bob = User(name="Ann"), User(name="Bob")
    User.persist_many([ann, bob])
    with User.watch() as changes:
        for age in (1, 2):
            ann.age = bob.age = age
            ann.persist()
        bob.persist()
        bob.delete()
        first, second, third, last = taken(changes, 4)
        assert [change.updated["age"] for change in (first, second, third)] == [1, 2, 2]
        assert [change.document and change.document.age for change in (first, second)] == [2, 2]
        assert (third.operation, third.id, third.document) == ("update", bob.id, None)
        assert last.operation == "delete"


def test_a_loop_opens_and_closes_the_stream(client: Any, db: str) -> None:
    place = start()
    for name in ("Ann", "Bea", "Cid"):
        User(name=name).persist()
    names = []
    for change in User.watch(resume_after=place):
        assert change.document is not None
        names.append(change.document.name)
        if len(names) == 3:
            break
    assert names == ["Ann", "Bea", "Cid"]
    assert is_closed(client, db)


def test_leaving_a_loop_closes_the_cursor(client: Any, db: str) -> None:
    place = start()
    User(name="Ann").persist()
    connections = client.admin.command("serverStatus")["connections"]["current"]
    for _ in range(20):
        for _change in User.watch(resume_after=place):
            break

    def fail() -> None:
        for change in User.watch(resume_after=place):
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
        place = changes.token
        while changes.token == place:
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


def test_tokens_go_on_after_their_change(db: str) -> None:
    with User.watch() as changes:
        User.persist_many([User(name=name) for name in "abcde"])
        tokens = [change.token for change in taken(changes, 5)]
        User(name="f").persist()
    assert all(isinstance(token, str) for token in tokens)
    for n, token in enumerate(tokens):
        with User.watch(resume_after=token) as later:
            assert [name for _, name in operations(later, 5 - n)] == list("abcdef")[n + 1 :]


def test_the_place_moves_on_while_nothing_happens(db: str) -> None:
    with User.filter(fld["name"] == "Ann").watch() as changes:
        place = changes.token
        User.persist_many([User(name="Bea"), User(name="Ann")])
        change = next(changes)
        assert changes.token is not None
        assert place is not None
        assert place < change.token <= changes.token


@pytest.mark.parametrize("token", ["8263", "ffff", "64f8a0c0c0c0c0c0c0c0c0c0"])
def test_a_token_that_the_server_cannot_read(db: str, token: str) -> None:
    with pytest.raises(lm.OperationFailed, match=r"watch User: (.|\n)*Hint: resume_after takes"):
        with User.watch(resume_after=token):
            pass


def test_what_is_no_token(db: str) -> None:
    with pytest.raises(lm.QueryError, match="'Ann' is not the token of a change"):
        User.watch(resume_after="Ann")


def test_the_end_of_a_collection_is_told_and_ends_the_stream(db: str) -> None:
    collection = collection_of(User)
    User(name="Ann").persist()
    changes = User.filter(fld["name"] == "Nobody").watch()
    with changes:
        collection.drop()
        found = list(changes)
        assert [change.operation for change in found] == ["drop", "invalidate"]
        assert all(change.id is None and change.document is None for change in found)
        assert next(changes, None) is None
    User(name="Nobody").persist()
    for again in (changes, User.watch(resume_after=found[-1].token)):
        with again:
            assert operations(again, 1) == [("insert", "Nobody")]


def test_changes_of_a_transaction_come_with_its_commit(db: str) -> None:
    User(name="Ann").persist()
    with User.watch() as changes:
        with lm.transaction():
            User(name="Bea").persist()
            User(name="Cid").persist()
        assert operations(changes, 2) == [("insert", "Bea"), ("insert", "Cid")]


def test_inside_a_transaction_it_is_refused(client: Any, db: str) -> None:
    with lm.transaction(), commands_of(client) as sent:
        for watched in (User, User.filter(fld["age"] > 3)):
            with pytest.raises(lm.TransactionError, match="before the transaction"):
                watched.watch()
    assert sent == []


def test_it_watches_where_it_was_asked_for(client: Any, db: str) -> None:
    changes = User.watch()
    with lm.using(database=f"{db}_other"):
        other = User.watch()
        User(name="Other").persist()
    with changes, other:
        User(name="Ann").persist()
        with lm.using(database=f"{db}_other"):
            User(name="Bea").persist()
        assert operations(changes, 1) == [("insert", "Ann")]
        assert operations(other, 1) == [("insert", "Bea")]
    client.drop_database(f"{db}_other")


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
    changes = User.watch(resume_after=start())
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


def test_a_date_that_python_cannot_hold(db: str) -> None:
    collection = collection_of(User)
    ann = User(name="Ann")
    ann.persist()
    with User.watch() as changes:
        far = {"$set": {"seen": {"$toDate": 2**60}}}
        collection.update_one({"_id": ann.id}, [far])
        ann.delete()
        with pytest.raises(lm.InvalidDocument, match="cannot be read"):
            next(changes)
        assert next(changes).operation == "delete"


def test_ids_are_of_the_models_type(db: str) -> None:
    with Archived.watch() as changes:
        one = Archived(name="x")
        one.persist()
        one.delete()
        found = taken(changes, 2)
    assert [change.id for change in found] == [one.id, one.id]
    assert isinstance(found[1].id, ObjectId)


def test_several_watch_at_once(db: str) -> None:
    def names_seen() -> list[str | None]:
        with User.watch(resume_after=place) as changes:
            return [name for _, name in operations(changes, 30)]

    def write() -> list[str | None]:
        written = [f"{n}" for n in range(30)]
        for name in written:
            User(name=name).persist()
        return written

    place = start()
    results = _concurrency.gathered(names_seen, names_seen, write, names_seen)
    assert results == [[f"{n}" for n in range(30)]] * 4


def test_it_can_be_stopped_from_elsewhere(client: Any, db: str) -> None:
    changes = User.watch(resume_after=start())

    def read() -> int:
        return len(list(changes))

    def stop() -> int:
        User(name="Ann").persist()
        while not changes.token or changes.token == place:
            _concurrency.pause()
        changes.stop()
        return 0

    place = changes.token
    assert _concurrency.gathered(read, stop)[0] <= 1
    assert is_closed(client, db)
    assert list(changes) == []
