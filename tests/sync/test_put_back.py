# Generated from tests/aio/test_put_back.py by `nox -s sync`: edit that file.
"""What a transaction that was undone puts back, and into which objects."""

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


class Undone(Exception):
    pass


class Address(BaseModel):
    city: str
    streets: list[str] = []


@dataclass
class Record:
    marks: list[int] = field(default_factory=list)


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
        """Add to a list in place, and meet an obstacle twice."""
        self.meta.setdefault("log", []).append(tag)
        self._seen.append(tag)
        self.persist()
        if len(obstacles) < 2:
            obstacles.append(tag)
            raise lm.TransactionAborted("a passing obstacle")


obstacles: list[str] = []


def undone(change: Any, *things: Thing) -> None:
    with pytest.raises(Undone), lm.transaction():
        for thing in things:
            thing.persist()
        change()
        for thing in things:
            thing.persist()
        raise Undone


def test_each_object_holds_what_it_held() -> None:
    thing = Thing(others=[Address(city="Brno")], meta={"a": [1, {"b": 2}]}, extra=[1])
    thing.persist()
    address, other, inner = thing.address, thing.others[0], thing.meta["a"][1]

    def change() -> None:
        address.city = "Plzen"
        address.streets.append("x")
        other.city = "Olomouc"
        thing.others.append(Address(city="new"))
        thing.tags.add("t")
        thing.queue.append(1)
        thing.record.marks.append(5)
        inner["b"] = 3
        thing.meta["c"] = 1
        thing.hits += 1
        thing.address = Address(city="another")
        thing.extra.append(2)  # type: ignore[attr-defined]

    before = thing.model_dump()
    undone(change, thing)
    assert thing.model_dump() == before
    assert thing.address is address
    assert thing.others[0] is other
    assert thing.meta["a"][1] is inner
    assert not thing.persist()
    other.city = "seen"
    assert thing.persist()


def test_objects_of_others_are_left_alone() -> None:
    mine, theirs = Thing(address=Address(city="Prague")), Thing(address=Address(city="Brno"))
    Thing.persist_many([mine, theirs])

    def change() -> None:
        mine.address = theirs.address

    undone(change, mine)
    assert (mine.address.city, theirs.address.city) == ("Prague", "Brno")
    assert not theirs.persist()


def test_values_that_cannot_be_compared_or_copied() -> None:
    thing = Thing()
    thing.persist()
    with pytest.raises(Undone), lm.transaction():
        thing.hits = 4
        vars(thing)["meta"]["odd"] = Incomparable()
        raise Undone
    assert thing.hits == 0
    assert "odd" not in thing.meta
    assert thing._lock.acquire(blocking=False)


@pytest.mark.parametrize("as_partial", [False, True])
def test_methods_run_again_from_where_they_began(as_partial: bool) -> None:
    obstacles.clear()
    thing = Thing()
    thing.persist()
    if as_partial:
        lm.in_transaction(functools.partial(Thing.add, thing, "x"))
    else:
        lm.in_transaction(thing.add, "x")
    assert len(obstacles) == 2
    assert thing.meta == {"log": ["x"]}
    assert thing._seen == ["x"]
    assert thing.reload().meta == {"log": ["x"]}


def test_arguments_that_hold_themselves() -> None:
    knot: list[Any] = []
    knot.append(knot)

    def function(given: list[Any]) -> int:
        _concurrency.pause()
        return len(given)

    assert lm.in_transaction(function, knot) == 1


def test_an_object_is_in_one_transaction_at_a_time() -> None:
    thing = Thing()
    thing.persist()

    def raise_hits() -> None:
        thing.hits += 1
        thing.persist()

    _concurrency.gathered(*[lambda: lm.in_transaction(raise_hits)] * 4)
    assert thing.hits == 4
    assert thing.reload().hits == 4


def test_hooks_are_undone_as_well() -> None:
    @lm.declare_persist_db("shop", "hooked_things")
    class Hooked(lm.PersistableBase):
        log: list[str] = []

        def before_persist(self) -> None:
            self.log.append("hook")

    hooked = Hooked()
    with pytest.raises(Undone), lm.transaction():
        hooked.persist()
        raise Undone
    assert hooked.log == []
