# Generated from loom_async/indexes.py by `nox -s sync`: edit that file, not this one.
"""Indexes: made on first use as declared, and left alone where they exist."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pymongo import IndexModel
from pymongo.errors import OperationFailure

from loom_async._core.driver_errors import Translated
from loom_async._core.errors import IndexConflict
from loom_async._core.model.index_plan import Comparison, IndexSpec, compare, specify
from loom_async._core.model.metadata import declaration_of
from loom_async._core.uri import redacted

from .clients import MongoCollection

_log = logging.getLogger("loom")


def ensure_indexes(model: type, collection: MongoCollection) -> None:
    """Make the declared indexes that are missing; leave every other index as it is.

    Raises:
        IndexConflict: The data of the collection does not allow a declared index.
        UnknownFieldError: An index names a field that the model lacks.
    """
    wanted = specify(model, declaration_of(model).indexes)
    if not wanted:
        return
    found = compare_indexes(model, collection, wanted)
    create_indexes(model, collection, found.missing)
    for spec, existing in found.conflicting:
        _log.warning(
            "index %r of %s exists with other keys or options (as %r) and was left alone; "
            "%s.sync_indexes(drop=True) makes it anew",
            spec.name, model.__name__, existing, model.__name__,
        )  # fmt: skip


def compare_indexes(
    model: type, collection: MongoCollection, wanted: Sequence[IndexSpec]
) -> Comparison:
    """Return how the wanted indexes and those of the collection differ."""
    with Translated(f"list the indexes of {model.__name__}"):
        existing = collection.list_indexes().to_list()
    return compare(wanted, existing)


def create_indexes(model: type, collection: MongoCollection, specs: Sequence[IndexSpec]) -> None:
    """Make indexes in one command.

    Raises:
        IndexConflict: The data of the collection does not allow one of them.
    """
    if not specs:
        return
    models = [IndexModel(list(spec.keys), name=spec.name, **spec.options) for spec in specs]
    with Translated(f"create the indexes of {model.__name__}"):
        try:
            collection.create_indexes(models)
        except OperationFailure as error:
            if error.code not in (11000, 85, 86, 67):
                raise
            names = ", ".join(spec.name for spec in specs)
            text = redacted(str(error).split(", full error:")[0])
            raise IndexConflict(
                f"{model.__name__}: the indexes {names} cannot be made: {text}",
                code=error.code,
                hint="mend the documents or the declaration, then try again",
            ) from error
