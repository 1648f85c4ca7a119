"""Changes of documents, as they happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async import fld
from loom_async.collections.find import collection_of
from tests.aio import _concurrency
from tests.aio.shop import Archived, User
from tests.aio.watching import operations, taken
from tests.commands import commands_of
from tests.cursors import open_cursors


async def cursors(client: Any, db: str) -> list[Any]:
    return await (await client.admin.aggregate(open_cursors(db))).to_list()


async def is_closed(client: Any, db: str) -> bool:
    tries = 0
    while tries < 500 and await cursors(client, db):
        tries += 1
    return tries < 500


async def start() -> str:
    """Return the place where the stream of users is now."""
    async with User.watch() as changes:
        assert changes.token is not None
        return changes.token


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


async def test_the_document_of_an_update_is_the_one_of_now(db: str) -> None:
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


async def test_a_loop_opens_and_closes_the_stream(client: Any, db: str) -> None:
    place = await start()
    for name in ("Ann", "Bea", "Cid"):
        await User(name=name).persist()
    names = []
    async for change in User.watch(resume_after=place):
        assert change.document is not None
        names.append(change.document.name)
        if len(names) == 3:
            break
    assert names == ["Ann", "Bea", "Cid"]
    assert await is_closed(client, db)


async def test_leaving_a_loop_closes_the_cursor(client: Any, db: str) -> None:
    place = await start()
    await User(name="Ann").persist()
    connections = (await client.admin.command("serverStatus"))["connections"]["current"]
    for _ in range(20):
        async for _change in User.watch(resume_after=place):
            break

    async def fail() -> None:
        async for change in User.watch(resume_after=place):
            raise LookupError(change.id)

    with pytest.raises(LookupError):
        await fail()
    assert await is_closed(client, db)
    status = await client.admin.command("serverStatus")
    assert status["connections"]["current"] < connections + 10


async def test_a_block_has_the_stream_open(client: Any, db: str) -> None:
    changes = User.watch()
    assert changes.token is None
    assert await cursors(client, db) == []
    async with changes:
        assert len(await cursors(client, db)) == 1
        await User(name="Ann").persist()
        async for change in changes:
            assert change.document is not None
            break
        await User(name="Bea").persist()
        assert await operations(changes, 1) == [("insert", "Bea")]
        assert len(await cursors(client, db)) == 1
        with pytest.raises(lm.QueryError, match="being watched already"):
            async with changes:
                pass
    assert await is_closed(client, db)
    with pytest.raises(lm.QueryError, match="not being watched here"):
        await anext(changes)


async def test_one_stream_is_not_opened_twice_at_once(client: Any, db: str) -> None:
    changes = User.watch()

    async def enter() -> str:
        try:
            async with changes:
                for _ in range(3):
                    await cursors(client, db)
        except lm.QueryError as error:
            return error.message
        return "entered"

    results = await _concurrency.gathered(enter, enter, enter)
    assert results.count("entered") == 1
    assert await is_closed(client, db)


async def test_used_again_it_goes_on_where_it_stopped(db: str) -> None:
    changes = User.watch()
    async with changes:
        await User(name="Ann").persist()
        await anext(changes)
    await User(name="Bea").persist()
    async for change in changes:
        assert change.document is not None
        assert change.document.name == "Bea"
        break
    await User(name="Cid").persist()
    async with changes:
        assert await operations(changes, 1) == [("insert", "Cid")]


async def test_used_again_at_once_it_is_a_stream_of_its_own(client: Any, db: str) -> None:
    """The loop before is still closing its own when the next one begins."""
    changes = User.watch()
    async with changes:
        pass
    for n in range(40):
        await User(name=f"a{n}").persist()
        async for change in changes:
            assert change.document is not None
            assert change.document.name == f"a{n}"
            break
        async with changes:
            for _ in range(3):
                await User(name=f"b{n}").persist()
                assert await operations(changes, 1) == [("insert", f"b{n}")]
    assert await is_closed(client, db)


async def test_closing_its_client_ends_the_iteration(client: Any, db: str, mongo_uri: str) -> None:
    own = AsyncMongoClient[dict[str, Any]](mongo_uri)
    with lm.using(client=own):
        changes = User.watch()

    async def read() -> list[str]:
        return [change.operation async for change in changes]

    async def close() -> list[str]:
        while not await cursors(client, db):
            await _concurrency.pause()
        await User(name="Ann").persist()
        place = changes.token
        while changes.token == place:
            await _concurrency.pause()
        await own.close()
        return []

    assert await _concurrency.gathered(read, close) == [["insert"], []]
    # The client that was closed can no longer tell the server.
    for row in await cursors(client, db):
        ids = [row["cursor"]["cursorId"]]
        await client[db].command("killCursors", row["ns"].partition(".")[2], cursors=ids)


async def test_leaving_a_block_ends_what_another_task_iterates(client: Any, db: str) -> None:
    entered: list[Any] = []

    async def block() -> None:
        async with User.watch() as changes:
            entered.append(changes)
            while len(entered) < 2:
                await _concurrency.pause()
            for _ in range(20):
                await cursors(client, db)

    async def read() -> None:
        while not entered:
            await _concurrency.pause()
        entered.append("waiting")
        assert await anext(entered[0], None) is None

    await _concurrency.gathered(block, read)
    assert await is_closed(client, db)


async def test_tokens_go_on_after_their_change(db: str) -> None:
    async with User.watch() as changes:
        await User.persist_many([User(name=name) for name in "abcde"])
        tokens = [change.token for change in await taken(changes, 5)]
        await User(name="f").persist()
    assert all(isinstance(token, str) for token in tokens)
    for n, token in enumerate(tokens):
        async with User.watch(resume_after=token) as later:
            assert [name for _, name in await operations(later, 5 - n)] == list("abcdef")[n + 1 :]


async def test_the_place_moves_on_while_nothing_happens(db: str) -> None:
    async with User.filter(fld["name"] == "Ann").watch() as changes:
        place = changes.token
        await User.persist_many([User(name="Bea"), User(name="Ann")])
        change = await anext(changes)
        assert changes.token is not None
        assert place is not None
        assert place < change.token <= changes.token


@pytest.mark.parametrize("token", ["8263", "ffff", "64f8a0c0c0c0c0c0c0c0c0c0"])
async def test_a_token_that_the_server_cannot_read(db: str, token: str) -> None:
    with pytest.raises(lm.OperationFailed, match=r"watch User: (.|\n)*Hint: resume_after takes"):
        async with User.watch(resume_after=token):
            pass


async def test_what_is_no_token(db: str) -> None:
    with pytest.raises(lm.QueryError, match="'Ann' is not the token of a change"):
        User.watch(resume_after="Ann")


async def test_the_end_of_a_collection_is_told_and_ends_the_stream(db: str) -> None:
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


async def test_it_watches_where_it_was_asked_for(client: Any, db: str) -> None:
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


async def test_a_document_that_does_not_fit_does_not_end_a_block(db: str) -> None:
    collection = await collection_of(User)
    async with User.watch() as changes:
        bad = (await collection.insert_one({"age": 3})).inserted_id
        await User(name="Bea").persist()
        with pytest.raises(lm.InvalidDocument, match="does not fit User: name") as caught:
            await anext(changes)
        assert caught.value.id == bad
        assert f"watch(resume_after={changes.token!r})" in caught.value.__notes__[0]
        assert await operations(changes, 1) == [("insert", "Bea")]
        await collection.delete_one({"_id": bad})
        assert (await anext(changes)).id == bad


async def test_a_loop_can_go_on_after_a_document_that_does_not_fit(client: Any, db: str) -> None:
    changes = User.watch(resume_after=await start())
    await (await collection_of(User)).insert_one({"age": 3})
    await User(name="Bea").persist()
    with pytest.raises(lm.InvalidDocument):
        async for _change in changes:
            pass
    assert await is_closed(client, db)
    async for change in changes:
        assert change.document is not None
        assert change.document.name == "Bea"
        break


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


async def test_several_watch_at_once(db: str) -> None:
    async def names_seen() -> list[str | None]:
        async with User.watch(resume_after=place) as changes:
            return [name for _, name in await operations(changes, 30)]

    async def write() -> list[str | None]:
        written = [f"{n}" for n in range(30)]
        for name in written:
            await User(name=name).persist()
        return written

    place = await start()
    results = await _concurrency.gathered(names_seen, names_seen, write, names_seen)
    assert results == [[f"{n}" for n in range(30)]] * 4


async def test_it_can_be_stopped_from_elsewhere(client: Any, db: str) -> None:
    changes = User.watch(resume_after=await start())

    async def read() -> int:
        return len([change async for change in changes])

    async def stop() -> int:
        await User(name="Ann").persist()
        while not changes.token or changes.token == place:
            await _concurrency.pause()
        changes.stop()
        return 0

    place = changes.token
    assert (await _concurrency.gathered(read, stop))[0] <= 1
    assert await is_closed(client, db)
    assert [change async for change in changes] == []
