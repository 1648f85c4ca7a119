"""Documents encoded as BSON, with errors that name the path of a value that does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..bson_codec import BSON_LIMITS, UNENCODABLE, encode_bson, encoding_reason
from ..errors import EncodingError
from ..type_guards import is_dict, is_list

# MongoDB manual, "MongoDB Limits and Thresholds": a document has 16 mebibytes at most.
_LARGEST = 16 * 1024 * 1024
_HINT = "a BlobModel holds bytes of any length beside its document"


def encode_document(document: dict[str, Any]) -> bytes:
    """Return the BSON bytes of an encoded document.

    Raises:
        EncodingError: A value does not fit BSON, and `path` says where it is; or the document is
            larger than MongoDB allows.
    """
    try:
        raw = encode_bson(document)
    except UNENCODABLE as error:
        raise located(document, error) from error
    if len(raw) > _LARGEST:
        raise EncodingError(
            f"a document of {len(raw):,} bytes; MongoDB holds 16 MB", path="", hint=_HINT
        )
    return raw


def located(document: dict[str, Any], error: BaseException) -> EncodingError:
    """Return the error for a driver's error, with the path of the value that caused it."""
    path = _find_unencodable(document)
    return EncodingError(encoding_reason(error), path=path, hint=BSON_LIMITS)


def _find_unencodable(value: dict[str, Any] | list[Any]) -> str:
    entries: Iterable[tuple[Any, Any]]
    entries = value.items() if is_dict(value) else enumerate(value)
    for key, item in entries:
        try:
            encode_bson({str(key): item})
        except Exception:  # whatever the error, this entry caused it
            below = _find_unencodable(item) if is_dict(item) or is_list(item) else ""
            return f"{key}.{below}" if below else str(key)
    return ""
