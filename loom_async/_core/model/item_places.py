"""Recognises the items of an array in a later version of it, by position and by their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..type_guards import is_dict
from .bson_equality import MISSING, as_bytes, same

# The fields that alone tell which item a document is.
_ID_FIELDS = ("_id", "id")
# How much an equal value says: text is rarely equal by chance, a number often is.
_NO_EVIDENCE = (bool, type(None), list, dict)
_WEAK_EVIDENCE = (int, float)


def keeps_order(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Say whether an array has as many items as before, each at its place, though they may differ.

    Example:
        >>> keeps_order([{"n": "a", "k": 1}, {"n": "b", "k": 2}], [{"n": "a", "k": 8}, {"n": "b"}])
        True
        >>> keeps_order([{"n": "a", "k": 1}, {"n": "b", "k": 2}], [{"n": "b", "k": 8}, {"n": "c"}])
        False
    """
    return len(old) == len(new) and all(i == place for i, place in enumerate(places(old, new)))


def places(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """Return the position in `new` of each item of `old`; None for an item that is gone.

    An item that is equal at its position stays there. Another is where an equal item is, or where
    its id is, or where most of its values are that no other item has. An item without any such
    evidence stays at its position.
    """
    found: list[int | None] = [
        index if index < len(new) and same(item, new[index]) else None
        for index, item in enumerate(old)
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
        self._places: dict[tuple[str, bytes], list[int]] = {}
        for place, candidate in candidates.items():
            for mark in _marks(candidate):
                self._places.setdefault(mark, []).append(place)
        self._counts = Counter(mark for item in items for mark in _marks(item))

    def places_of(self, item: Any, index: int) -> list[int]:
        """Return the likely positions of an item that was at `index`; none without evidence."""
        equal = self._places.get((_WHOLE, as_bytes(item)))
        if equal:
            return [index] if index in equal else equal
        own = _id_of(item)
        if own is not MISSING:
            return self._places.get((_ID, as_bytes(own)), [])
        votes: Counter[int] = Counter()
        for mark, weight in _marks(item).items():
            at = self._places.get(mark, ())
            if weight and len(at) == 1 and self._counts[mark] == 1:
                votes[at[0]] += weight
        most = max(votes.values(), default=0)
        return [place for place, count in votes.items() if count == most]


# The names of marks, which no field has: for the whole item, for its id.
_WHOLE, _ID = " whole", " id"


def _marks(item: Any) -> dict[tuple[str, bytes], int]:
    """Return the values by which an item can be recognised, with the weight of each."""
    marks = {(_WHOLE, as_bytes(item)): 0}
    if not is_dict(item):
        return marks
    own = _id_of(item)
    if own is not MISSING:
        marks[_ID, as_bytes(own)] = 0
    for name, value in item.items():
        if not isinstance(value, _NO_EVIDENCE):
            weight = 1 if isinstance(value, _WEAK_EVIDENCE) else 2
            marks[f".{name}", as_bytes(value)] = weight
    return marks
