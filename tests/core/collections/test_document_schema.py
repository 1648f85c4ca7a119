"""The `$jsonSchema` of a model's documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import loom_async as lm
from loom_async._core.collections.document_schema import document_schema
from tests.core.collections.schemas import FLOAT, INT, Tree, field


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
def test_unvalidated_defaults_pass_the_schema(annotation: Any, default: Any, schema: Any) -> None:
    found = field(annotation, default)
    if schema is not None:
        assert found == schema
    assert "minItems" not in found


def test_required_fields() -> None:
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


def test_recursive_model_is_any_object_at_the_second_level() -> None:
    assert field(Tree)["properties"]["children"]["items"] == {"bsonType": "object"}


def test_validators_of_the_model_remove_the_limits() -> None:
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
def test_names_that_schemas_cannot_hold_are_left_out(name: str) -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(extra="forbid")

        x: int = Field(validation_alias=name)

    assert document_schema(Odd) == {"bsonType": "object", "properties": {}}
