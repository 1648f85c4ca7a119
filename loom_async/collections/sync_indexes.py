"""Makes the indexes of a collection match those that its model declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.collections.index_comparison import IndexDifference, IndexSpec, index_specs
from .._core.errors import OperationFailed
from .._core.model.declaration import declaration_of
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import refuse_in_transaction
from ..connection.driver_types import MongoCollection
from .create import create
from .find import collection_of
from .indexes import compare_indexes, create_indexes


async def sync_indexes(model: type, *, drop: bool) -> IndexDifference:
    """Create the declared indexes; with `drop`, also replace changed and drop undeclared ones."""
    refuse_in_transaction(f"the indexes of {model.__name__} cannot be created")
    declared = index_specs(model, declaration_of(model).indexes)
    collection = await collection_of(model, indexed=False)
    comparison = await compare_indexes(model, collection, declared)
    created = _names(comparison.missing)
    extra = tuple(str(index["name"]) for index in comparison.extra)
    changed = [conflict.spec for conflict in comparison.conflicting]
    reasons = {conflict.spec.name: conflict.reason for conflict in comparison.conflicting}
    if not drop:
        await create_indexes(model, collection, comparison.missing)
        return IndexDifference(
            created=created, extra=extra, conflicting=_names(changed), reasons=reasons
        )
    replaced = [conflict.existing for conflict in comparison.conflicting]
    await _replace(
        model,
        collection,
        old=(*comparison.extra, *replaced),
        new=(*comparison.missing, *changed),
    )
    return IndexDifference(
        created=created, dropped=extra, replaced=_names(changed), reasons=reasons
    )


async def create_collection(model: type) -> bool:
    """Create a model's collection and its indexes; see `PersistableBase.create_collection`."""
    is_created = await create(model, await collection_of(model, indexed=False))
    await collection_of(model)
    return is_created


def _names(specs: Sequence[IndexSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in specs)


async def _replace(
    model: type,
    collection: MongoCollection,
    *,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[IndexSpec],
) -> None:
    """Drop indexes and create others; create the old ones again if the new ones are refused."""
    for index in old:
        with TracedCall(f"drop index {index['name']!r} of {model.__name__}"):
            await collection.drop_index(index["name"])
    try:
        await create_indexes(model, collection, new)
    except OperationFailed:
        if old:
            with TracedCall(f"restore the indexes of {model.__name__}"):
                await collection.database.command(
                    "createIndexes", collection.name, indexes=[dict(index) for index in old]
                )
        raise
