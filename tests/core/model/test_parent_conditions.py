"""Conditions that the parents of edited paths exist, and edits that set missing parents."""

from __future__ import annotations

import pytest

from loom_async._core.errors import OperationFailed
from loom_async._core.model.diff import Change, Inc, Set, Unset
from loom_async._core.model.parent_conditions import parents_of, with_parents


def test_each_parent_has_one_condition() -> None:
    changes: list[Change] = [Set(("a", "b"), 1), Unset(("a", "c")), Set(("d",), 1)]
    assert parents_of(changes) == {"a": {"$type": "object"}}


def test_parents_with_a_dot_in_a_key_are_compared_by_an_expression() -> None:
    condition = parents_of([Set(("a.b", "c"), 1)])
    assert condition.keys() == {"$expr"}


def test_a_missing_parent_is_set_whole() -> None:
    changes: list[Change] = [
        Set(("a", "b", "c"), 1),
        Inc(("a", "n"), 1),
        Unset(("gone", "x")),
        Set(("d",), 2),
    ]
    after = {"a": {"b": {"c": 1}, "n": 5}, "gone": {}, "d": 2}
    assert with_parents(changes, after, {"d": 0}) == [Set(("a",), after["a"]), Set(("d",), 2)]
    assert with_parents(changes, after, {"a": {"n": 1}}) == [
        Set(("a", "b"), {"c": 1}),
        Inc(("a", "n"), 1),
        Set(("d",), 2),
    ]


def test_a_parent_that_is_no_document_raises() -> None:
    with pytest.raises(OperationFailed, match="reload"):
        with_parents([Set(("a", "b"), 1)], {"a": {"b": 1}}, {"a": None})
