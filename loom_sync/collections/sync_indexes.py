# Generated from loom_async/collections/sync_indexes.py by `nox -s sync`: edit that file.
"""Declared indexes brought in step with those of the collection, when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom_async._core.collections.index_plan import IndexDifference, IndexSpec, specify
from loom_async._core.errors import OperationFailed
from loom_async._core.model.declaration import declaration_of
from loom_async._core.traced_call import TracedCall
from loom_async._core.transactions.transaction_state import refuse_in_transaction

from ..connection.driver_types import MongoCollection
from .create import create
from .find import collection_of
from .indexes import compare_indexes, create_indexes


def sync_indexes(model: type, *, drop: bool) -> IndexDifference:
    """Make the declared indexes; with `drop`, also replace changed and remove undeclared ones."""
    refuse_in_transaction(f"the indexes of {model.__name__} cannot be made")
    wanted = specify(model, declaration_of(model).indexes)
    collection = collection_of(model, indexed=False)
    found = compare_indexes(model, collection, wanted)
    created = _names(found.missing)
    extra = tuple(str(index["name"]) for index in found.extra)
    changed = [conflict.spec for conflict in found.conflicting]
    reasons = {conflict.spec.name: conflict.reason for conflict in found.conflicting}
    if not drop:
        create_indexes(model, collection, found.missing)
        return IndexDifference(
            created=created, extra=extra, conflicting=_names(changed), reasons=reasons
        )
    replaced = [conflict.existing for conflict in found.conflicting]
    _exchange(model, collection, old=(*found.extra, *replaced), new=(*found.missing, *changed))
    return IndexDifference(
        created=created, dropped=extra, replaced=_names(changed), reasons=reasons
    )


def create_collection(model: type) -> bool:
    """Make a model's collection and its indexes; see `PersistableBase.create_collection`."""
    made = create(model, collection_of(model, indexed=False))
    collection_of(model)
    return made


def _names(specs: Sequence[IndexSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in specs)


def _exchange(
    model: type,
    collection: MongoCollection,
    *,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[IndexSpec],
) -> None:
    """Drop indexes and make others; the old ones are made again if the new ones are refused."""
    for index in old:
        with TracedCall(f"drop index {index['name']!r} of {model.__name__}"):
            collection.drop_index(index["name"])
    try:
        create_indexes(model, collection, new)
    except OperationFailed:
        if old:
            with TracedCall(f"make the indexes of {model.__name__} again"):
                collection.database.command(
                    "createIndexes", collection.name, indexes=[dict(index) for index in old]
                )
        raise
