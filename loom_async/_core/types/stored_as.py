"""Markers by which a model chooses the stored form of a field itself: `StoredAs`, `StoredName`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Union, get_origin

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import CoreSchema, core_schema

from ..errors import ConfigurationError


@dataclass(frozen=True)
class StoredAs:
    """Store the values of a field in a form of your own: as `stored`, by `encode` and `decode`.

    A class that pydantic does not know needs nothing else: its instances are accepted, and what
    `decode` accepts, and pydantic writes them to JSON by `encode`.

    Parameters:
        stored: The type of the stored values, which Loom must be able to store: `str`, `bytes`.
        encode: Returns the stored form of a value of the field.
        decode: Returns the value of a stored form; it must be equal to the value that was encoded.
        ordered: Whether the stored forms have the order of the values. Otherwise queries refuse
            `<`, `>` and sorting by the field.
        deterministic: Whether equal values have the same stored form. Otherwise (encryption with
            a nonce) queries refuse every comparison with the field, and an unchanged value keeps
            the form that it has in the database.

    Example:
        >>> from fractions import Fraction
        >>> from typing import Annotated
        >>> Share = Annotated[Fraction, StoredAs(str, encode=str, decode=Fraction)]
    """

    stored: Any
    encode: Callable[[Any], Any] = field(kw_only=True)
    decode: Callable[[Any], Any] = field(kw_only=True)
    ordered: bool = field(default=False, kw_only=True)
    deterministic: bool = field(default=True, kw_only=True)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        try:
            return handler(source)
        except PydanticSchemaGenerationError:
            return self._schema_of_instances(source, handler)

    def _schema_of_instances(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        origin = get_origin(source)
        kind = source if origin in (None, Union, UnionType) else origin
        stored_schema = handler.generate_schema(self.stored)
        read: TypeAdapter[Any] = TypeAdapter(self.stored)

        def validate(value: Any) -> Any:
            return value if isinstance(value, kind) else self.decode(read.validate_python(value))

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.encode, return_schema=stored_schema, when_used="json"
            ),
            json_schema_input_schema=stored_schema,
        )


@dataclass(frozen=True)
class StoredName:
    """Store a field under a name of its own, which only documents have.

    Parameters:
        name: The name in documents. Aliases of pydantic stay the names of the field in JSON.

    Raises:
        ConfigurationError: MongoDB or Loom reads the name as something else.

    Example:
        >>> from typing import Annotated
        >>> Version = Annotated[int, StoredName("v")]
    """

    name: str

    def __post_init__(self) -> None:
        if not self.name or "." in self.name or "\0" in self.name or self.name.startswith("$"):
            raise ConfigurationError(
                f"{self.name!r} cannot be the name of a stored field",
                hint="use a name without dots that does not begin with $",
            )
