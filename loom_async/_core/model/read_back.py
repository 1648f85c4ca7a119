"""Documents that were read back after their updates, which other writers may have changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bson.errors import InvalidBSON

from ..bson_codec import decode_bson, encode_bson
from ..bson_elements import elements
from .diff import as_bytes
from .three_way_merge import with_changes
from .write_plan import Modification


def as_updated(
    plans: Mapping[int, Modification], raws: Iterable[bytes]
) -> dict[int, bytes | Exception]:
    """Return the documents of updates as they are with their own update; an error if unreadable.

    Parameters:
        plans: Updates that have happened, by any keys.
        raws: Their documents, read since; one that was deleted is not there.
    """
    stored: dict[bytes, bytes] = {}
    as_expected = {plan.expected for plan in plans.values()}
    for raw in raws:
        if raw not in as_expected:
            stored[_value_bytes(raw, "_id")] = raw
    return {key: _as_updated(plan, stored) for key, plan in plans.items()}


def _as_updated(plan: Modification, stored: Mapping[bytes, bytes]) -> bytes | Exception:
    raw = stored.get(_value_bytes(as_bytes(plan.id), ""))
    if raw is None:  # it is as expected, or was deleted since
        return plan.expected
    try:
        return encode_bson(with_changes(decode_bson(raw), plan.changes))
    except InvalidBSON as error:
        return error


def _value_bytes(document: bytes, name: str) -> bytes:
    """Return the BSON type and bytes of a value, also where Python cannot hold other values."""
    for key, kind, start, end in elements(document, 0):
        if key == name:
            return bytes([kind]) + document[start:end]
    return b""
