# Generated from loom_async/collections/indexes.py by `nox -s sync`: edit that file.
"""Creates declared indexes on first use; changes no index that exists."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pymongo import IndexModel
from pymongo.errors import OperationFailure

from loom_async._core.collections.index_comparison import (
    Comparison,
    IndexSpec,
    compare,
    index_specs,
)
from loom_async._core.errors import IndexConflict
from loom_async._core.model.declaration import declaration_of
from loom_async._core.server_codes import DUPLICATE_KEY, INDEX_REFUSALS
from loom_async._core.traced_call import TracedCall
from loom_async._core.uri import redacted

from ..connection.driver_types import MongoCollection

_log = logging.getLogger("loom")


def ensure_indexes(model: type, collection: MongoCollection) -> None:
    """Create the declared indexes that are missing; change no other index.

    Raises:
        IndexConflict: The data does not allow a declared index.
        UnknownFieldError: An index names a field that the model lacks.
    """
    declared = index_specs(model, declaration_of(model).indexes)
    if not declared:
        return
    comparison = compare_indexes(model, collection, declared)
    create_indexes(model, collection, comparison.missing)
    for conflict in comparison.conflicting:
        _log.warning(
            "index %r of %s exists in another form (as %r) and was not changed: %s; "
            "%s.sync_indexes(drop=True) replaces it",
            conflict.spec.name, model.__name__, conflict.existing["name"], conflict.reason,
            model.__name__,
        )  # fmt: skip


def compare_indexes(
    model: type, collection: MongoCollection, declared: Sequence[IndexSpec]
) -> Comparison:
    """Return how the declared indexes and those of the collection differ."""
    with TracedCall(f"list the indexes of {model.__name__}"):
        existing = collection.list_indexes().to_list()
    return compare(declared, existing)


def create_indexes(model: type, collection: MongoCollection, specs: Sequence[IndexSpec]) -> None:
    """Create indexes by one command.

    Raises:
        IndexConflict: The data, or another index, does not allow one of them.
    """
    if not specs:
        return
    models = [IndexModel(list(spec.keys), name=spec.name, **spec.options) for spec in specs]
    with TracedCall(f"create the indexes of {model.__name__}"):
        try:
            collection.create_indexes(models)
        except OperationFailure as error:
            if error.code not in INDEX_REFUSALS:
                raise
            raise _conflict(model, specs, error) from error


def _conflict(model: type, specs: Sequence[IndexSpec], error: OperationFailure) -> IndexConflict:
    names = ", ".join(spec.name for spec in specs)
    details = error.details or {}
    if error.code == DUPLICATE_KEY and (key := details.get("keyValue")):
        values = ", ".join(f"{name}={value!r}" for name, value in key.items())
        keys = list(details.get("keyPattern", key))
        names = next((spec.name for spec in specs if [k for k, _ in spec.keys] == keys), names)
        return IndexConflict(
            f"{model.__name__}: the unique index {names} cannot be made: several documents have "
            f"{values}",
            code=error.code,
            hint="change or remove all but one of these documents, then try again",
        )
    text = redacted(str(error).split(", full error:")[0])
    return IndexConflict(
        f"{model.__name__}: the indexes {names} cannot be made: {text}",
        code=error.code,
        hint="mend the documents or the declaration, then try again",
    )
