"""Documents without fields whose defaults differ each time: an unedited object is not written."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field, RootModel

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.absorb import absorb_modification
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.unset_defaults import has_unstable_defaults
from loom_async._core.model.write_plan import Modification, plan_persist
from tests.core.model.users import User, reply_to

numbers = itertools.count()


class Inner(BaseModel):
    uid: UUID = Field(default_factory=uuid4)


class Item(BaseModel):
    name: str = ""
    uid: UUID = Field(default_factory=uuid4)
    inner: Inner = Field(default_factory=Inner)
    inners: list[Inner] = Field(default_factory=lambda: [Inner()])


class Items(RootModel[list[Item]]):
    pass


@dataclass
class Line:
    name: str = ""
    uid: UUID = field(default_factory=uuid4)
    parts: list[Item] = field(default_factory=list)


class Order(lm.PersistableBase):
    name: str = ""
    at: datetime = Field(default_factory=lambda: datetime.fromtimestamp(next(numbers), UTC))
    item: Item = Field(default_factory=Item)
    items: list[Item] = []
    by_key: dict[str, Item] = {}
    pair: tuple[Item, int] | None = None
    queue: deque[Item] = deque()
    root: Items = Items([])
    line: Line | None = None
    lines: list[Line] = []


ITEMS = [{"name": "a"}, {"name": "b", "inner": {}, "inners": [{}]}]
LINES = [{"name": "a", "parts": ITEMS}]
STORED = {
    "items": ITEMS,
    "by_key": {"a.b": {"name": "a"}},
    "pair": [{}, 1],
    "queue": ITEMS,
    "root": ITEMS,
    "line": {"name": "a"},
    "lines": LINES,
}


def stored_without_defaults() -> Order:
    order: Order = hydrator(Order).one({"_id": ObjectId(), **STORED})
    return order


def test_an_unedited_object_is_not_written() -> None:
    assert plan_persist(stored_without_defaults()) is None


@pytest.mark.parametrize(
    ("edit", "paths"),
    [
        (lambda o: setattr(o, "name", "x"), [("name",)]),
        (lambda o: setattr(o, "at", datetime(2026, 1, 1, tzinfo=UTC)), [("at",)]),
        (lambda o: setattr(o.item, "uid", UUID(int=1)), [("item",)]),
        (lambda o: setattr(o.item.inner, "uid", UUID(int=1)), [("item",)]),
        (lambda o: setattr(o.items[0], "uid", UUID(int=1)), [("items",)]),
        (lambda o: setattr(o.by_key["a.b"], "uid", UUID(int=1)), [("by_key", "a.b", "uid")]),
        (lambda o: setattr(o.pair[0], "name", "x"), [("pair",)]),
        (lambda o: setattr(o.root.root[1], "name", "x"), [("root",)]),
        (lambda o: setattr(o.line, "name", "x"), [("line", "name")]),
        (lambda o: setattr(o.lines[0].parts[0], "uid", UUID(int=1)), [("lines",)]),
    ],
)
def test_edits_are_written_alone(
    edit: Callable[[Order], None], paths: list[tuple[str, ...]]
) -> None:
    order = stored_without_defaults()
    edit(order)
    plan = plan_persist(order)
    assert isinstance(plan, Modification)
    assert [change.path[:1] for change in plan.edits] == [path[:1] for path in paths]


def test_the_defaults_of_an_object_stay_when_it_is_written() -> None:
    order = stored_without_defaults()
    before = order.model_copy(deep=True)
    order.name = before.name = "x"
    plan = plan_persist(order)
    assert isinstance(plan, Modification)
    raw = reply_to(order, plan)
    assert raw == plan.expected
    assert "at" not in decode_bson(raw)
    absorb_modification(order, plan, raw)
    assert order == before


def test_defaults_stay_when_another_writer_changes_another_field() -> None:
    order = stored_without_defaults()
    uids = [item.uid for item in order.items]
    at, order.name = order.at, "x"
    plan = plan_persist(order)
    assert isinstance(plan, Modification)
    absorb_modification(order, plan, reply_to(order, plan, by_key={}))
    assert (order.by_key, order.at) == ({}, at)
    assert [item.uid for item in order.items] == uids
    assert plan_persist(order) is None


@pytest.mark.parametrize(
    ("model", "expected"),
    [(Order, True), (Item, True), (Items, True), (User, False), (lm.PersistableBase, False)],
)
def test_models_whose_defaults_differ_each_time(model: Any, expected: bool) -> None:
    assert has_unstable_defaults(model) is expected
