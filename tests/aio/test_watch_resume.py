"""Each change comes once and in order, although connections break."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

import loom_async as lm
from tests.aio import _concurrency
from tests.cursors import open_cursors
from tests.proxy import Proxy, proxy_of


@lm.declare_persist_db("loom_watch", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = ""


@pytest.fixture
def proxy(mongo_uri: str) -> Iterator[Proxy]:
    with proxy_of(mongo_uri) as made:
        yield made


async def numbers(changes: Any, count: int) -> list[int]:
    return [(await anext(changes)).document.number for _ in range(count)]


async def kill_cursors(client: Any, db: str) -> int:
    found = await (await client.admin.aggregate(open_cursors(db))).to_list()
    ids = [row["cursor"]["cursorId"] for row in found]
    if ids:
        await client[db].command("killCursors", "rows", cursors=ids)
    return len(ids)


async def test_killed_cursors_are_replaced(client: Any, db: str) -> None:
    async with Row.watch() as changes:
        for n in range(0, 30, 3):
            await Row(number=n).persist()
            await Row(number=n + 1).persist()
            assert await numbers(changes, 1) == [n]
            assert await kill_cursors(client, db) == 1
            await Row(number=n + 2).persist()
            assert await numbers(changes, 2) == [n + 1, n + 2]


async def test_a_cursor_killed_before_the_first_change(client: Any, db: str) -> None:
    async with Row.watch() as changes:
        assert await kill_cursors(client, db) == 1
        await Row(number=1).persist()
        assert await numbers(changes, 1) == [1]


async def test_broken_connections(client: Any, db: str, proxy: Proxy) -> None:
    """While changes are written, and before or after the server has sent them."""
    count = 300

    async def write() -> list[int]:
        with lm.using(client=client):
            for n in range(count):
                await Row(number=n).persist()
                if n % 20 == 10:
                    proxy.cut()
        return list(range(count))

    async with lm.connect(proxy.uri), Row.watch() as changes:

        async def read() -> list[int]:
            return await numbers(changes, count)

        written, seen = await _concurrency.gathered(write, read)
    assert seen == written
    assert await kill_cursors(client, db) == 0


async def test_replies_that_break_off(client: Any, db: str, proxy: Proxy) -> None:
    count, chosen = 100, random.Random(5)
    proxy.limits = (chosen.choice((500, 5_000, 20_000, 90_000)) for _ in itertools.count())

    async def write() -> list[int]:
        with lm.using(client=client):
            for n in range(count):
                await Row(number=n, text="x" * 500).persist()
        return list(range(count))

    async with lm.connect(proxy.uri):
        changes = Row.watch()

        async def read() -> list[int]:
            async with changes:
                opened.append(True)
                return await numbers(changes, count)

        async def write_then() -> list[int]:
            while not opened:
                await _concurrency.pause()
            return await write()

        opened: list[bool] = []
        written, seen = await _concurrency.gathered(write_then, read)
    assert seen == written
    await kill_cursors(client, db)  # the command that closes one may break off as well


async def test_a_server_that_is_unreachable_for_a_while(client: Any, db: str, proxy: Proxy) -> None:
    async def come_back() -> list[int]:
        with lm.using(client=client):
            await Row(number=2).persist()
            begun = time.monotonic()
            while time.monotonic() < begun + 1.5:
                await _concurrency.pause()
            await Row(number=3).persist()
        proxy.is_up = True
        return []

    async with lm.connect(proxy.uri), Row.watch() as changes:
        with lm.using(client=client):
            await Row(number=1).persist()
        assert await numbers(changes, 1) == [1]
        proxy.is_up = False
        proxy.cut()

        async def read() -> list[int]:
            return await numbers(changes, 2)

        assert await _concurrency.gathered(come_back, read) == [[], [2, 3]]


async def test_a_server_that_stays_unreachable(client: Any, db: str, proxy: Proxy) -> None:
    with lm.config_context(server_timeout=1):
        async with lm.connect(proxy.uri), Row.watch() as changes:
            with lm.using(client=client):
                await Row(number=1).persist()
                await Row(number=2).persist()
            change = await anext(changes)
            proxy.is_up = False
            proxy.cut()
            await numbers(changes, 1)  # it came in the batch of the first one
            begun = time.monotonic()
            with pytest.raises(lm.ConnectionFailed, match=r"watch Row: (.|\n)*for 1 seconds"):
                await anext(changes)
            assert 1 <= time.monotonic() - begun < 4
            assert await anext(changes, None) is None
            begun = time.monotonic()
        assert time.monotonic() - begun < 3
    assert await kill_cursors(client, db) <= 1  # the server could not be told
    async with Row.watch(resume_after=change.token) as later:
        assert await numbers(later, 1) == [2]


async def test_a_server_that_was_never_reachable(db: str, proxy: Proxy) -> None:
    async with lm.connect(proxy.uri):
        proxy.is_up = False
        proxy.cut()
        with pytest.raises(lm.ConnectionFailed, match="watch Row: "):
            async with Row.watch():
                pass
