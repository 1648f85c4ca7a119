"""Indexes: made on first use as declared, and left alone where they exist."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pymongo import IndexModel
from pymongo.errors import OperationFailure

from .._core.collections.index_plan import Comparison, IndexSpec, compare, specify
from .._core.errors import IndexConflict
from .._core.model.declaration import declaration_of
from .._core.traced_call import TracedCall
from .._core.uri import redacted
from ..connection.driver_types import MongoCollection

_DUPLICATE_KEY = 11000
# Also: another index of this name or these keys, and an index that cannot be, as a unique hash.
_CONFLICTS = (_DUPLICATE_KEY, 85, 86, 67)

_log = logging.getLogger("loom")


async def ensure_indexes(model: type, collection: MongoCollection) -> None:
    """Make the declared indexes that are missing; leave every other index as it is.

    Raises:
        IndexConflict: The data of the collection does not allow a declared index.
        UnknownFieldError: An index names a field that the model lacks.
    """
    wanted = specify(model, declaration_of(model).indexes)
    if not wanted:
        return
    found = await compare_indexes(model, collection, wanted)
    await create_indexes(model, collection, found.missing)
    for conflict in found.conflicting:
        _log.warning(
            "index %r of %s exists otherwise (as %r) and was left alone: %s; "
            "await %s.sync_indexes(drop=True) makes it anew",
            conflict.spec.name, model.__name__, conflict.existing["name"], conflict.reason,
            model.__name__,
        )  # fmt: skip


async def compare_indexes(
    model: type, collection: MongoCollection, wanted: Sequence[IndexSpec]
) -> Comparison:
    """Return how the wanted indexes and those of the collection differ."""
    with TracedCall(f"list the indexes of {model.__name__}"):
        existing = await (await collection.list_indexes()).to_list()
    return compare(wanted, existing)


async def create_indexes(
    model: type, collection: MongoCollection, specs: Sequence[IndexSpec]
) -> None:
    """Make indexes in one command.

    Raises:
        IndexConflict: The data of the collection does not allow one of them.
    """
    if not specs:
        return
    models = [IndexModel(list(spec.keys), name=spec.name, **spec.options) for spec in specs]
    with TracedCall(f"create the indexes of {model.__name__}"):
        try:
            await collection.create_indexes(models)
        except OperationFailure as error:
            if error.code not in _CONFLICTS:
                raise
            raise _conflict(model, specs, error) from error


def _conflict(model: type, specs: Sequence[IndexSpec], error: OperationFailure) -> IndexConflict:
    names = ", ".join(spec.name for spec in specs)
    details = error.details or {}
    if error.code == _DUPLICATE_KEY and (key := details.get("keyValue")):
        values = ", ".join(f"{name}={value!r}" for name, value in key.items())
        keys = list(details.get("keyPattern", key))
        names = next((spec.name for spec in specs if [k for k, _ in spec.keys] == keys), names)
        return IndexConflict(
            f"{model.__name__}: the unique index {names} cannot be made: several documents have "
            f"{values}",
            code=error.code,
            hint="change or remove all of these documents but one, then try again",
        )
    text = redacted(str(error).split(", full error:")[0])
    return IndexConflict(
        f"{model.__name__}: the indexes {names} cannot be made: {text}",
        code=error.code,
        hint="mend the documents or the declaration, then try again",
    )
