"""Loads the earlier versions of an object from a ledger."""

from __future__ import annotations

from typing import TypeVar

from .._core.model.document import DocumentModel
from .._core.query.fields import fld
from .load_directive import query_of

D = TypeVar("D", bound=DocumentModel)


async def versions_before(document: D, lineage: object) -> list[D]:
    """Return the versions recorded before an object; see `LedgerModel.history`."""
    model: type[D] = type(document)
    query = query_of(model).filter(fld["lineage"] == lineage).sort("recorded_at", "id")
    versions = await query.load_many()
    before: list[D] = []
    for version in versions:
        if version.id == document.id:
            break
        before.append(version)
    return before
