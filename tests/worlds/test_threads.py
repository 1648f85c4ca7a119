"""`loom_sync` in threads, inside a running event loop, and in forked workers."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

import loom_sync as lm

R = TypeVar("R")
THREADS = 16


@lm.declare_persist_db("worlds_none", "users", index=[lm.Index("name")])
class User(lm.Persistable):
    name: str
    visits: lm.IncrCounter = 0


@pytest.fixture(autouse=True)
def server(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    with lm.using(database="test_threads"):
        yield
        lm.get_local_db_client().drop_database("test_threads")
    lm.close()


def in_threads(*calls: Callable[[], R]) -> list[R]:
    """Run each call in a thread of its own, all of them released at once."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], R]) -> R:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_all_threads_share_one_client() -> None:
    clients = in_threads(*[lm.get_local_db_client] * THREADS)
    assert len({id(client) for client in clients}) == 1


def test_threads_write_and_increment() -> None:
    shared = User(name="shared")
    shared.persist()

    def work(number: int) -> None:
        User.persist_many([User(name=f"{number} {n}") for n in range(50)])
        copy = User.from_id(shared.id)
        assert copy is not None
        for _ in range(25):
            copy.visits += 1
            copy.persist()
        assert User.filter(lm.fld["name"].starts_with(f"{number} ")).count() == 50
        for user in User.filter(lm.fld["name"].starts_with(f"{number} ")).stream():
            user.visits += 1
            user.persist()

    in_threads(*(partial(work, number) for number in range(THREADS)))
    assert shared.reload().visits == 25 * THREADS
    assert User.filter(lm.fld["visits"] == 1).count() == 50 * THREADS


def test_one_object_saved_by_many_threads() -> None:
    user = User(name="Ann")
    user.persist()
    user.visits += 1
    # The first save sends the increment; the others find nothing to send.
    assert sum(in_threads(*[user.persist] * THREADS)) == 1
    assert user.reload().visits == 1


def test_each_thread_uses_its_own_database() -> None:
    def work(tenant: str) -> list[str]:
        with lm.using(database=tenant):
            for n in range(10):
                User(name=f"{tenant} {n}").persist()
            names = [user.name for user in User.filter().sort("created_at").load_many()]
            lm.get_local_db_client().drop_database(tenant)
        return names

    tenants = [f"tenant_{n}" for n in range(THREADS)]
    for tenant, names in zip(
        tenants, in_threads(*(partial(work, t) for t in tenants)), strict=True
    ):
        assert sorted(names) == sorted(f"{tenant} {n}" for n in range(10))


def test_new_threads_inherit_the_blocks_of_the_main_thread() -> None:
    User(name="Ann").persist()
    assert in_threads(*[User.filter().count] * 4) == [1] * 4
    with lm.using(database="test_threads_inner"):
        assert in_threads(User.filter().count) == [0]
    assert in_threads(User.filter().count) == [1]


def test_new_threads_in_equal_nested_blocks() -> None:
    User(name="Ann").persist()
    with lm.using(database="test_threads_inner"):
        with lm.using(database="test_threads"), lm.using(database="test_threads_inner"):
            assert in_threads(User.filter().count) == [0]
        assert in_threads(User.filter().count) == [0]
        with lm.using(database="test_threads"):
            with lm.using(database="test_threads_inner"):
                assert in_threads(User.filter().count) == [0]
            assert in_threads(User.filter().count) == [1]


def test_blocks_of_generators_that_end_in_any_order() -> None:
    def inside(database: str) -> Iterator[None]:
        with lm.using(database=database):
            yield

    before = lm.get_local_db_client()
    User(name="Ann").persist()
    one, two = inside("test_threads_inner"), inside("test_threads_other")
    next(one)
    next(two)
    one.close()
    assert in_threads(User.filter().count) == [User.filter().count()] == [0]
    two.close()
    assert in_threads(User.filter().count) == [User.filter().count()] == [1]
    assert lm.get_local_db_client() is before


