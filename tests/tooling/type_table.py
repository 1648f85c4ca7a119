"""The table of types in docs/models.md: `python -m tests.tooling.type_table` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from loom_async._core.types.registry import NAMED_TUPLE, RECORD, TYPES
from loom_async._core.types.stored_type import Kind, StoredType

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
BEGIN, END = "<!-- types: begin -->\n", "<!-- types: end -->\n"
_HEAD = "| Python | stored as | ordered as in Python | column of a table |\n|---|---|---|---|\n"
_SCALARS = (Kind.SCALAR, Kind.TEXT)
_NAMES = {
    "BaseModel": "nested models",
    "Enum": "members of an `Enum`",
    "NoneType": "`None`",
    "Pattern": "`re.Pattern`",
}


ALL = (*TYPES, RECORD, NAMED_TUPLE)


def table() -> str:
    """Return the table in Markdown."""
    return _HEAD + "".join(f"| {' | '.join(_row(entry))} |\n" for entry in ALL)


def _row(entry: StoredType) -> Iterator[str]:
    names = [_NAMES.get(kind.__name__, f"`{kind.__name__}`") for kind in entry.classes]
    unnamed = "`NamedTuple`" if entry is NAMED_TUPLE else "dataclasses, `TypedDict`"
    yield ", ".join(names) or unnamed
    yield entry.stored
    yield ("yes" if entry.is_ordered else "no") if entry.kind in _SCALARS else ""
    column = _COLUMNS.get(entry.kind) or entry.arrow or "inferred from the data"
    yield column if entry.fits_column else "none: `LossyConversion`"


_COLUMNS = {
    Kind.MODEL: "struct",
    Kind.ENUM: "that of its values",
    Kind.ARRAY: "list; its items have one type",
    Kind.SET: "list; its items have one type",
    Kind.MAPPING: "map",
    Kind.RECORD: "inferred from the data",
}


def written(page: str) -> str:
    """Return a page with the table between its markers."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
