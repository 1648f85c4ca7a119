# Generated from tests/aio/test_watch.py by `nox -s sync`: edit that file.
"""Changes of documents, as they happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId

import loom_sync as lm
from loom_sync import fld
from loom_sync.collections.find import collection_of
from tests.commands import commands_of
from tests.sync.shop import Archived, User
from tests.sync.watching import operations, taken


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


def test_the_document_of_an_update_is_the_current_one(db: str) -> None:
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


def test_dropping_the_collection_ends_the_stream(db: str) -> None:
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


def test_it_uses_the_context_of_the_call(client: Any, db: str) -> None:
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
