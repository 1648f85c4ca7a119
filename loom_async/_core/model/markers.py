"""Markers in `Annotated` that change how a field is written: filled in, normalised, counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _OptionalUntilWritten:
    """A field that Loom fills in: it may be None until the object is written."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_default_schema(
            core_schema.nullable_schema(handler(source)), default=None
        )


@dataclass(frozen=True)
class CoalesceOnInsert(_OptionalUntilWritten):
    """Set a field that is None to `function()` when its document is inserted.

    Parameters:
        function: Takes no argument and returns the value; called once per document.

    Example:
        >>> from typing import Annotated
        >>> from uuid import uuid4
        >>> Ticket = Annotated[str, CoalesceOnInsert(lambda: uuid4().hex)]
    """

    function: Callable[[], Any]


@dataclass(frozen=True)
class RefreshOnSet(_OptionalUntilWritten):
    """Set a field to `function()` each time its document is written.

    Parameters:
        function: Takes no argument and returns the value; called once per written document.

    Example:
        >>> from typing import Annotated
        >>> Host = Annotated[str, RefreshOnSet(lambda: "worker-1")]
    """

    function: Callable[[], Any]


@dataclass(frozen=True)
class NormalizeValue:
    """Pass every value of a field through `function`, in documents and in queries.

    Parameters:
        function: Takes the validated value and returns the value to store. It must be
            idempotent: values that are normalised already pass through it again.

    Example:
        >>> from typing import Annotated
        >>> Trimmed = Annotated[str, NormalizeValue(str.strip)]
    """

    function: Callable[[Any], Any]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        if schema["type"] == "str" and self.function in (str.lower, str.upper):
            # pydantic converts the case without a call into Python for each value.
            case = "to_lower" if self.function is str.lower else "to_upper"
            return cast("CoreSchema", {**schema, case: True})
        return core_schema.no_info_after_validator_function(self.function, schema)


@dataclass(frozen=True)
class Versioned:
    """Count the writes of a document, and refuse the write of an outdated object."""


@dataclass(frozen=True)
class Increment:
    """Send changes of a number as `$inc`, so that concurrent changes add up."""
