"""The condition on which an update applies."""

from __future__ import annotations

from typing import Any

import pytest

from loom_async._core.model.bson_equality import MISSING
from loom_async._core.model.edits import Edit, EditItems, Replace, Set, Unset
from loom_async._core.model.update_condition import condition_of, names_values
from loom_async._core.model.update_document import render


def condition(*edits: Edit) -> dict[str, Any]:
    return condition_of(edits, render(edits))


def test_each_parent_has_one_condition() -> None:
    edits: list[Edit] = [Set(("a", "b"), 1), Unset(("a", "c")), Set(("d",), 1)]
    assert condition(*edits) == {"a": {"$type": "object"}}


def test_parents_with_a_dot_in_a_key_are_compared_by_an_expression() -> None:
    assert condition(Set(("a.b", "c"), 1)).keys() == {"$expr"}


ITEMS = EditItems(("a", "items"), [{"n": 1}], (Set(("0", "n"), 5),))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (ITEMS, {"a": {"$type": "object"}, "a.items": {"$eq": [{"n": 1}]}}),
        (Replace(("a",), MISSING, 1), {"a": {"$exists": False}}),
        (Replace(("a",), None, 1), {"a": {"$eq": None}}),
    ],
)
def test_values_are_as_they_were_read(edit: Edit, expected: Any) -> None:
    assert condition(edit) == expected
    assert names_values([edit])
    assert not names_values([Set(("a",), 1)])


def test_the_condition_of_a_pipeline_names_no_value() -> None:
    found = condition(ITEMS, Set(("a", "x.y"), 1), Replace(("b",), MISSING, 1))
    assert found.keys() == {"a", "$expr"}
    values, missing = found["$expr"]["$and"]
    assert values["$eq"][1] == {"$literal": [{"n": 1}]}
    field = {"$getField": {"field": {"$literal": "b"}, "input": "$$ROOT"}}
    assert missing == {"$eq": [{"$type": field}, "missing"]}
