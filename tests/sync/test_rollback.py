# Generated from tests/aio/test_rollback.py by `nox -s sync`: edit that file.
"""Aborted transactions: which values of which objects are restored."""

from __future__ import annotations

import functools
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

import loom_sync as lm
from tests.sync import _concurrency

pytestmark = pytest.mark.usefixtures("db")


class Aborted(Exception):
    pass


class Address(BaseModel):
    city: str
    streets: list[str] = []


@dataclass
class Record:
    numbers: list[int] = field(default_factory=list)


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise ValueError("no truth")

    __hash__ = None  # type: ignore[assignment]


@lm.declare_persist_db("shop", "everything")
class Thing(lm.PersistableBase):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    address: Address = Field(default_factory=lambda: Address(city="Prague"))
    others: list[Address] = Field(default_factory=list)
    tags: set[str] = Field(default_factory=set)
    queue: deque[int] = Field(default_factory=deque)
    record: Record = Field(default_factory=Record)
    meta: dict[str, Any] = Field(default_factory=dict)
    hits: lm.IncrCounter = 0
    _lock: Any = PrivateAttr(default_factory=threading.Lock)
    _seen: list[str] = PrivateAttr(default_factory=list)

    def add(self, tag: str) -> None:
        """Append to a list in place, and fail twice."""
        self.meta.setdefault("log", []).append(tag)
        self._seen.append(tag)
        self.persist()
        if len(failures) < 2:
            failures.append(tag)
            raise lm.TransactionAborted("a transient error")


failures: list[str] = []


def abort(edit: Any, *things: Thing) -> None:
    with pytest.raises(Aborted), lm.transaction():
        for thing in things:
            thing.persist()
        edit()
        for thing in things:
            thing.persist()
        raise Aborted


def test_objects_get_back_their_values_in_place() -> None:
    thing = Thing(others=[Address(city="Brno")], meta={"a": [1, {"b": 2}]}, extra=[1])
    thing.persist()
    address, other, inner = thing.address, thing.others[0], thing.meta["a"][1]

    def edit() -> None:
        address.city = "Plzen"
        address.streets.append("x")
        other.city = "Olomouc"
        thing.others.append(Address(city="new"))
        thing.tags.add("t")
        thing.queue.append(1)
        thing.record.numbers.append(5)
        inner["b"] = 3
        thing.meta["c"] = 1
        thing.hits += 1
        thing.address = Address(city="another")
        thing.extra.append(2)  # type: ignore[attr-defined]

    before = thing.model_dump()
    abort(edit, thing)
    assert thing.model_dump() == before
    assert thing.address is address
    assert thing.others[0] is other
    assert thing.meta["a"][1] is inner
    assert not thing.persist()
    other.city = "seen"
    assert thing.persist()


def test_other_objects_are_not_restored() -> None:
    inside, outside = Thing(address=Address(city="Prague")), Thing(address=Address(city="Brno"))
    Thing.persist_many([inside, outside])

    def edit() -> None:
        inside.address = outside.address

    abort(edit, inside)
    assert (inside.address.city, outside.address.city) == ("Prague", "Brno")
    assert not outside.persist()


def test_values_that_cannot_be_compared_or_copied() -> None:
    thing = Thing()
    thing.persist()
    with pytest.raises(Aborted), lm.transaction():
        thing.hits = 4
        vars(thing)["meta"]["odd"] = Incomparable()
        raise Aborted
    assert thing.hits == 0
    assert "odd" not in thing.meta
    assert thing._lock.acquire(blocking=False)


@pytest.mark.parametrize("as_partial", [False, True])
def test_a_retried_method_starts_with_the_original_values(as_partial: bool) -> None:
    failures.clear()
    thing = Thing()
    thing.persist()
    if as_partial:
        lm.in_transaction(functools.partial(Thing.add, thing, "x"))
    else:
        lm.in_transaction(thing.add, "x")
    assert len(failures) == 2
    assert thing.meta == {"log": ["x"]}
    assert thing._seen == ["x"]
    assert thing.reload().meta == {"log": ["x"]}


def test_arguments_that_contain_themselves() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    def length(items: list[Any]) -> int:
        _concurrency.pause()
        return len(items)

    assert lm.in_transaction(length, cycle) == 1


def test_an_object_is_in_one_transaction_at_a_time() -> None:
    thing = Thing()
    thing.persist()

    def increment() -> None:
        thing.hits += 1
        thing.persist()

    _concurrency.gathered(*[lambda: lm.in_transaction(increment)] * 4)
    assert thing.hits == 4
    assert thing.reload().hits == 4


def test_edits_by_hooks_are_restored() -> None:
    @lm.declare_persist_db("shop", "hooked_things")
    class Hooked(lm.PersistableBase):
        log: list[str] = []

        def before_persist(self) -> None:
            self.log.append("hook")

    hooked = Hooked()
    with pytest.raises(Aborted), lm.transaction():
        hooked.persist()
        raise Aborted
    assert hooked.log == []
