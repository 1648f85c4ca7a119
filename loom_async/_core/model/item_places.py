"""Recognises the items of an array in a later version of it, by position and by their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from bson import Decimal128, ObjectId

from ..type_guards import is_dict
from .bson_equality import MISSING, as_key, same

# The fields that alone tell which item a document is.
_ID_FIELDS = ("_id", "id")
# Values that are rarely equal by chance, and those that often are.
_NAMES = (str, ObjectId, UUID, bytes)
_NUMBERS = (int, float, datetime, Decimal128)

_Mark: TypeAlias = tuple[str, Any]


def keeps_order(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Say whether an array has as many items as before, each at its place, though they may differ.

    Example:
        >>> keeps_order([{"n": "a", "k": 1}, {"n": "b", "k": 2}], [{"n": "a", "k": 8}, {"n": "b"}])
        True
        >>> keeps_order([{"n": "a", "k": 1}, {"n": "b", "k": 2}], [{"n": "b", "k": 8}, {"n": "c"}])
        False
    """
    if len(old) != len(new):
        return False
    changed = [(one, other) for one, other in zip(old, new, strict=True) if one != other]
    if len(changed) > 1 and _have_names(changed):
        return True
    return all(index == place for index, place in enumerate(places(old, new)))


def _have_names(changed: Sequence[tuple[Any, Any]]) -> bool:
    """Say whether a text or id of each item is the same as before, and no other item has it.

    This finds out in a fraction of the time that items are where they were.
    """
    first = changed[0][0]
    for name in first if is_dict(first) else ():
        if isinstance(first[name], _NAMES):
            values = {_shared(one, other, name) for one, other in changed}
            if len(values) == len(changed) and MISSING not in values:
                return True
    return False


def _shared(one: Any, other: Any, name: str) -> Any:
    value = one.get(name) if is_dict(one) else None
    is_same = isinstance(value, _NAMES) and is_dict(other) and other.get(name) == value
    return value if is_same else MISSING


def places(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """Return the position in `new` of each item of `old`; None for an item that is gone.

    An item that is equal at its position stays there. Another is where an equal item is, or where
    its id is, or where most of its values are that no other item has. An item without any such
    evidence stays at its position.
    """
    found: list[int | None] = [
        index if index < len(new) and item == new[index] else None for index, item in enumerate(old)
    ]
    free = [index for index, place in enumerate(found) if place is None]
    if len(free) == 1 and len(old) == len(new):  # nothing else has changed its place
        (index,) = free
        if not _are_told_apart(old[index], new[index]):
            found[index] = index
        return found
    unknown = _place_by_evidence(old, new, found, free)
    if all(place is None or place == index for index, place in enumerate(found)):
        for index in unknown:
            # No item has moved, so that none but this one has the place.
            if index < len(new) and not _are_told_apart(old[index], new[index]):
                found[index] = index
    return found


def _place_by_evidence(
    old: Sequence[Any], new: Sequence[Any], found: list[int | None], free: Sequence[int]
) -> list[int]:
    """Enter the positions that something speaks for, and return the items that nothing speaks for.

    Parameters:
        old: The items.
        new: The later array.
        found: The position of each item, or None.
        free: The indexes of the items that have no position.
    """
    taken = set(found)
    candidates = {place: item for place, item in enumerate(new) if place not in taken}
    evidence = _Evidence((old[index] for index in free), candidates)
    unknown: list[int] = []
    for index in free:
        likely = evidence.places_of(old[index], index)
        if not likely:
            unknown.append(index)
        elif len(likely) == 1 and likely[0] not in taken:
            found[index] = likely[0]
            taken.add(likely[0])
    return unknown


def _id_of(item: Any) -> Any:
    """Return the id of an item; `MISSING` if it has none."""
    ids = (item.get(name) for name in _ID_FIELDS) if is_dict(item) else ()
    return next((id for id in ids if id is not None), MISSING)


def _are_told_apart(left: Any, right: Any) -> bool:
    """Say whether two items have ids that differ."""
    ids = _id_of(left), _id_of(right)
    return MISSING not in ids and not same(*ids)


class _Evidence:
    """Where items may be among candidates, by the values that only one item of each side has.

    Parameters:
        items: The items that are looked for.
        candidates: The items among which they may be, by position.
    """

    def __init__(self, items: Iterable[Any], candidates: dict[int, Any]) -> None:
        self._places: dict[_Mark, list[int]] = {}
        for place, candidate in candidates.items():
            for mark in _marks(candidate):
                self._places.setdefault(mark, []).append(place)
        self._counts = Counter(mark for item in items for mark in _marks(item))

    def places_of(self, item: Any, index: int) -> list[int]:
        """Return the likely positions of an item that was at `index`; none without evidence."""
        equal = self._places.get((_WHOLE, as_key(item)))
        if equal:
            return [index] if index in equal else equal
        own = _id_of(item)
        if own is not MISSING:
            return self._places.get((_ID, as_key(own)), [])
        votes: Counter[int] = Counter()
        for mark, weight in _marks(item).items():
            at = self._places.get(mark, ())
            if weight and len(at) == 1 and self._counts[mark] == 1:
                votes[at[0]] += weight
        most = max(votes.values(), default=0)
        return [place for place, count in votes.items() if count == most]


# The names of the marks for a whole item, and for its id; no field has a name with a null byte.
_WHOLE, _ID = "\0whole", "\0id"


def _marks(item: Any) -> dict[_Mark, int]:
    """Return the values by which an item can be recognised, with the weight of each."""
    marks: dict[_Mark, int] = {(_WHOLE, as_key(item)): 0}
    if not is_dict(item):
        return marks
    own = _id_of(item)
    if own is not MISSING:
        marks[_ID, as_key(own)] = 0
    for name, value in item.items():
        if isinstance(value, _NAMES):
            marks[name, value] = 2
        elif isinstance(value, _NUMBERS) and not isinstance(value, bool):
            marks[name, as_key(value)] = 1
    return marks
