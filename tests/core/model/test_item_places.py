"""Where the items of an array are in a later version of it."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.model.item_places import keeps_order, places


def item(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "size": 1, "done": False, **fields}


A, B, C = item("a"), item("b"), item("c")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([A, B], [A, B], [0, 1]),
        ([A, B], [A, item("x")], [0, 1]),
        ([A, B], [item("a", size=2), item("b", size=3)], [0, 1]),
        ([A, B], [item("a", done=True), item("b", done=True)], [0, 1]),
        ([A, B], [B, A], [1, 0]),
        ([A, B], [item("b", size=2), C], [None, 0]),
        ([A, B, C], [B, C], [None, 0, 1]),
        ([A, B], [C, A, B], [1, 2]),
        ([A, B], [item("a", size=2), B, C], [0, 1]),
        ([{"n": 1}, {"n": 2}], [{"n": 5}, {"n": 6}], [0, 1]),
        ([{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 3}], [None, 0]),
        ([1, "x"], [2, "x"], [0, 1]),
        ([], [A], []),
        ([A], [], [None]),
    ],
)
def test_places(old: Any, new: Any, found: Any) -> None:
    assert places(old, new) == found


@pytest.mark.parametrize("name", ["id", "_id"])
def test_an_id_decides(name: str) -> None:
    first, second = ({name: id, "text": text} for id, text in ((1, "a"), (2, "b")))
    assert places([first, second], [first | {"text": "b"}, second | {"text": "a"}]) == [0, 1]
    assert places([first, second], [second | {"text": "a"}, first | {"text": "b"}]) == [1, 0]
    assert places([first], [{name: 3, "text": "a"}]) == [None]
    assert places([first, second], [{name: 3, "text": "a"}, second | {"text": "c"}]) == [None, 1]


def test_an_item_that_is_like_two_others_has_no_place() -> None:
    old = [{"name": "a", "title": "x"}, {"name": "b", "title": "y"}]
    new = [{"name": "a", "title": "y"}, {"name": "b", "title": "x"}]
    assert places(old, new) == [None, None]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([A, B], [A, B], True),
        ([A, B], [item("a", size=2), item("b", size=3)], True),
        ([{"n": 1}, {"n": 2}], [{"n": 5}, {"n": 6}], True),
        ([A, B], [item("x"), item("y")], True),
        ([A, B], [B, A], False),
        ([A, B], [item("b", size=2), C], False),
        ([item("a", at=0), item("b", at=1)], [item("b", at=0), item("a", at=1)], False),
        ([A, B], [A], False),
        ([A, 1], [item("a", size=2), 2], True),
        ([], [], True),
    ],
)
def test_whether_items_keep_their_order(old: Any, new: Any, expected: bool) -> None:
    assert keeps_order(old, new) is expected


names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(names, st.data())
def test_named_items_are_found_wherever_they_are(old: list[str], data: st.DataObject) -> None:
    new = data.draw(st.permutations([*old, "x", "y"]))
    before = [item(name) for name in old]
    after = [item(name, size=data.draw(st.integers(1, 2))) for name in new]
    assert places(before, after) == [new.index(name) for name in old]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))), st.data())
def test_no_two_items_have_one_place(old: list[Any], data: st.DataObject) -> None:
    new = data.draw(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))))
    found = [place for place in places(old, new) if place is not None]
    assert len(set(found)) == len(found)
    assert places(old, old) == list(range(len(old)))


def test_items_are_recognised_by_their_decimals() -> None:
    old = [{"n": Decimal128("1.5"), "k": 1}, {"n": Decimal128("2.5"), "k": 1}]
    new = [{"n": Decimal128("1.5"), "k": 2}, {"n": Decimal128("2.5"), "k": 2}]
    assert keeps_order(old, new)
