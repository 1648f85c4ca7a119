"""Values that are not conditions are refused."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import element, fld
from tests.core.query.models import compiled

age = fld["age"]


@pytest.mark.parametrize("condition", [element == 3, lambda u: u, lambda u: u == 3])
def test_condition_of_no_field_is_refused(condition: Any) -> None:
    with pytest.raises(lm.QueryError):
        compiled(condition)


@pytest.mark.parametrize(
    "condition", [{"age": 3}, 3, True, None, "age", [age == 3], lambda u: True, lambda u: {"a": 1}]
)
def test_other_values_are_refused_with_a_hint(condition: Any) -> None:
    with pytest.raises(lm.QueryError, match="Hint: "):
        compiled(condition)


def test_raw_takes_a_mapping_only() -> None:
    with pytest.raises(lm.QueryError):
        lm.raw("age > 3")  # type: ignore[arg-type]
