"""Conditions on plain elements of arrays, without the operators that `$elemMatch` refuses there."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import element, fld
from tests.core.query.models import compiled

operator_like: dict[str, Any] = {"$ne": None}


@pytest.mark.parametrize(
    "condition",
    [
        (element > 1) & ((element == 2) | (element == 3)),
        (element > 1) & (element > 2),
        ~((element == 1) | (element == 2)),
        ~(element > 2) & ~(element < 2),
        element.is_in([operator_like, 1]),
        element.is_not_in([operator_like, 1]),
    ],
    ids=repr,
)
def test_alternatives_have_no_logical_operators(condition: Any) -> None:
    try:
        found = compiled(fld["meta.x"].elem_match(condition))
    except lm.QueryError:
        return
    for alternative in found.get("$or", [found]):
        (path,) = alternative
        assert not {"$and", "$or", "$nor"} & alternative[path]["$elemMatch"].keys()
