"""The condition on which an update applies: what it changes a part of is as it was read.

MongoDB creates the missing parents of a dotted path: an update of `address.city` gives a document
without an address the address `{"city": …}`, which the model may not accept. So each update has a
condition on the parents that it needs. An update of `items.1.name` would change another item if
another writer had removed the first, so it has the condition that the array is as it was loaded.

If a document does not meet the condition, it is read, and another update is made (`rebasing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..types.sparse import Sparse, is_left_out
from .bson_equality import MISSING
from .edits import AddToSet, Edit, EditItems, Path, Push, Replace
from .update_document import Update, field_expression, is_dotted

_OBJECT = {"$type": "object"}


def condition_of(
    edits: Iterable[Edit], update: Update, sparse: Sparse | None = None
) -> dict[str, Any]:
    """Return the filter of the documents to which an update applies.

    Parameters:
        edits: The edits.
        update: What they are rendered to. The condition of a pipeline never names a value: the new
            document of an upsert would begin with it (`write_statements.py`).
        sparse: Which fields are left out if they are None. If another writer has made such an
            array None, the server would begin a new one.
    """
    condition: dict[str, Any] = {}
    expressions: list[Any] = []
    seen: set[Path] = {()}
    for edit in edits:
        parent = edit.path[:-1]
        if parent not in seen:
            seen.add(parent)
            if is_dotted(parent):
                condition[".".join(parent)] = _OBJECT
            else:
                expressions.append({"$eq": [{"$type": field_expression(parent)}, "object"]})
        if isinstance(edit, Push | AddToSet) and is_left_out(sparse, edit.path):
            if is_dotted(edit.path):
                condition[".".join(edit.path)] = {"$exists": True}
            else:
                kind = {"$type": field_expression(edit.path)}
                expressions.append({"$ne": [kind, "missing"]})
        if isinstance(edit, EditItems | Replace):
            if is_dotted(edit.path) and not isinstance(update, list):
                condition[".".join(edit.path)] = _as_read(edit.before)
            else:
                expressions.append(_is_as_read(edit))
    if expressions:
        condition["$expr"] = {"$and": expressions}
    return condition


def names_values(edits: Iterable[Edit]) -> bool:
    """Say whether the condition of edits holds values as they were read, such as a whole array."""
    return any(isinstance(edit, EditItems | Replace) for edit in edits)


def _as_read(value: Any) -> dict[str, Any]:
    return {"$exists": False} if value is MISSING else {"$eq": value}


def _is_as_read(edit: EditItems | Replace) -> dict[str, Any]:
    value = field_expression(edit.path)
    if edit.before is MISSING:
        return {"$eq": [{"$type": value}, "missing"]}
    return {"$eq": [value, {"$literal": edit.before}]}
