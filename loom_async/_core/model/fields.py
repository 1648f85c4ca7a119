"""Types for annotations: `PyObjectId`, `StrLower`, `TimeInserted`, `Revision`, `IncrCounter`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from bson import ObjectId
from bson.errors import InvalidId as BsonInvalidId
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ..clock import now
from .markers import CoalesceOnInsert, Increment, NormalizeValue, RefreshOnSet, Versioned


class ObjectIdSchema:
    """The pydantic schema of `bson.ObjectId`: accepts 24 hex digits, and writes them to JSON."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(
            parse_object_id, core_schema.str_schema(strict=True)
        )
        is_object_id = core_schema.is_instance_schema(ObjectId)
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema(
                [is_object_id, from_text],
                mode="left_to_right",
                custom_error_type="object_id",
                custom_error_message="Input should be an ObjectId or its 24 hex digits",
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^[0-9a-fA-F]{24}$", "format": "objectid"}


def parse_object_id(text: str) -> ObjectId:
    """Return the ObjectId of 24 hex digits.

    Raises:
        ValueError: The text is anything else.
    """
    try:
        return ObjectId(text)
    except BsonInvalidId:
        raise ValueError(f"{text!r} is not an ObjectId: 24 hex digits") from None


PyObjectId = Annotated[ObjectId, ObjectIdSchema()]
"""An ObjectId; validation also accepts its 24 hex digits, and JSON contains them."""

StrLower = Annotated[str, NormalizeValue(str.lower)]
"""A string converted to lower case, also in the values of queries."""

StrUpper = Annotated[str, NormalizeValue(str.upper)]
"""A string converted to upper case, also in the values of queries."""

TimeInserted = Annotated[datetime, CoalesceOnInsert(now)]
"""The time at which the document was inserted; None before that."""

TimeUpdated = Annotated[datetime, RefreshOnSet(now)]
"""The time at which the document was last written; None before the first write."""


def _first_revision() -> int:
    return 1


Revision = Annotated[int, CoalesceOnInsert(_first_revision), Versioned()]
"""Counts a document's writes, from 1; writing with an older count raises `StaleDocument`."""

IncrCounter = Annotated[int, Increment()]
"""An integer whose changes are sent as `$inc`, so that concurrent changes add up."""
