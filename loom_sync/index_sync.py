# Generated from loom_async/index_sync.py by `nox -s sync`: edit that file, not this one.
"""Declared indexes brought in step with those of the collection, when asked."""

from __future__ import annotations

from collections.abc import Sequence

from loom_async._core.driver_errors import Translated
from loom_async._core.model.index_plan import IndexDifference, IndexSpec, specify
from loom_async._core.model.metadata import declaration_of

from .creation import create
from .database import collection_of
from .indexes import compare_indexes, create_indexes


def sync_indexes(model: type, *, drop: bool) -> IndexDifference:
    """Make the declared indexes; with `drop`, also replace changed and remove undeclared ones."""
    collection = collection_of(model, indexed=False)
    found = compare_indexes(model, collection, specify(model, declaration_of(model).indexes))
    changed = tuple(spec.name for spec, _ in found.conflicting)
    if not drop:
        create_indexes(model, collection, found.missing)
        return IndexDifference(
            created=_names(found.missing), extra=found.extra, conflicting=changed
        )
    for name in (*found.extra, *(existing for _, existing in found.conflicting)):
        with Translated(f"drop index {name!r} of {model.__name__}"):
            collection.drop_index(name)
    create_indexes(model, collection, (*found.missing, *(spec for spec, _ in found.conflicting)))
    return IndexDifference(created=_names(found.missing), dropped=found.extra, replaced=changed)


def create_collection(model: type) -> bool:
    """Make a model's collection and its indexes; see `PersistableBase.create_collection`."""
    made = create(model, collection_of(model, indexed=False))
    collection_of(model)
    return made


def _names(specs: Sequence[IndexSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in specs)
