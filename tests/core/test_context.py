"""The values of blocks, by context, and the server of the whole process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

from loom_async._core.context import Inherited, Server
from loom_async._core.process_default import DefaultServer, replace_default, take_default


def test_blocks_nest_and_end_in_any_order() -> None:
    value = Inherited[str]("test_nesting")
    outer, inner = value.set("outer", shared=False), value.set("inner", shared=False)
    outer.__enter__()
    inner.__enter__()
    assert value.get() == "inner"
    outer.__exit__(None, None, None)
    assert value.get() == "inner"
    inner.__exit__(None, None, None)
    assert value.get() is None


def test_threads_inherit_only_shared_values() -> None:
    value = Inherited[str]("test_threads")
    with ThreadPoolExecutor(1) as pool, value.set("of a task", shared=False):
        assert pool.submit(Context().run, value.get).result() is None
        with value.set("of a script", shared=True):
            assert pool.submit(Context().run, value.get).result() == "of a script"
    assert value.get() is None


def test_clients_given_by_enclosing_blocks() -> None:
    connected = Server("connected", "mongodb://host")
    outer = Server("outer", outer=connected)
    assert list(Server("inner", outer=outer).given_clients()) == ["inner", "outer"]
    assert list(Server("inner", "mongodb://host", outer=outer).given_clients()) == []


def test_the_default_belongs_to_the_package_that_opened_it() -> None:
    first = DefaultServer(Server("one"), "loom_async", lambda: None)
    second = DefaultServer(Server("two"), "loom_sync", lambda: None)
    assert replace_default(first) is None
    assert replace_default(second) is first
    assert take_default("loom_async") is None
    assert take_default("loom_sync") is second
    assert take_default("loom_sync") is None
