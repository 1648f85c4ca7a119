# Generated from tests/aio/held_objects.py by `nox -s sync`: edit that file.
"""A model of many shapes, and the mutable objects that its objects hold."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, RootModel
from typing_extensions import TypedDict

import loom_sync as lm

#: A time that MongoDB holds with less precision, without a time zone.
FINE = datetime(2026, 1, 2, 3, 4, 5, 678_901)


class Item(BaseModel):
    at: datetime = FINE
    qty: int = 1
    code: lm.StrLower = ""
    notes: list[str] = []


class Items(RootModel[list[Item]]):
    pass


@dataclass
class Line:
    item: Item
    at: datetime = FINE


@dataclass(slots=True)
class Slotted:
    at: datetime
    tags: list[datetime]


@dataclass(frozen=True)
class FrozenLine:
    at: datetime
    items: list[Item]


@pydantic.dataclasses.dataclass
class Checked:
    at: datetime
    item: Item


class Entry(TypedDict):
    at: datetime
    tags: list[str]


class FrozenItem(BaseModel, frozen=True):
    at: datetime
    item: Item


@lm.declare_persist_db("shop", "orders")
class Order(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")
    name: str = ""
    items: list[Item] = []
    by_key: dict[str, Item] = {}
    by_number: dict[int, list[Item]] = {}
    pair: tuple[Item, datetime] | None = None
    many: tuple[Item, ...] = ()
    queue: deque[Item] = deque()
    ordered: OrderedDict[str, Item] = OrderedDict()
    groups: defaultdict[str, list[datetime]] = defaultdict(list)
    times: set[datetime] = set()
    root: Items = Items([])
    line: Line | None = None
    lines: list[Line] = []
    slotted: list[Slotted] = []
    frozen: FrozenLine | None = None
    checked: Checked | None = None
    entry: Entry | None = None
    frozen_item: FrozenItem | None = None
    anything: Any = None
    meta: dict[str, Any] = {}


def full() -> Order:
    return Order(
        name="a",
        items=[Item(), Item(code="B")],
        by_key={"a.b": Item()},
        by_number={1: [Item()]},
        pair=(Item(), FINE),
        many=(Item(), Item(qty=2)),
        queue=deque([Item()]),
        ordered=OrderedDict(z=Item(), a=Item()),
        groups=defaultdict(list, a=[FINE]),
        times={FINE},
        root=Items([Item()]),
        line=Line(Item()),
        lines=[Line(Item()), Line(Item())],
        slotted=[Slotted(FINE, [FINE])],
        frozen=FrozenLine(FINE, [Item()]),
        checked=Checked(FINE, Item()),
        entry={"at": FINE, "tags": ["x"]},
        frozen_item=FrozenItem(at=FINE, item=Item()),
        anything=[{"at": FINE, 1: [FINE]}, ([FINE], {"k": {"deep": (1, [])}})],
        meta={"list": [FINE, {"x": [1]}], "tuple": ({"in": []},)},
        more={"extra": [FINE, [1]]},  # type: ignore[call-arg]
    )


def mutables(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path of each mutable object in a value, and the object."""
    is_mutable = True
    inner: Mapping[Any, Any] = {}
    if isinstance(value, BaseModel):
        inner = {**vars(value), **(value.__pydantic_extra__ or {})}
        is_mutable = not value.model_config.get("frozen")
    elif isinstance(value, dict):
        inner = value
    elif isinstance(value, list | deque | tuple):
        inner = dict(enumerate(value))
        is_mutable = not isinstance(value, tuple)
    elif is_dataclass(value):
        inner = {field.name: getattr(value, field.name) for field in fields(value)}
        is_mutable = not isinstance(value, FrozenLine)
    elif not isinstance(value, set):
        return
    if is_mutable:
        yield path, value
    for key, item in inner.items():
        yield from mutables(item, f"{path}/{key}")
