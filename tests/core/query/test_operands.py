"""Operands that conditions accept."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from tests.core.query.models import compiled

age, name = fld["age"], fld["name"]


def test_python_type_int_matches_both_integer_types() -> None:
    kinds = compiled(age.is_type(int, float))["age"]["$type"]
    assert kinds == ["int", "long", "double"]


def test_membership_reads_a_generator_once() -> None:
    condition = age.is_in(n for n in range(3))
    assert compiled(condition) == compiled(condition) == {"age": {"$in": [0, 1, 2]}}


@pytest.mark.parametrize("values", ["abc", b"abc", 3, None])
def test_membership_refuses_a_single_value(values: Any) -> None:
    for ask in (name.is_in, name.is_not_in, name.is_all):
        with pytest.raises(lm.QueryError, match="several values"):
            ask(values)
