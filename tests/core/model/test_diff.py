"""Edits: the differences between a stored document and its object."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

import loom_async as lm
from loom_async._core.model.bson_equality import MISSING, as_bytes, same
from loom_async._core.model.diff import find_edits
from loom_async._core.model.edited_document import edited
from loom_async._core.model.edits import EditItems, Inc, Push, Replace, Set
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist
from loom_async._core.types.codec import ANY

keys = st.sampled_from(["a", "b", "c", "x.y", "$z", "", "0"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=2)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=4)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@given(documents, documents)
def test_edits_turn_one_document_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    edits = find_edits(ANY, before, before, after)
    assert same(_sorted(edited(before, edits)), _sorted(after))


@given(documents)
def test_equal_documents_have_no_edits(document: dict[str, Any]) -> None:
    assert find_edits(ANY, document, document, _copied(document)) == []


@given(documents, documents)
def test_no_path_begins_with_another(before: dict[str, Any], after: dict[str, Any]) -> None:
    paths = [edit.path for edit in find_edits(ANY, before, before, after)]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert not any(path[:n] in paths for n in range(1, len(path)))


def test_values_that_differ_in_type_or_sign_of_zero_differ() -> None:
    for left, right in [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, 0)]:
        assert not same(left, right)
        assert find_edits(ANY, {"a": left}, {"a": left}, {"a": right}) == [Set(("a",), right)]
    assert same(float("nan"), float("nan"))


_numbers = (0, 1, 1.0, True, False, 0.0, -0.0, float("nan"), Int64(1), 2**40, Int64(2**40))
_texts = (None, "1", b"1", Regex("a"), Regex("a", "i"), ObjectId("0" * 24), UUID(int=1))
_others = (datetime(2020, 1, 1, tzinfo=UTC), Decimal128("1.0"), Decimal128("1.00"))
_kinds = st.sampled_from((*_numbers, *_texts, *_others))
_any_kinds = st.recursive(
    _kinds,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.permutations(["a", "b"]).flatmap(
            lambda k: st.fixed_dictionaries(dict.fromkeys(k, inner))
        )
    ),
    max_leaves=4,
)


@given(_any_kinds, _any_kinds)
def test_same_compares_as_bson_bytes_do(left: Any, right: Any) -> None:
    for one, other in [(left, right), ([left], [right]), ({"a": [left]}, {"a": [right]})]:
        assert same(one, other) is (as_bytes(one) == as_bytes(other))
    assert same(left, _copied(left))


def test_items_appended_to_an_array_are_pushed() -> None:
    before, after = {"a": {"l": [1, 2]}}, {"a": {"l": [1, 2, 3]}}
    edits = find_edits(ANY, before, before, after)
    assert edits == [Push(("a", "l"), [3])]


def test_a_subdocument_that_is_not_stored_is_set_whole() -> None:
    edits = find_edits(ANY, {}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 2}})
    assert edits == [Set(("a",), {"b": 9, "c": 2})]


class Item(BaseModel):
    name: str = ""
    size: int = 0
    hits: lm.IncrCounter = 0
    tags: list[str] = []
    parts: list[Item] = []


class Stats(BaseModel):
    hits: lm.IncrCounter = 0
    by_page: dict[str, lm.IncrCounter] = {}


class Holder(lm.PersistableBase):
    items: list[Item] = []
    rows: list[list[Item]] = []
    numbers: list[int] = []
    counts: dict[str, lm.IncrCounter] = {}
    deep: dict[str, dict[str, lm.IncrCounter]] = {}
    stats: Stats | None = None
    visits: lm.IncrCounter | None = None


def edits_of(stored: dict[str, Any], change: Callable[[Holder], object]) -> list[Any]:
    """Return the edits that a change of the object of a stored document makes."""
    holder = hydrator(Holder).one({"_id": ObjectId(), **stored})
    change(holder)
    plan = plan_persist(holder)
    return [] if plan is None else list(plan.edits)  # type: ignore[union-attr]


A = {"name": "a", "size": 1, "undeclared": 1}
B = {"name": "b", "size": 2, "undeclared": 2}


def test_items_that_keep_their_places_are_edited_by_position() -> None:
    stored = {"items": [A, B]}
    (edit,) = edits_of(stored, lambda h: setattr(h.items[1], "name", "x"))
    assert edit == EditItems(("items",), [A, B], (Set(("1", "name"), "x"),))

    def change(holder: Holder) -> None:
        for item in holder.items:
            item.size += 1
            item.hits += 1
        holder.items[0].tags.append("t")

    (edit,) = edits_of(stored, change)
    assert edit.edits == (
        Set(("0", "size"), 2),
        Inc(("0", "hits"), 1),
        Set(("0", "tags"), ["t"]),
        Set(("1", "size"), 3),
        Inc(("1", "hits"), 1),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.reverse(),
        lambda items: items.pop(),
        lambda items: items.insert(0, Item()),
        lambda items: (items.pop(0), items.append(Item(name="c"))),
        lambda items: (items.append(Item()), setattr(items[0], "size", 9)),
    ],
    ids=["reordered", "removed", "inserted", "shifted", "appended and edited"],
)
def test_an_array_whose_items_moved_is_set_whole(change: Any) -> None:
    (edit,) = edits_of({"items": [A, B]}, lambda h: change(h.items))
    assert type(edit) is Set
    assert edit.path == ("items",)


def test_appended_items_are_pushed_and_plain_arrays_are_set_whole() -> None:
    stored = {"items": [A], "numbers": [1, 2]}
    (edit,) = edits_of(stored, lambda h: h.items.append(Item()))
    assert isinstance(edit, Push)
    assert edits_of(stored, lambda h: h.numbers.__setitem__(0, 5)) == [Set(("numbers",), [5, 2])]


def test_items_of_arrays_in_arrays() -> None:
    stored = {"rows": [[A], [A, B]], "items": [{**A, "parts": [A, B]}]}
    (edit,) = edits_of(stored, lambda h: setattr(h.rows[1][0], "size", 5))
    inner = EditItems(("1",), [A, B], (Set(("0", "size"), 5),))
    assert edit == EditItems(("rows",), stored["rows"], (inner,))
    (edit,) = edits_of(stored, lambda h: h.items[0].parts.append(Item(name="c")))
    assert [type(inner) for inner in edit.edits] == [Push]
    (edit,) = edits_of(stored, lambda h: setattr(h.items[0].parts[1], "size", 5))
    inner = EditItems(("0", "parts"), [A, B], (Set(("1", "size"), 5),))
    assert edit == EditItems(("items",), stored["items"], (inner,))


def test_an_array_that_a_validator_sorts_is_set_whole() -> None:
    class Sorted(lm.PersistableBase):
        items: list[Item] = []

        @field_validator("items")
        @classmethod
        def _sort(cls, items: list[Item]) -> list[Item]:
            return sorted(items, key=lambda item: item.name)

    loaded = hydrator(Sorted).one({"_id": ObjectId(), "items": [B, A]})
    loaded.items[0].size = 7
    plan = plan_persist(loaded)
    assert [type(edit) for edit in plan.edits] == [Set]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stored", "change", "expected"),
    [
        ({"counts": {}}, lambda h: h.counts.update(k=1), Inc(("counts", "k"), 1)),
        ({"counts": {"k": 2}}, lambda h: h.counts.update(k=5), Inc(("counts", "k"), 3)),
        ({}, lambda h: h.counts.update(k=1), Replace(("counts",), MISSING, {"k": 1}, {})),
        (
            {"deep": {}},
            lambda h: h.deep.update(a={"k": 1}),
            Replace(("deep", "a"), MISSING, {"k": 1}, {}),
        ),
        (
            {"stats": None},
            lambda h: setattr(h, "stats", Stats(hits=1)),
            Replace(("stats",), None, {"hits": 1, "by_page": {}}, {}),
        ),
        ({}, lambda h: setattr(h, "visits", 1), Inc(("visits",), 1, 0)),
        ({"visits": None}, lambda h: setattr(h, "visits", 1), Inc(("visits",), 1, 0)),
        ({"visits": 1}, lambda h: setattr(h, "visits", None), Set(("visits",), None)),
    ],
)
def test_new_counters(stored: Any, change: Any, expected: Any) -> None:
    assert edits_of(stored, change) == [expected]


@given(st.lists(documents, max_size=4), st.lists(documents, max_size=4))
def test_edits_of_items_keep_what_the_object_does_not_show(before: Any, after: Any) -> None:
    stored = [{**item, "undeclared": number} for number, item in enumerate(before)]
    edits = find_edits(ANY, {"l": stored}, {"l": before}, {"l": after})
    result = edited({"l": stored}, edits)["l"]
    shown = [{k: v for k, v in item.items() if k != "undeclared"} for item in result]
    assert same(_sorted(shown), _sorted(after))
    if any(isinstance(edit, EditItems) for edit in edits):
        assert [item["undeclared"] for item in result] == list(range(len(before)))
