"""Errors for values that BSON cannot hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.model.write_plan import plan_persist

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, {"b": 2**63}]}, r"anything\.a\.1\.b"),
        ({"a\0b": 1}, "anything"),
        ("\ud800", "anything"),
        (object(), "anything"),
        (Decimal("1." + "1" * 40), "anything"),
    ],
)
def test_error_names_the_path_of_a_value_that_bson_cannot_hold(value: Any, where: str) -> None:
    class Holder(lm.PersistableBase):
        anything: Any

    with pytest.raises(lm.EncodingError, match=where):
        plan_persist(Holder(anything=value), NOW)
