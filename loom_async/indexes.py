"""Indexes: made on first use as declared, compared and changed only when asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, TypeAlias

from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure

from ._core.driver_errors import Translated
from ._core.errors import IndexConflict
from ._core.model.index_plan import Comparison, IndexDifference, IndexSpec, compare, specify
from ._core.model.metadata import declaration_of
from ._core.uri import redacted

Collection: TypeAlias = AsyncCollection[dict[str, Any]]

_log = logging.getLogger("loom")


async def ensure_indexes(model: type, collection: Collection) -> None:
    """Make the declared indexes that are missing; leave every other index as it is.

    Raises:
        IndexConflict: The data of the collection does not allow a declared index.
        UnknownFieldError: An index names a field that the model lacks.
    """
    wanted = specify(model, declaration_of(model).indexes)
    if not wanted:
        return
    found = await _compare(model, collection, wanted)
    await _create(model, collection, found.missing)
    for spec, existing in found.conflicting:
        _log.warning(
            "index %r of %s exists with other keys or options (as %r) and was left alone; "
            "await %s.sync_indexes(drop=True) makes it anew",
            spec.name, model.__name__, existing, model.__name__,
        )  # fmt: skip


async def sync_indexes(model: type, collection: Collection, *, drop: bool) -> IndexDifference:
    """Make the declared indexes; with `drop`, also replace changed and remove undeclared ones."""
    found = await _compare(model, collection, specify(model, declaration_of(model).indexes))
    changed = tuple(spec.name for spec, _ in found.conflicting)
    if not drop:
        await _create(model, collection, found.missing)
        return IndexDifference(
            created=_names(found.missing), extra=found.extra, conflicting=changed
        )
    for name in (*found.extra, *(existing for _, existing in found.conflicting)):
        with Translated(f"drop index {name!r} of {model.__name__}"):
            await collection.drop_index(name)
    await _create(model, collection, (*found.missing, *(spec for spec, _ in found.conflicting)))
    return IndexDifference(created=_names(found.missing), dropped=found.extra, replaced=changed)


def _names(specs: Sequence[IndexSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in specs)


async def _compare(model: type, collection: Collection, wanted: Sequence[IndexSpec]) -> Comparison:
    with Translated(f"list the indexes of {model.__name__}"):
        existing = await (await collection.list_indexes()).to_list()
    return compare(wanted, existing)


async def _create(model: type, collection: Collection, specs: Sequence[IndexSpec]) -> None:
    if not specs:
        return
    models = [IndexModel(list(spec.keys), name=spec.name, **spec.options) for spec in specs]
    with Translated(f"create the indexes of {model.__name__}"):
        try:
            await collection.create_indexes(models)
        except OperationFailure as error:
            if error.code not in (11000, 85, 86, 67):
                raise
            text = redacted(str(error).split(", full error:")[0])
            raise IndexConflict(
                f"{model.__name__}: the indexes {', '.join(_names(specs))} cannot be made: {text}",
                code=error.code,
                hint="mend the documents or the declaration, then try again",
            ) from error
