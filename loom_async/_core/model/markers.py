"""Markers that annotate a field with what happens to its value on its way to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _OptionalUntilWritten:
    """A field that the database layer fills in: it may be absent when the model is built."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_default_schema(
            core_schema.nullable_schema(handler(source)), default=None
        )


@dataclass(frozen=True)
class CoalesceOnInsert(_OptionalUntilWritten):
    """Give a field that is None the value of `function()` when its document is first inserted.

    Parameters:
        function: Takes nothing and returns the value; called once a document.

    Example:
        >>> from typing import Annotated
        >>> from uuid import uuid4
        >>> Ticket = Annotated[str, CoalesceOnInsert(lambda: uuid4().hex)]
    """

    function: Callable[[], Any]


@dataclass(frozen=True)
class RefreshOnSet(_OptionalUntilWritten):
    """Give a field the value of `function()` each time its document is written.

    Parameters:
        function: Takes nothing and returns the value; called once a write of a document.

    Example:
        >>> from typing import Annotated
        >>> Host = Annotated[str, RefreshOnSet(lambda: "worker-1")]
    """

    function: Callable[[], Any]


@dataclass(frozen=True)
class NormalizeValue:
    """Pass every value of a field through `function`, in documents and in query literals.

    Parameters:
        function: Takes the validated value and returns the one to keep; applying it twice must
            give what applying it once gives.

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
            # pydantic's own conversion spares a call into Python for each value
            case = "to_lower" if self.function is str.lower else "to_upper"
            return cast("CoreSchema", {**schema, case: True})
        return core_schema.no_info_after_validator_function(self.function, schema)


@dataclass(frozen=True)
class Versioned:
    """Count the writes of a document, and refuse one that is made from an earlier count."""


@dataclass(frozen=True)
class Increment:
    """Send the change of a number as `$inc`, so that concurrent changes add up."""
