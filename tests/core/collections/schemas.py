"""Models and schemas that the tests of `$jsonSchema` share."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple, NewType

from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.collections.document_schema import document_schema


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
