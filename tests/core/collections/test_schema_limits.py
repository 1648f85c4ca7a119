"""The limits of an annotation as keywords of `$jsonSchema`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

import annotated_types as at
import pytest
from bson import Decimal128
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, conint

import loom_async as lm
from tests.core.collections.schemas import field


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Annotated[int, Field(ge=1, lt=9)], {"minimum": 1, "maximum": 9, "exclusiveMaximum": True}),
        (Annotated[int, at.Interval(gt=1)], {"minimum": 1, "exclusiveMinimum": True}),
        (Annotated[int | None, Field(ge=1)], {"minimum": 1}),
        (conint(le=3), {"maximum": 3}),
        (Annotated[int, Field(le=2**70)], {}),
        (Annotated[float, Field(gt=0.5)], {"minimum": 0.5, "exclusiveMinimum": True}),
        (Annotated[float, Field(lt=float("inf"))], {}),
        (Annotated[Decimal, Field(ge=Decimal("0.1"))], {"minimum": Decimal128("0.1")}),
        (Annotated[Decimal, Field(ge=1, allow_inf_nan=True)], {}),
        (Annotated[dt.datetime, Field(ge=dt.datetime(2020, 1, 1))], {}),
        (Annotated[str, Field(min_length=1, max_length=3)], {"minLength": 1, "maxLength": 3}),
        (Annotated[str, StringConstraints(pattern="^a+$")], {"pattern": "^a+$"}),
        (Annotated[str, Field(pattern=r"^\d$")], {}),
        (Annotated[str, StringConstraints(to_lower=True, max_length=1)], {}),
        (Annotated[lm.StrLower, Field(max_length=1)], {}),
        (Annotated[int, Field(ge=1), AfterValidator(lambda value: -value)], {}),
        (Annotated[int, BeforeValidator(int), Field(ge=1)], {"minimum": 1}),
        (Annotated[list[int], Field(min_length=1)], {"minItems": 1}),
        (Annotated[dict[str, int], Field(min_length=1)], {"minProperties": 1}),
        (
            Annotated[dict[int, int], Field(min_length=1, max_length=2)],
            {"minProperties": 1, "maxProperties": 2},
        ),
    ],
)
def test_limits_of_an_annotation(annotation: Any, schema: dict[str, Any]) -> None:
    found = field(annotation)
    found.pop("bsonType"), found.pop("items", None), found.pop("additionalProperties", None)
    assert found == schema


def test_limits_of_list_items() -> None:
    found = field(list[Annotated[str, Field(max_length=2)]])
    assert found["items"] == {"bsonType": "string", "maxLength": 2}
