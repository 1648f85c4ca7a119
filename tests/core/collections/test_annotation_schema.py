"""The `$jsonSchema` of an annotation."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pathlib
import re
from collections import defaultdict
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import PlainValidator, RootModel, SecretStr, SkipValidation

import loom_async as lm
from tests.core.collections.schemas import (
    FLOAT,
    INT,
    TEXT,
    Closed,
    Color,
    Keyed,
    Name,
    Pair,
    Part,
    field,
)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, INT),
        (lm.IncrCounter, INT),
        (float, FLOAT),
        (bool, {"bsonType": "bool"}),
        (str, TEXT),
        (Name, TEXT),
        (lm.StrLower, TEXT),
        (SecretStr, TEXT),
        (pathlib.Path, TEXT),
        (ipaddress.IPv4Address, TEXT),
        (dt.timedelta, INT),
        (bytes, {"bsonType": "binData"}),
        (UUID, {"bsonType": "binData"}),
        (lm.PyObjectId, {"bsonType": "objectId"}),
        (Decimal, {"bsonType": "decimal"}),
        (dt.datetime, {"bsonType": "date"}),
        (dt.date, {"bsonType": "date"}),
        (re.Pattern[str], {"bsonType": "regex"}),
        (Any, {}),
        (object, {}),
        (complex, TEXT),
        (defaultdict[str, int], {"bsonType": "object", "additionalProperties": INT}),
        (Color, {"enum": ["r", 2]}),
        (Color | None, {"enum": ["r", 2, None]}),
        (Literal["a", 1, None], {"enum": ["a", 1, None]}),
        (int | None, {"bsonType": ["int", "long", "null"]}),
        (int | str, {"anyOf": [INT, TEXT]}),
        (int | str | None, {"anyOf": [INT, TEXT, {"bsonType": "null"}]}),
        (int | Any, {}),
        (list, {"bsonType": "array"}),
        (list[int], {"bsonType": "array", "items": INT}),
        (set[str | None], {"bsonType": "array", "items": {"bsonType": ["string", "null"]}}),
        (tuple[int, ...], {"bsonType": "array", "items": INT}),
        (tuple[int, str], {"bsonType": "array", "items": {"anyOf": [INT, TEXT]}}),
        (tuple[()], {"bsonType": "array"}),
        (Pair, {"bsonType": "array"}),
        (Keyed, {"bsonType": "object"}),
        (dict, {"bsonType": "object"}),
        (dict[str, Any], {"bsonType": "object"}),
        (dict[int, float], {"bsonType": "object", "additionalProperties": FLOAT}),
        (RootModel[list[int]], {"bsonType": "array", "items": INT}),
        (
            Part,
            {
                "bsonType": "object",
                "required": ["name"],
                "properties": {"name": TEXT, "at": {"bsonType": ["date", "null"]}},
            },
        ),
        (
            Closed,
            {
                "bsonType": "object",
                "required": ["when"],
                "properties": {"when": INT},
                "additionalProperties": False,
            },
        ),
    ],
)
def test_schema_of_each_annotation(annotation: Any, schema: dict[str, Any]) -> None:
    assert field(annotation) == schema


class Foreign:
    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler.generate_schema(str)


@pytest.mark.parametrize(
    "annotation",
    [Annotated[int, PlainValidator(str)], SkipValidation[int], Annotated[int, Foreign()]],
)
def test_replaced_validation_leaves_the_schema_empty(annotation: Any) -> None:
    assert field(annotation) == {}
    assert field(list[annotation]) == {"bsonType": "array"}  # type: ignore[valid-type]
