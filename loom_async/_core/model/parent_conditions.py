"""Updates of a part of a document, on the condition that the rest of its path is there.

MongoDB makes what is missing on a dotted path: an update of `address.city` gives a document without
an address the address `{"city": …}`, which the model may not accept. So each update names the
parents that it needs. Where one is missing, the update is made anew and sends that parent whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import OperationFailed
from ..server_codes import PATH_NOT_VIABLE
from ..type_guards import is_dict
from .diff import MISSING, Change, Path, Set, Unset
from .update_document import field_expression, is_dotted

_OBJECT = {"$type": "object"}


def parents_of(changes: Iterable[Change]) -> dict[str, Any]:
    """Return the condition that the parents of all changed paths are documents."""
    condition: dict[str, Any] = {}
    odd: list[Any] = []
    for parent in dict.fromkeys(change.path[:-1] for change in changes if len(change.path) > 1):
        if is_dotted(parent):
            condition[".".join(parent)] = _OBJECT
        else:
            odd.append({"$eq": [{"$type": field_expression(parent)}, "object"]})
    if odd:
        condition["$expr"] = {"$and": odd}
    return condition


def with_parents(
    changes: Sequence[Change], after: Mapping[str, Any], stored: Mapping[str, Any]
) -> list[Change]:
    """Return changes that do the same to a document in which some of their parents are missing.

    Parameters:
        changes: The changes of an update that did not find its parents.
        after: What the model encodes to.
        stored: The document as it is now.

    Raises:
        OperationFailed: A parent is there, and no document any more.
    """
    made: dict[Path, Change] = {}
    for change in changes:
        missing = _first_missing(change.path, stored)
        if missing is None:
            made[change.path] = change
        elif not isinstance(change, Unset):
            made[missing] = Set(missing, value_at(after, missing))
    return list(made.values())


def _first_missing(path: Path, stored: Mapping[str, Any]) -> Path | None:
    for length in range(1, len(path)):
        value = value_at(stored, path[:length])
        if value is MISSING:
            return path[:length]
        if not is_dict(value):
            raise OperationFailed(
                f"{'.'.join(path)!r} cannot be changed: {'.'.join(path[:length])!r} is "
                f"{value!r} by now",
                code=PATH_NOT_VIABLE,
                hint="another writer changed the parent of this field; reload and try again",
            )
    return None


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path; `MISSING` if there is none."""
    value: Any = document
    for key in path:
        if not is_dict(value) or key not in value:
            return MISSING
        value = value[key]
    return value
