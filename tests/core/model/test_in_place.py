"""Objects that get the values of others: which objects stay, of which type of value."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel

from loom_async._core.model.in_place import adopt


class Address(BaseModel):
    city: str = ""
    streets: list[str] = []
    _seen: list[str] = PrivateAttr(default_factory=list)


class Special(Address):
    more: int = 0


class Frozen(BaseModel, frozen=True):
    x: int = 0
    inner: Any = None


class FrozenOpen(BaseModel, frozen=True, extra="allow"):
    pass


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Numbers(RootModel[list[int]]):
    pass


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Record:
    inner: Any
    derived: Any = field(default=None, init=False)


@dataclass(slots=True)
class Slotted:
    inner: Any


@dataclass(frozen=True)
class FrozenRecord:
    inner: Any


@pydantic.dataclasses.dataclass(config=ConfigDict(validate_assignment=True))
class Checked:
    inner: list[int]


class Custom:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Custom) and self.x == other.x

    __hash__ = None  # type: ignore[assignment]


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise ValueError("no truth value")

    __hash__ = None  # type: ignore[assignment]


class Holder(BaseModel):
    value: Any = None
    other: Any = None


def adopted(mine: Any, theirs: Any, **options: Any) -> Any:
    """Return the value of an object that held `mine` and gets `theirs`."""
    holder = Holder.model_construct(value=mine, other=1)
    adopt(holder, Holder.model_construct(value=theirs, other=2), ["value"], **options)
    assert holder.other == 1
    return holder.value


@pytest.mark.parametrize(
    "make",
    [
        lambda x: Address(city="c", streets=[x]),
        lambda x: Numbers([len(x)]),
        lambda x: [x],
        lambda x: deque([x], maxlen=3),
        lambda x: {"k": x},
        lambda x: {1: x},
        lambda x: OrderedDict(k=x),
        lambda x: defaultdict(list, k=x),
        lambda x: {x},
        lambda x: bytearray(x.encode()),
        lambda x: Record(x),
        lambda x: Slotted(x),
        lambda x: Checked([len(x)]),
        lambda x: Open(k=x),
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        lambda value: value,
        lambda value: [1, value],
        lambda value: {"a": {"b": value}},
        lambda value: (0, value),
        lambda value: Pair(0, [value]),
        lambda value: deque([value]),
        lambda value: Record((value,)),
        lambda value: Slotted({"a": value}),
        lambda value: FrozenRecord(value),
        lambda value: Frozen(inner=value),
        lambda value: FrozenOpen(k=value),
        lambda value: Open(k=[value]),
    ],
)
def test_mutable_values_stay_wherever_they_are(
    make: Callable[[Any], Any], place: Callable[[Any], Any]
) -> None:
    mine, theirs = make("old"), make("other")
    outer = place(mine)
    result = adopted(outer, place(theirs), is_aligned=True)
    assert result == place(make("other"))
    assert any(found is mine for found in reached(result))


def reached(value: Any) -> list[Any]:
    """Return a value and all values inside it."""
    inner: Any = ()
    if isinstance(value, BaseModel):
        inner = [*vars(value).values(), *(value.__pydantic_extra__ or {}).values()]
    elif isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list | tuple | deque):
        inner = value
    elif hasattr(value, "inner"):
        inner = [value.inner]
    return [value, *(found for item in inner for found in reached(item))]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (Address(city="a"), Special(city="b")),
        (Special(city="a"), Address(city="b")),
        (Frozen(x=1), Frozen(x=2)),
        (FrozenRecord(1), FrozenRecord(2)),
        (Record(1), Slotted(1)),
        ({1}, [1]),
        ((1,), [1]),
        ([1], (1,)),
        (deque([1]), [1]),
        (1, True),
        (0.0, -0.0),
        (frozenset({1}), frozenset({True})),
        (Address(), None),
        (None, Address()),
        (Custom(1), Custom(2)),
        (Incomparable(), Incomparable()),
    ],
)
def test_values_that_are_replaced(mine: Any, theirs: Any) -> None:
    assert adopted(mine, theirs) is theirs


def test_an_equal_value_of_an_unknown_type_stays() -> None:
    mine = Custom(1)
    assert adopted(mine, Custom(1)) is mine


@pytest.mark.parametrize(("mine", "theirs"), [(([],), [[1]]), (deque([[]]), [[1]])])
def test_values_inside_a_container_of_another_type_stay(mine: Any, theirs: Any) -> None:
    inner = mine[0]
    result = adopted(mine, theirs, is_aligned=True)
    assert result == [[1]]
    assert result[0] is inner


def test_the_keys_of_a_dict_may_become_text() -> None:
    inner: list[int] = []
    mine = {1: inner, "gone": 2}
    assert adopted(mine, {"1": [3], "new": 4}) is mine
    assert list(mine.items()) == [("1", [3]), ("new", 4)]
    assert mine["1"] is inner


def test_the_order_of_a_dict_is_that_of_the_new_one() -> None:
    mine = {"a": 1, "b": 2}
    assert list(adopted(mine, {"b": 2, "a": 1})) == ["b", "a"]


def test_private_attributes_stay() -> None:
    mine = Address(city="a")
    mine._seen.append("x")
    assert adopted(mine, Address(city="b"))._seen == ["x"]


def test_an_object_at_two_places_stays_at_both_while_they_are_equal() -> None:
    shared = Address(city="a")
    same = adopted([shared, shared], [Address(city="b"), Address(city="b")], is_aligned=True)
    assert same[0] is same[1] is shared
    differ = adopted([shared, shared], [Address(city="b"), Address(city="c")], is_aligned=True)
    assert [item.city for item in differ] == ["b", "c"]
    assert differ[0] is shared


def test_shared_values_inside_objects_that_differ_now() -> None:
    streets: list[str] = []
    pair = [Address.model_construct(city=city, streets=streets) for city in "ab"]
    result = adopted(list(pair), [Address(city="a", streets=["x"]), Address(city="b")])
    assert [item.streets for item in result] == [["x"], []]


def test_items_keep_their_objects_when_another_writer_inserts_one() -> None:
    first, second = Address(city="a"), Address(city="b")
    mine = [first, second]
    result = adopted(mine, [Address(city="new"), Address(city="a"), Address(city="changed")])
    assert result is mine
    assert result[1] is first
    assert result[2] is second
    assert second.city == "changed"


def test_extra_fields_stay_in_place() -> None:
    inner: list[int] = []
    holder = Open(k=inner)
    extra = holder.__pydantic_extra__
    adopt(holder, Open(k=[1], more=2), [])
    assert holder.__pydantic_extra__ is extra == {"k": [1], "more": 2}
    assert holder.k is inner  # type: ignore[attr-defined]
