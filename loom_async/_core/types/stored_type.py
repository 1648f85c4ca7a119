"""What Loom knows of one Python type: the form of an entry in the registry."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple


class Kind(Enum):
    """What a value of a type consists of."""

    SCALAR = auto()
    #: A scalar of a type that BSON lacks, stored as a text that pydantic validates as the value.
    TEXT = auto()
    ENUM = auto()
    ARRAY = auto()
    SET = auto()
    MAPPING = auto()
    RECORD = auto()
    MODEL = auto()


class StoredType(NamedTuple):
    """All that Loom knows of one Python type, or of a few that are stored alike.

    Parameters:
        classes: The classes; subclasses are stored like them.
        bson: The BSON types of the stored values, by MongoDB's names (`$type`).
        stored: How values are stored, for the documentation.
        kind: What a value consists of.
        encode: Returns the stored form of a value; None if that is the value itself.
        decode: Returns what pydantic validates, from a stored value; None if that is the value.
        normalises: Whether a stored value may differ from the value that was encoded.
        is_ordered: Whether MongoDB orders the stored values as Python orders the values.
        arrow: The name of the Arrow type of a column; None if the type is inferred from the data.
        fits_column: Whether an Arrow type holds the values; if not, loading a table refuses them.
        schema: The BSON types that a validator accepts; by default those of `bson`. Empty if a
            validator accepts everything.
        limits: The kind of limits that pydantic's constraints become in a validator; None if they
            cannot be expressed.
        key: Returns the text of a value that is a key of a dict.
    """

    classes: tuple[type, ...]
    bson: tuple[str, ...]
    stored: str
    kind: Kind = Kind.SCALAR
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    normalises: bool = False
    is_ordered: bool = False
    arrow: str | None = None
    fits_column: bool = True
    schema: tuple[str, ...] | None = None
    limits: str | None = None
    key: Callable[[Any], str] = str
