"""Loops and blocks open change streams and close them; several tasks use them."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async.collections.find import collection_of
from tests.aio import _concurrency
from tests.aio.shop import User
from tests.aio.watching import cursors, is_closed, operations, token_now


async def test_a_loop_opens_and_closes_the_stream(client: Any, db: str) -> None:
    token = await token_now()
    for name in ("Ann", "Bea", "Cid"):
        await User(name=name).persist()
    names = []
    async for change in User.watch(resume_after=token):
        assert change.document is not None
        names.append(change.document.name)
        if len(names) == 3:
            break
    assert names == ["Ann", "Bea", "Cid"]
    assert await is_closed(client, db)


async def test_leaving_a_loop_closes_the_cursor(client: Any, db: str) -> None:
    token = await token_now()
    await User(name="Ann").persist()
    connections = (await client.admin.command("serverStatus"))["connections"]["current"]
    for _ in range(20):
        async for _change in User.watch(resume_after=token):
            break

    async def fail() -> None:
        async for change in User.watch(resume_after=token):
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
        token = changes.token
        while changes.token == token:
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


async def test_several_watch_at_once(db: str) -> None:
    async def names_seen() -> list[str | None]:
        async with User.watch(resume_after=token) as changes:
            return [name for _, name in await operations(changes, 30)]

    async def write() -> list[str | None]:
        written = [f"{n}" for n in range(30)]
        for name in written:
            await User(name=name).persist()
        return written

    token = await token_now()
    results = await _concurrency.gathered(names_seen, names_seen, write, names_seen)
    assert results == [[f"{n}" for n in range(30)]] * 4


async def test_it_can_be_stopped_from_elsewhere(client: Any, db: str) -> None:
    changes = User.watch(resume_after=await token_now())

    async def read() -> int:
        return len([change async for change in changes])

    async def stop() -> int:
        await User(name="Ann").persist()
        while not changes.token or changes.token == token:
            await _concurrency.pause()
        changes.stop()
        return 0

    token = changes.token
    assert (await _concurrency.gathered(read, stop))[0] <= 1
    assert await is_closed(client, db)
    assert [change async for change in changes] == []


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
    changes = User.watch(resume_after=await token_now())
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
