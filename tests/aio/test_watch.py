"""Changes of documents, as they happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId

import loom_async as lm
from loom_async import fld
from loom_async.collections.find import collection_of
from tests.aio.shop import Archived, User
from tests.aio.watching import operations, taken
from tests.commands import commands_of


async def test_each_operation(db: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with User.watch() as changes:
        ann = User(name="Ann", price=Decimal("1.5"), tags=list("abcdefgh"), alias="x")
        await ann.persist()
        inserted = await anext(changes)
        assert (inserted.operation, inserted.id) == ("insert", ann.id)
        assert inserted.document == ann
        assert (inserted.updated, inserted.removed, inserted.truncated) == ({}, (), {})
        assert before < inserted.at < datetime.now(UTC) + timedelta(seconds=1)
        assert inserted.at.tzinfo is UTC

        ann.price, ann.alias = Decimal("2.50"), "y"
        await ann.persist()
        updated = await anext(changes)
        assert (updated.operation, updated.document) == ("update", ann)
        assert updated.updated["price"] == Decimal("2.50")
        assert updated.updated["storedAs"] == "y"
        assert updated.removed == ()

        collection = await collection_of(User)
        cut = {"$set": {"tags": {"$slice": ["$tags", 6]}}}
        await collection.update_one({}, [cut, {"$unset": "color"}])
        how = await anext(changes)
        assert (how.updated, how.removed, how.truncated) == ({}, ("color",), {"tags": 6})

        await collection.replace_one({"_id": ann.id}, {"name": "Bea"})
        replaced = await anext(changes)
        assert (replaced.operation, replaced.document.name) == ("replace", "Bea")
        await ann.delete()
        deleted = await anext(changes)
        assert (deleted.operation, deleted.id, deleted.document) == ("delete", ann.id, None)


async def test_documents_can_be_edited_and_persisted(db: str) -> None:
    async with User.watch() as changes:
        await User(name="Ann").persist()
        ann = (await anext(changes)).document
        assert ann is not None
        assert await ann.persist() is False
        ann.age = 5
        assert await ann.persist() is True
        assert set((await anext(changes)).updated) == {"age", "updated_time"}


async def test_the_document_of_an_update_is_the_current_one(db: str) -> None:
    ann, bob = User(name="Ann"), User(name="Bob")
    await User.persist_many([ann, bob])
    async with User.watch() as changes:
        for age in (1, 2):
            ann.age = bob.age = age
            await ann.persist()
        await bob.persist()
        await bob.delete()
        first, second, third, last = await taken(changes, 4)
        assert [change.updated["age"] for change in (first, second, third)] == [1, 2, 2]
        assert [change.document and change.document.age for change in (first, second)] == [2, 2]
        assert (third.operation, third.id, third.document) == ("update", bob.id, None)
        assert last.operation == "delete"


async def test_dropping_the_collection_ends_the_stream(db: str) -> None:
    collection = await collection_of(User)
    await User(name="Ann").persist()
    changes = User.filter(fld["name"] == "Nobody").watch()
    async with changes:
        await collection.drop()
        found = [change async for change in changes]
        assert [change.operation for change in found] == ["drop", "invalidate"]
        assert all(change.id is None and change.document is None for change in found)
        assert await anext(changes, None) is None
    await User(name="Nobody").persist()
    for again in (changes, User.watch(resume_after=found[-1].token)):
        async with again:
            assert await operations(again, 1) == [("insert", "Nobody")]


async def test_changes_of_a_transaction_come_with_its_commit(db: str) -> None:
    await User(name="Ann").persist()
    async with User.watch() as changes:
        async with lm.transaction():
            await User(name="Bea").persist()
            await User(name="Cid").persist()
        assert await operations(changes, 2) == [("insert", "Bea"), ("insert", "Cid")]


async def test_inside_a_transaction_it_is_refused(client: Any, db: str) -> None:
    async with lm.transaction():
        with commands_of(client) as sent:
            for watched in (User, User.filter(fld["age"] > 3)):
                with pytest.raises(lm.TransactionError, match="before the transaction"):
                    watched.watch()
    assert sent == []


async def test_it_uses_the_context_of_the_call(client: Any, db: str) -> None:
    changes = User.watch()
    with lm.using(database=f"{db}_other"):
        other = User.watch()
        await User(name="Other").persist()
    async with changes, other:
        await User(name="Ann").persist()
        with lm.using(database=f"{db}_other"):
            await User(name="Bea").persist()
        assert await operations(changes, 1) == [("insert", "Ann")]
        assert await operations(other, 1) == [("insert", "Bea")]
    await client.drop_database(f"{db}_other")


async def test_a_date_that_python_cannot_hold(db: str) -> None:
    collection = await collection_of(User)
    ann = User(name="Ann")
    await ann.persist()
    async with User.watch() as changes:
        far = {"$set": {"seen": {"$toDate": 2**60}}}
        await collection.update_one({"_id": ann.id}, [far])
        await ann.delete()
        with pytest.raises(lm.InvalidDocument, match="cannot be read"):
            await anext(changes)
        assert (await anext(changes)).operation == "delete"


async def test_ids_are_of_the_models_type(db: str) -> None:
    async with Archived.watch() as changes:
        one = Archived(name="x")
        await one.persist()
        await one.delete()
        found = await taken(changes, 2)
    assert [change.id for change in found] == [one.id, one.id]
    assert isinstance(found[1].id, ObjectId)
