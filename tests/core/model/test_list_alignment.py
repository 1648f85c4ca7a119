"""Which items of a list are the same after another writer has changed it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.model.list_alignment import by_content, by_position


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", [0, 1, 2]),
        ("abc", "aXc", [0, 1, 2]),
        ("abc", "Xabc", [None, 0, 1, 2]),
        ("abc", "abcX", [0, 1, 2, None]),
        ("abc", "bc", [1, 2]),
        ("abc", "cab", [2, 0, 1]),
        ("abc", "XaBc", [None, 0, 1, 2]),
        ("abc", "bX", [1, 2]),
        ("abcd", "aXYd", [0, 1, 2, 3]),
        ("ab", "XYZ", [0, 1, None]),
        ("ab", "", []),
        ("", "ab", [None, None]),
        ("aab", "ab", [0, 2]),
        ("xaa", "ax", [1, 0]),
    ],
)
def test_items_of_a_changed_list(old: str, new: str, expected: list[int | None]) -> None:
    assert by_content(list(old), list(new)) == expected


def test_types_tell_items_apart() -> None:
    assert by_content([[1], [True]], [[True], [1]]) == [1, 0]


def test_items_that_bson_lacks_are_paired_by_their_neighbours() -> None:
    assert by_content([object(), 2**70], [2**70, object()]) == [0, 1]


def test_items_at_the_same_positions() -> None:
    assert by_position([1, 2], [2, 1]) == [0, 1]
    assert by_position([1, 2], [2]) == [1], "a validator may remove items"


items = st.lists(st.sampled_from([1, True, "a", [1], {"a": 1}, None]), max_size=6)


@given(items, items)
def test_each_old_item_has_one_place(old: list[Any], new: list[Any]) -> None:
    found = [index for index in by_content(old, new) if index is not None]
    assert len(set(found)) == len(found)
    assert all(0 <= index < len(old) for index in found)


@given(items, st.randoms())
def test_moved_items_are_found(old: list[Any], choose: Any) -> None:
    new = choose.sample(old, len(old))
    assert [old[index] for index in by_content(old, new) if index is not None] == new