def test_new_threads_do_not_inherit_the_blocks_of_a_task() -> None:
    """Blocks that a task has entered apply to that task only; `to_thread` passes them on."""
    User(name="Ann").persist()

    async def main() -> None:
        with lm.using(database="test_threads_inner"):
            assert in_threads(User.filter().count) == [1]
            assert await asyncio.to_thread(User.filter().count) == 0
            context = contextvars.copy_context()
            assert in_threads(partial(context.run, User.filter().count)) == [0]

    asyncio.run(main())


def test_blocking_calls_inside_a_running_loop() -> None:
    async def notebook_cell() -> int:
        User(name="from a notebook").persist()
        return User.filter().count()

    assert asyncio.run(notebook_cell()) == 1


def test_tracebacks_show_only_plain_calls() -> None:
    with pytest.raises(lm.InvalidId) as caught:
        User.from_id("never an id")
    shown = "".join(traceback.format_exception(caught.value))
    assert "asyncio" not in shown
    assert "greenlet" not in shown


_FORK = """
import os, sys, threading
import loom_sync as lm
from tests.worlds.test_threads import User
with lm.{block}:
    User(name="parent").persist()
    parent = lm.get_local_db_client()
    stop = threading.Event()
    def read():
        while not stop.is_set():
            User.filter().count()
    reader = threading.Thread(target=read)
    reader.start()
    children = []
    for n in range(4):
        pid = os.fork()
        if pid == 0:
            User(name=f"child {{n}}").persist()
            assert lm.get_local_db_client() is not parent
            sys.exit(7)  # runs the exit handlers, which must not close the parent's clients
        children.append(pid)
    exit_codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    stop.set()
    reader.join()
    print(*exit_codes, User.filter().count())
"""


@pytest.mark.parametrize(
    "block", ["using(database='test_threads')", "connect(), lm.using(database='test_threads')"]
)
def test_forked_workers(block: str, mongo_uri: str) -> None:
    script = _FORK.format(block=block)
    done = subprocess.run(
        # Python warns of a fork while there are threads, which is tested here.
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-P", "-c", script],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LOOM_URI": mongo_uri, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.split() == ["7"] * 4 + ["5"], done.stderr


def test_a_process_that_ends_closes_its_client(mongo_uri: str) -> None:
    script = """
import loom_sync as lm
client = lm.get_local_db_client()
client.admin.command("ping")
close = client.close
client.close = lambda: (close(), print("closed"))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LOOM_URI": mongo_uri},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_threads_persist_the_same_new_objects() -> None:
    """The first save inserts an object; the others find nothing to send, and raise no error."""
    users = [User(name=str(n)) for n in range(200)]
    some = users[::50]
    results = in_threads(
        *[partial(User.persist_many, part) for part in (users, users[::-1], users[50:])],
    )
    assert sum(result.inserted for result in results) == 200
    in_threads(*(user.persist for user in some), *(user.persist for user in some))
    assert User.filter().count() == 200
    fresh = [User(name=str(n)) for n in range(50)]
    in_threads(partial(User.persist_many, fresh), *(user.persist for user in fresh[:THREADS]))
    assert User.filter().count() == 250


def test_closing_while_another_thread_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client that was being opened is closed too; the next call opens another."""
    from loom_sync.connection import scope_clients
    from loom_sync.connection.driver_types import Client

    lm.close()
    opened: list[object] = []
    started, resume = threading.Event(), threading.Event()
    open_client = scope_clients.open_client

    def slowly(uri: str, **options: object) -> Client:
        started.set()
        assert resume.wait(20)
        opened.append(client := open_client(uri, **options))
        return client

    monkeypatch.setattr(scope_clients, "open_client", slowly)
    with ThreadPoolExecutor(2) as pool:
        opening = pool.submit(lm.get_local_db_client)
        assert started.wait(20)
        closing = pool.submit(lm.close)
        while scope_clients._of_scopes:
            time.sleep(0.001)
        resume.set()
        closing.result()
        first = opening.result()
    assert first is opened[0]
    assert first._closed
    assert lm.get_local_db_client() is not first
