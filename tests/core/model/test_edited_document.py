"""Edits made in memory."""

from __future__ import annotations

from typing import Any

import pytest

from loom_async._core.model.bson_equality import MISSING
from loom_async._core.model.edited_document import edited, edited_items, value_at
from loom_async._core.model.edits import AddToSet, Edit, EditItems, Inc, Push, Replace, Set, Unset


def test_edits_applied_to_a_document_that_another_writer_has_edited() -> None:
    document = {"_id": 1, "name": "theirs", "box": {"a": 1}, "tags": ["x"]}
    edits: list[Edit] = [
        Set(("name",), "mine"),
        Set(("box", "b"), 2),
        Set(("gone", "c"), 3),
        Unset(("box", "a")),
        AddToSet(("tags",), ["x", "y"]),
    ]
    assert edited(document, edits) == {
        "_id": 1,
        "name": "mine",
        "box": {"b": 2},
        "gone": {"c": 3},
        "tags": ["x", "y"],
    }
    assert document["box"] == {"a": 1}


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (Inc(("v",), 2), {"v": 1}, {"v": 3}),
        (Inc(("v",), 2), {}, {"v": 2}),
        (Inc(("v",), 2, 10), {}, {"v": 12}),
        (Inc(("v",), 2, 0), {"v": None}, {"v": 2}),
        (Push(("v",), [2]), {"v": [1]}, {"v": [1, 2]}),
        (Push(("v",), [2]), {}, {"v": [2]}),
        (AddToSet(("v",), [2]), {}, {"v": [2]}),
        (Unset(("v", "w")), {}, {"v": {}}),
        (Replace(("v",), MISSING, {"w": 1}), {}, {"v": {"w": 1}}),
    ],
)
def test_each_edit(edit: Edit, before: Any, after: Any) -> None:
    assert edited(before, [edit]) == after


def test_items_are_edited_as_they_were_read_and_not_in_place() -> None:
    read = [{"n": 1, "in": [{"m": 1}]}, {"n": 2}]
    inner = EditItems(("0", "in"), [{"m": 1}], (Set(("0", "m"), 5),))
    edit = EditItems(("v",), read, (inner, Inc(("1", "n"), 1), Unset(("0", "n"))))
    expected = [{"in": [{"m": 5}]}, {"n": 3}]
    assert edited_items(edit) == expected
    assert edited({"v": ["of another writer"]}, [edit]) == {"v": expected}
    assert read == [{"n": 1, "in": [{"m": 1}]}, {"n": 2}]


@pytest.mark.parametrize(
    ("path", "value"),
    [(("a", "b"), 1), ((), {"a": {"b": 1}}), (("a", "x"), MISSING), (("a", "b", "c"), MISSING)],
)
def test_value_at_a_path(path: tuple[str, ...], value: Any) -> None:
    assert value_at({"a": {"b": 1}}, path) == value
