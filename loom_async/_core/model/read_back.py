"""Documents that are read back after their updates, found by the BSON of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bson.errors import InvalidBSON

from ..bson_codec import decode_bson, encode_bson
from ..bson_elements import elements
from .bson_equality import as_bytes
from .edited_document import edited
from .write_attempt import Modification


def by_id(raws: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return documents by the type and bytes of their ids, decoding none of them."""
    return {_value_bytes(raw, "_id"): raw for raw in raws}


def id_bytes(id: Any) -> bytes:
    """Return the key that `by_id` gives to the document of an id."""
    return _value_bytes(as_bytes(id), "")


def as_updated(plans: Sequence[Modification], raws: Sequence[bytes]) -> list[bytes | Exception]:
    """Return the document of each update as that has left it; an error if it is unreadable.

    Parameters:
        plans: Updates that have happened.
        raws: Their documents, read later: other writers may have changed or deleted some.
    """
    expected = {plan.expected for plan in plans}
    others = by_id(raw for raw in raws if raw not in expected)
    return [_as_updated(plan, others.get(id_bytes(plan.id))) for plan in plans]


def _as_updated(plan: Modification, raw: bytes | None) -> bytes | Exception:
    if raw is None:  # it is as expected, or has been deleted since
        return plan.expected
    try:
        return encode_bson(edited(decode_bson(raw), plan.edits))
    except InvalidBSON as error:
        return error


def _value_bytes(raw: bytes, name: str) -> bytes:
    """Return the BSON type and bytes of a value, even if Python cannot hold the other values."""
    for key, kind, start, end in elements(raw):
        if key == name:
            return bytes([kind]) + raw[start:end]
    return b""
