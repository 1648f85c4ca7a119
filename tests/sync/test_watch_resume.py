# Generated from tests/aio/test_watch_resume.py by `nox -s sync`: edit that file.
"""Each change comes once and in order, although connections break."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

import loom_sync as lm
from tests.cursors import open_cursors
from tests.proxy import Proxy, proxy_of
from tests.sync import _concurrency


@lm.declare_persist_db("loom_watch", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = ""


@pytest.fixture
def proxy(mongo_uri: str) -> Iterator[Proxy]:
    with proxy_of(mongo_uri) as made:
        yield made


def numbers(changes: Any, count: int) -> list[int]:
    return [next(changes).document.number for _ in range(count)]


def kill_cursors(client: Any, db: str) -> int:
    found = client.admin.aggregate(open_cursors(db)).to_list()
    ids = [row["cursor"]["cursorId"] for row in found]
    if ids:
        client[db].command("killCursors", "rows", cursors=ids)
    return len(ids)


def test_killed_cursors_are_replaced(client: Any, db: str) -> None:
    with Row.watch() as changes:
        for n in range(0, 30, 3):
            Row(number=n).persist()
            Row(number=n + 1).persist()
            assert numbers(changes, 1) == [n]
            assert kill_cursors(client, db) == 1
            Row(number=n + 2).persist()
            assert numbers(changes, 2) == [n + 1, n + 2]


def test_a_cursor_killed_before_the_first_change(client: Any, db: str) -> None:
    with Row.watch() as changes:
        assert kill_cursors(client, db) == 1
        Row(number=1).persist()
        assert numbers(changes, 1) == [1]


def test_broken_connections(client: Any, db: str, proxy: Proxy) -> None:
    """While changes are written, and before or after the server has sent them."""
    count = 300

    def write() -> list[int]:
        with lm.using(client=client):
            for n in range(count):
                Row(number=n).persist()
                if n % 20 == 10:
                    proxy.cut()
        return list(range(count))

    with lm.connect(proxy.uri), Row.watch() as changes:

        def read() -> list[int]:
            return numbers(changes, count)

        written, seen = _concurrency.gathered(write, read)
    assert seen == written
    assert kill_cursors(client, db) == 0


def test_replies_that_break_off(client: Any, db: str, proxy: Proxy) -> None:
    count, chosen = 100, random.Random(5)
    proxy.limits = (chosen.choice((500, 5_000, 20_000, 90_000)) for _ in itertools.count())

    def write() -> list[int]:
        with lm.using(client=client):
            for n in range(count):
                Row(number=n, text="x" * 500).persist()
        return list(range(count))

    with lm.connect(proxy.uri):
        changes = Row.watch()

        def read() -> list[int]:
            with changes:
                opened.append(True)
                return numbers(changes, count)

        def write_then() -> list[int]:
            while not opened:
                _concurrency.pause()
            return write()

        opened: list[bool] = []
        written, seen = _concurrency.gathered(write_then, read)
    assert seen == written
    kill_cursors(client, db)  # the command that closes one may break off as well


def test_a_server_that_is_unreachable_for_a_while(client: Any, db: str, proxy: Proxy) -> None:
    def come_back() -> list[int]:
        with lm.using(client=client):
            Row(number=2).persist()
            begun = time.monotonic()
            while time.monotonic() < begun + 1.5:
                _concurrency.pause()
            Row(number=3).persist()
        proxy.is_up = True
        return []

    with lm.connect(proxy.uri), Row.watch() as changes:
        with lm.using(client=client):
            Row(number=1).persist()
        assert numbers(changes, 1) == [1]
        proxy.is_up = False
        proxy.cut()

        def read() -> list[int]:
            return numbers(changes, 2)

        assert _concurrency.gathered(come_back, read) == [[], [2, 3]]


def test_a_server_that_stays_unreachable(client: Any, db: str, proxy: Proxy) -> None:
    with lm.config_context(server_timeout=1):
        with lm.connect(proxy.uri), Row.watch() as changes:
            with lm.using(client=client):
                Row(number=1).persist()
                Row(number=2).persist()
            change = next(changes)
            proxy.is_up = False
            proxy.cut()
            numbers(changes, 1)  # it came in the batch of the first one
            begun = time.monotonic()
            with pytest.raises(lm.ConnectionFailed, match=r"watch Row: (.|\n)*for 1 seconds"):
                next(changes)
            assert 1 <= time.monotonic() - begun < 4
            assert next(changes, None) is None
            begun = time.monotonic()
        assert time.monotonic() - begun < 3
    assert kill_cursors(client, db) <= 1  # the server could not be told
    with Row.watch(resume_after=change.token) as later:
        assert numbers(later, 1) == [2]


def test_a_server_that_was_never_reachable(db: str, proxy: Proxy) -> None:
    with lm.connect(proxy.uri):
        proxy.is_up = False
        proxy.cut()
        with pytest.raises(lm.ConnectionFailed, match="watch Row: "), Row.watch():
            pass
