"""The schema that is made of an annotation."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import pathlib
import re
from collections import defaultdict
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

import annotated_types as at
import pytest
from bson import Decimal128
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    RootModel,
    SecretStr,
    SkipValidation,
    StringConstraints,
    conint,
    create_model,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.collections.document_schema import document_schema
from loom_async._core.collections.schema_patterns import portable_pattern


class Color(enum.Enum):
    RED = "r"
    BLUE = 2


class Part(BaseModel):
    name: str
    at: lm.TimeInserted = None  # type: ignore[assignment]


class Tree(BaseModel):
    children: list[Tree] = []


class Pair(NamedTuple):
    a: int


class Keyed(TypedDict):
    a: int


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: int = Field(alias="when")


Name = NewType("Name", str)
INT = {"bsonType": ["int", "long"]}
FLOAT = {"bsonType": ["double", "int", "long"]}
TEXT = {"bsonType": "string"}


def field(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """Return the schema of a field."""
    model = create_model("Some", x=(annotation, default))
    found: dict[str, Any] = document_schema(model)["properties"]["x"]
    return found


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
        (dt.timedelta, TEXT),
        (bytes, {"bsonType": "binData"}),
        (UUID, {"bsonType": "binData"}),
        (lm.PyObjectId, {"bsonType": "objectId"}),
        (Decimal, {"bsonType": "decimal"}),
        (dt.datetime, {"bsonType": "date"}),
        (dt.date, {"bsonType": "date"}),
        (re.Pattern[str], {"bsonType": "regex"}),
        (Any, {}),
        (object, {}),
        (complex, {}),
        (defaultdict[str, int], {}),
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
def test_types(annotation: Any, schema: dict[str, Any]) -> None:
    assert field(annotation) == schema


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
        (Annotated[dict[int, int], Field(min_length=1, max_length=2)], {"maxProperties": 2}),
    ],
)
def test_limits(annotation: Any, schema: dict[str, Any]) -> None:
    found = field(annotation)
    found.pop("bsonType"), found.pop("items", None), found.pop("additionalProperties", None)
    assert found == schema


def test_limits_of_items() -> None:
    found = field(list[Annotated[str, Field(max_length=2)]])
    assert found["items"] == {"bsonType": "string", "maxLength": 2}


class Foreign:
    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler.generate_schema(str)


@pytest.mark.parametrize(
    "annotation",
    [Annotated[int, PlainValidator(str)], SkipValidation[int], Annotated[int, Foreign()]],
)
def test_a_type_that_validation_does_not_keep(annotation: Any) -> None:
    assert field(annotation) == {}
    assert field(list[annotation]) == {"bsonType": "array"}  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("annotation", "default", "schema"),
    [
        (int, 1, INT),
        (str, None, {"bsonType": ["string", "null"]}),
        (Decimal, 0, {"anyOf": [{"bsonType": "decimal"}, {"enum": [0]}]}),
        (float, 0, FLOAT),
        (
            Annotated[int, Field(ge=1)],
            0,
            {"anyOf": [{**INT, "minimum": 1}, {"enum": [0]}]},
        ),
        (Annotated[list[int], Field(min_length=1)], Field(default_factory=list), None),
        (Annotated[int, Field(ge=1)], Field(0, validate_default=True), None),
    ],
)
def test_defaults_that_nothing_checks(annotation: Any, default: Any, schema: Any) -> None:
    found = field(annotation, default)
    if schema is not None:
        assert found == schema
    assert "minItems" not in found


def test_what_must_be_there() -> None:
    class User(lm.Persistable):
        name: str = Field(alias="n")
        age: int = 3
        joined: lm.TimeInserted

    found = document_schema(User)
    assert found["required"] == ["_id", "n"]
    assert (
        found["properties"]["created_at"] == found["properties"]["joined"] == {"bsonType": "date"}
    )
    assert "additionalProperties" not in found


def test_a_model_inside_itself() -> None:
    assert field(Tree)["properties"]["children"]["items"] == {"bsonType": "object"}


def test_functions_of_the_model_leave_no_limits() -> None:
    class Checked(BaseModel):
        a: int = Field(ge=1)
        b: int = Field(ge=1)
        c: int = Field(ge=1)

        @field_validator("a")
        @classmethod
        def after(cls, value: int) -> int:
            return -value

        @field_validator("b", mode="plain")
        @classmethod
        def plain(cls, value: Any) -> Any:
            return str(value)

    class Whole(Checked):
        @model_validator(mode="after")
        def whole(self) -> Whole:
            self.c = -1
            return self

    assert document_schema(Checked)["properties"] == {"a": INT, "b": {}, "c": {**INT, "minimum": 1}}
    assert document_schema(Whole)["properties"]["c"] == INT


@pytest.mark.parametrize("name", ["", "a.b", "$a"])
def test_names_that_the_server_reads_otherwise_are_left_out(name: str) -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(extra="forbid")

        x: int = Field(validation_alias=name)

    assert document_schema(Odd) == {"bsonType": "object", "properties": {}}


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]+$", "^[A-Z]{2}[0-9]{6}$", "^(?:ab|cd)x$", "a|b", r"^\$[^@.]*$", "^a-?b$", "", "x{3}"],
)
def test_patterns_that_are_the_same(pattern: str) -> None:
    assert portable_pattern(pattern) == pattern
    assert portable_pattern(re.compile(pattern)) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d", r"\w+", r"\bx", "(?i)a", "(?=a)", "(a+)+", "(a|b)*", "^a+b+$", "[a-z]+", "^a|b+",
        "a++", "a{2}{3}", "[[:alpha:]]", "[a--b]", "[a&&b]", "é", r"\p{L}", "a{,3}", "(?P<x>a)",
        re.compile("a", re.IGNORECASE), None, 3,
    ],
)  # fmt: skip
def test_patterns_that_may_differ(pattern: Any) -> None:
    assert portable_pattern(pattern) is None
