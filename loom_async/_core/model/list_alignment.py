"""Which items of an old list are still there in a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..bson_codec import UNENCODABLE
from ..errors import EncodingError
from ..types.values import to_bson
from .bson_equality import as_bytes


def by_position(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """Return the old index of each new item, for lists in which no item has moved."""
    return list(range(len(new))) if len(old) == len(new) else by_content(old, new)


def by_content(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """Return the old index of each new item; None for an item that was not there.

    An item is the same if its content is; else if it stands beside the same item as before, as
    its content may have been changed.
    """
    found: list[int | None] = [None] * len(new)
    keys, new_keys = [_content(item) for item in old], [_content(item) for item in new]
    places: defaultdict[bytes | None, list[int]] = defaultdict(list)
    for index in reversed(range(len(old))):
        if index < len(new) and keys[index] == new_keys[index] is not None:
            found[index] = index
        else:
            places[keys[index]].append(index)
    places.pop(None, None)
    for index, key in enumerate(new_keys):
        if found[index] is None and places.get(key):
            found[index] = places[key].pop()
    return _with_neighbours(found, len(old))


def _with_neighbours(found: list[int | None], count: int) -> list[int | None]:
    """Add the old indexes of items that stand beside the same item as before."""
    # The ends of the lists are neighbours too.
    known: list[int | None] = [-1, *found, count]
    unused = set(range(count)).difference(found)
    for steps, step in ((range(1, len(known) - 1), 1), (range(len(known) - 2, 0, -1), -1)):
        for index in steps:
            neighbour = known[index - step]
            if known[index] is None and neighbour is not None and neighbour + step in unused:
                known[index] = neighbour + step
                unused.discard(neighbour + step)
    return known[1:-1]


def _content(item: Any) -> bytes | None:
    """Return the BSON of an item; None if BSON has no form for it."""
    try:
        return as_bytes(to_bson(item))
    except (EncodingError, *UNENCODABLE):
        return None
