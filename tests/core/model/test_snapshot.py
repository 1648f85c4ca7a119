"""Snapshots: what hangs from an object gets its earlier values back, in the same objects."""

from __future__ import annotations

import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr

import loom_async as lm
from loom_async._core.model.document import attempts_of, baseline, set_attempts, set_baseline
from loom_async._core.model.snapshot import Snapshot
from loom_async._core.model.write_attempt import LOST_COMMAND, WriteAttempt


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")

    value: Any = None
    _note: Any = PrivateAttr(default=None)


@dataclass
class Point:
    value: Any = None
    others: list[Any] = field(default_factory=list[Any])


@dataclass(slots=True)
class Slotted:
    value: Any


class Box(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")

    content: Any = None
    parts: list[Part] = []
    _note: Any = PrivateAttr(default=None)


def restored(box: Box, edit: Any) -> Box:
    """Return a box after an edit was made to it and taken back."""
    snapshot = Snapshot(box)
    edit()
    snapshot.restore()
    return box


def test_fields_and_the_set_of_assigned_fields() -> None:
    box = Box()
    before = set(box.model_fields_set)
    restored(box, lambda: setattr(box, "content", 1))
    assert box.content is None
    assert box.model_fields_set == before


class Cached(lm.PersistableBase):
    items: list[int] = []

    @cached_property
    def total(self) -> int:
        return sum(self.items)


def test_a_property_that_was_cached_after_the_snapshot_is_computed_again() -> None:
    cached = Cached(items=[1])
    snapshot = Snapshot(cached)
    cached.items.append(2)
    assert cached.total == 3
    snapshot.restore()
    assert cached.total == 1


def test_a_nested_model_is_the_same_object_with_its_earlier_values() -> None:
    part = Part(value=[1])
    box = Box(parts=[part])
    held = box.parts[0]

    def edit() -> None:
        held.value.append(2)
        held.value = "other"
        held.more = 1  # type: ignore[attr-defined]
        held._note = "x"
        box.parts = []

    restored(box, edit)
    assert box.parts[0] is held
    assert held.value == [1]
    assert held.model_extra == {}
    assert held._note is None


def test_a_replaced_list_is_the_same_list_again() -> None:
    box = Box(content=[1, 2])
    items = box.content

    def edit() -> None:
        items.pop()
        box.content = [9]

    restored(box, edit)
    assert box.content is items
    assert items == [1, 2]


def test_containers_of_every_kind() -> None:
    contents: dict[str, Any] = {
        "dict": {"b": 1, "a": 2},
        "numbered": {1: "x"},
        "ordered": OrderedDict(b=1, a=2),
        "default": defaultdict(list, a=[1]),
        "list": [1, [2]],
        "set": {1, 2},
        "deque": deque([1, 2], maxlen=2),
        "bytearray": bytearray(b"ab"),
        "tuple": ([1], {"a": [2]}),
        "dataclass": Point([1], [Point(2)]),
        "frozenset": frozenset({1}),
    }
    box = Box(content=contents)
    holders = dict(contents)

    def edit() -> None:
        contents["dict"]["c"] = contents["dict"].pop("b")
        contents["numbered"].clear()
        contents["ordered"].move_to_end("b")
        contents["default"]["new"].append(1)
        contents["default"]["a"].append(2)
        contents["list"][1].append(3)
        contents["list"].reverse()
        contents["set"].add(3)
        contents["deque"].append(3)
        contents["bytearray"][0] = 0
        contents["tuple"][0].append(2)
        contents["tuple"][1]["a"].clear()
        contents["dataclass"].others[0].value = 3
        contents["dataclass"].value = 4
        contents["dataclass"].added = 5
        contents.clear()

    restored(box, edit)
    assert box.content is contents
    assert all(contents[name] is holder for name, holder in holders.items())
    assert contents == {
        "dict": {"b": 1, "a": 2},
        "numbered": {1: "x"},
        "ordered": OrderedDict(b=1, a=2),
        "default": {"a": [1]},
        "list": [1, [2]],
        "set": {1, 2},
        "deque": deque([1, 2]),
        "bytearray": b"ab",
        "tuple": ([1], {"a": [2]}),
        "dataclass": Point([1], [Point(2)]),
        "frozenset": {1},
    }
    assert list(contents["dict"]) == ["b", "a"]
    assert contents["deque"].maxlen == 2
    assert not hasattr(contents["dataclass"], "added")


def test_a_dataclass_with_slots() -> None:
    box = Box(content=Slotted(1))
    restored(box, lambda: setattr(box.content, "value", 2))
    assert box.content == Slotted(1)


def test_private_attributes_and_extra_fields() -> None:
    box = Box(tags=["a"])  # type: ignore[call-arg]
    box._note = {"a": [1]}

    def edit() -> None:
        box.tags.append("b")  # type: ignore[attr-defined]
        box.other = 1  # type: ignore[attr-defined]
        box._note["a"].append(2)
        box._note = None

    restored(box, edit)
    assert box.model_extra == {"tags": ["a"]}
    assert box._note == {"a": [1]}


def test_the_baseline_and_the_unsettled_writes() -> None:
    box, stored = Box(), b"stored"
    set_baseline(box, stored)

    def edit() -> None:
        set_baseline(box, b"other")
        set_attempts(box, (WriteAttempt(None, LOST_COMMAND),))

    restored(box, edit)
    assert baseline(box) is stored
    assert attempts_of(box) == ()


def test_a_persistable_model_inside_another_keeps_its_own_baseline() -> None:
    inner = Box()
    outer = Box(content=inner)
    restored(outer, lambda: set_baseline(inner, b"other"))
    assert baseline(inner) is None


def test_an_object_that_refers_to_itself() -> None:
    box, ring = Box(), list[Any]()
    ring.append(ring)
    box.content = {"ring": ring, "again": ring}
    restored(box, lambda: ring.append(1))
    assert len(ring) == 1
    assert ring[0] is ring


class Opaque:
    """A value that cannot be copied, compared or hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __deepcopy__(self, memo: Any) -> Any:
        raise AssertionError("copied")


def test_values_are_neither_copied_nor_compared() -> None:
    value = Opaque()
    box = Box.model_construct(id=ObjectId(), content=[value], parts=[])
    restored(box, lambda: box.content.clear())
    assert box.content[0] is value


leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2)
names = st.sampled_from("abc")
structures = st.recursive(
    leaves | st.sets(st.integers(0, 3), max_size=3) | st.binary(max_size=2).map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=2).map(tuple)
        | st.lists(inner, max_size=3).map(deque)
        | st.dictionaries(names, inner, max_size=3)
        | st.builds(Part, value=inner, extra=inner)
        | st.builds(Point, value=inner, others=st.lists(inner, max_size=2))
    ),
    max_leaves=12,
)


def below(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds."""
    yield value
    held: Any = ()
    if isinstance(value, BaseModel):
        held = [*vars(value).values(), *(value.model_extra or {}).values()]
        held += (value.__pydantic_private__ or {}).values()
    elif isinstance(value, Point):
        held = vars(value).values()
    elif isinstance(value, dict):
        held = value.values()
    elif isinstance(value, list | tuple | deque):
        held = value
    for item in held:
        yield from below(item)


def described(value: Any) -> Any:
    """Return the structure of a value, and which objects it is made of."""
    kind, own = type(value), id(value)
    if isinstance(value, BaseModel):
        parts = (vars(value), value.model_extra, value.__pydantic_private__ or {})
        contents = [[(name, described(v)) for name, v in (p or {}).items()] for p in parts]
        return kind, own, contents, sorted(value.model_fields_set)
    if isinstance(value, Point):
        return kind, own, [(name, described(v)) for name, v in vars(value).items()]
    if isinstance(value, dict):
        return kind, own, [(name, described(v)) for name, v in value.items()]
    if isinstance(value, list | tuple | deque):
        return kind, own, [described(item) for item in value]
    return kind, own, repr(value)


def edit_anything(box: Box, choose: random.Random) -> None:
    """Make a few random edits to an object and to what it holds."""
    for _ in range(choose.randrange(1, 8)):
        holder = choose.choice(list(below(box)))
        new: Any = choose.choice([7, [7], {"z": 7}, Part(value=7)])
        match holder:
            case BaseModel():
                name = "content" if isinstance(holder, Box) else choose.choice(["value", "extra"])
                setattr(holder, choose.choice([name, "_note"]), new)
            case Point():
                setattr(holder, choose.choice(["value", "fresh"]), new)
            case dict():
                holder[choose.choice("abz")] = new
                if choose.random() < 0.3:
                    holder.clear()
            case set():
                holder ^= {choose.randrange(5)}
            case bytearray():
                holder.append(7)
            case list() | deque():
                holder.append(new)
                holder.rotate(1) if isinstance(holder, deque) else holder.reverse()
                if choose.random() < 0.3:
                    holder.clear()


@given(structures, structures, st.randoms(use_true_random=False))
def test_any_structure_is_restored_after_any_edits(
    content: Any, note: Any, choose: random.Random
) -> None:
    box = Box.model_construct(id=ObjectId(), content=content, parts=[])
    box._note = note
    before = described(box)
    snapshot = Snapshot(box)
    edit_anything(box, choose)
    snapshot.restore()
    assert described(box) == before
