"""Documents into BSON bytes, with errors that say which value does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bson.errors import InvalidBSON
from bson.errors import InvalidDocument as UnencodableDocument

from ..errors import EncodingError
from ..typing import is_dict, is_list
from .values import encode_bson

#: What the driver raises for a value that BSON does not have.
UNENCODABLE = (UnencodableDocument, InvalidBSON, OverflowError, UnicodeError)


def encode_document(document: dict[str, Any]) -> bytes:
    """Return the BSON bytes of an encoded document.

    Raises:
        EncodingError: A value does not fit BSON; `path` says where it is.
    """
    try:
        return encode_bson(document)
    except UNENCODABLE as error:
        raise located(document, error) from error


def located(document: dict[str, Any], error: BaseException) -> EncodingError:
    """Return the error that says where in a document the driver's has come from."""
    path = _find_unencodable(document)
    return EncodingError(
        str(error),
        path=path,
        hint="MongoDB holds integers of 64 bits, strings of valid Unicode and keys without NUL",
    )


def _find_unencodable(value: dict[str, Any] | list[Any]) -> str:
    entries: Iterable[tuple[Any, Any]]
    entries = value.items() if is_dict(value) else enumerate(value)
    for key, item in entries:
        try:
            encode_bson({str(key): item})
        except Exception:  # any failure at all marks the entry that is being looked for
            below = _find_unencodable(item) if is_dict(item) or is_list(item) else ""
            return f"{key}.{below}" if below else str(key)
    return ""
