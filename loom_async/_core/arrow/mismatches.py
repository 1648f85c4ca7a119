"""Values that the type of their column cannot hold exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from uuid import UUID

from ..errors import LossyConversion
from ..types.values import bson_type_of

OnMismatch: TypeAlias = Literal["raise", "widen", "null"]


@dataclass
class Mismatch:
    """The values at one path that do not fit its type.

    Parameters:
        wanted: The Arrow type.
        types: The BSON types of the values by MongoDB's names, each with one value.
        row: The index of the first document with such a value.
        count: How many values do not fit.
    """

    wanted: Any
    types: dict[str, Any] = field(default_factory=dict[str, Any])
    row: int = 0
    count: int = 0

    def add(self, value: Any) -> None:
        """Count a value of the first document, or of a later one."""
        self.types.setdefault(bson_type_name(value), value)
        self.count += 1

    def __add__(self, other: Mismatch) -> Mismatch:
        types = {**other.types, **self.types}
        return Mismatch(self.wanted, types, min(self.row, other.row), self.count + other.count)


def bson_type_name(value: Any) -> str:
    """Return MongoDB's name of the BSON type of a decoded value."""
    if isinstance(value, UUID):
        return "binData (UUID)"
    return bson_type_of(value) or type(value).__name__


def lossy_conversion(
    mismatches: Mapping[str, Mismatch], documents: Sequence[Mapping[str, Any]]
) -> LossyConversion:
    """Return the error that names the first mismatch of a batch.

    Parameters:
        mismatches: The mismatches by path.
        documents: The documents of the batch.
    """
    path, first = min(mismatches.items(), key=lambda item: item[1].row)
    types = sorted(first.types)
    others = sorted(set(mismatches) - {path})
    more = f"; values of {', '.join(others)} do not fit either" if others else ""
    id = documents[first.row].get("_id")
    values = ", ".join(f"{value!r:.60}" for value in first.types.values())
    return LossyConversion(
        f"{path} holds {' and '.join(types)} ({values}) that a column of {first.wanted} cannot "
        f"hold exactly: {first.count} in this batch, first in the document of _id {id!r}{more}",
        field=path,
        types=types,
        id=id,
        hint='on_mismatch="widen" gives the column a type that holds both, "null" leaves such '
        "values out and counts them; get_arrow_schema() can return another type",
    )
