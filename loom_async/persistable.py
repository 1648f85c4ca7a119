"""Persistable models: one document in, one document out, and only changes go over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, cast

from bson.raw_bson import RawBSONDocument
from pydantic import Field

from . import _seam, bulk, indexes
from ._core.driver_errors import Translated
from ._core.errors import DocumentNotFound
from ._core.model.document import DocumentModel, hydrator, set_baseline
from ._core.model.fields import TimeInserted, TimeUpdated
from ._core.model.identity import parse_id, stored_id
from ._core.model.index_plan import IndexDifference
from ._core.model.markers import now
from ._core.model.plan import (
    Insertion,
    Modification,
    absorb_document,
    absorb_insertion,
    absorb_modification,
    plan_persist,
)
from ._core.model.results import PersistResult
from ._core.query.condition import Condition
from ._core.query.stages import AggregationStages
from .aggregation import Aggregation
from .database import collection_of
from .directive import LoadDirective, query_of
from .writes import update_and_fetch


class PersistableBase(DocumentModel):
    """A pydantic model with an `id` whose objects live in a MongoDB collection.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("my_app", "tags")
        ... class Tag(lm.PersistableBase):
        ...     name: str
        >>> async def main() -> None:
        ...     await Tag(name="new").persist()
    """

    async def persist(self) -> bool:
        """Make the database hold this object as it is now, by one call or, if it does, by none.

        A new object is inserted whole. A loaded one sends the smallest update of what changed;
        afterwards it holds what the server has, so also what others changed meanwhile.

        Returns:
            True if something was written.

        Raises:
            DocumentNotFound: The object was loaded and its document has been deleted since.
            DuplicateKey: A unique index has another document with this value.
            EncodingError: A value cannot be stored; nothing was sent.

        Example:
            >>> import loom_async as lm
            >>> async def rename(user: lm.Persistable) -> None:
            ...     if await user.persist():
            ...         print("written")
        """
        async with _seam.exclusively(self):
            plan = plan_persist(self, now())
            if plan is None:
                return False
            if isinstance(plan, Insertion):
                await _insert(self, plan)
            else:
                await _modify(self, plan)
        return True

    async def reload(self) -> Self:
        """Make this object hold what the database has, local edits given up.

        Returns:
            The object itself.

        Raises:
            DocumentNotFound: The document is not in the collection.
        """
        async with _seam.exclusively(self):
            name = type(self).__name__
            collection = await collection_of(type(self))
            with Translated(f"reload {name}"):
                found = await collection.find_one({"_id": stored_id(self)})
            if found is None:
                raise _not_found(self)
            absorb_document(self, found)
        return self

    async def delete(self) -> bool:
        """Delete this object's document; the object may be persisted anew afterwards.

        Returns:
            True if there was a document to delete.
        """
        async with _seam.exclusively(self):
            collection = await collection_of(type(self))
            with Translated(f"delete {type(self).__name__}"):
                result = await collection.delete_one({"_id": stored_id(self)})
            set_baseline(self, None)
        return bool(result.deleted_count)

    @classmethod
    async def from_id(cls, id: Any) -> Self | None:
        """Return the object of an id, or None if there is none.

        Parameters:
            id: The id, or text that its type parses: 24 hex digits for an ObjectId.

        Raises:
            InvalidId: This can never be the id of such a document.
            InvalidDocument: The stored document does not fit the model.

        Example:
            >>> import loom_async as lm
            >>> async def find(model: type[lm.Persistable], text: str) -> None:
            ...     print(await model.from_id(text))
        """
        key = parse_id(cls, id)
        collection = await collection_of(cls)
        with Translated(f"load {cls.__name__}"):
            found = await collection.find_one({"_id": key})
        return None if found is None else hydrator(cls).one(found)

    @classmethod
    async def persist_many(cls, documents: Iterable[Self], ordered: bool = False) -> PersistResult:
        """Write new and changed objects in few bulk writes; ids, counters and times come back.

        Parameters:
            documents: Objects of this model; one that is given twice is written once.
            ordered: Stop at the first document that cannot be written; else write all others.

        Returns:
            How many were inserted, updated and unchanged.

        Raises:
            TypeError: An element is no object of this model; nothing was sent.
            BulkError: Some documents were refused; `entries` names each.

        Example:
            >>> import loom_async as lm
            >>> async def store(model: type[lm.Persistable], rows: list[lm.Persistable]) -> None:
            ...     print(await model.persist_many(rows))
        """
        return await bulk.persist_many(cls, documents, ordered=ordered)

    @classmethod
    def filter(cls, *conditions: Condition[Self]) -> LoadDirective[Self]:
        """Return a query for the documents that meet all conditions; nothing is sent yet.

        Parameters:
            *conditions: `fld["age"] > 25`, or `lambda u: u.age > 25`.

        Raises:
            UnknownFieldError: A condition names a field that the model lacks.
            QueryError: A condition is not one.

        Example:
            >>> import loom_async as lm
            >>> class User(lm.Persistable):
            ...     age: int
            >>> adults = User.filter(lm.fld["age"] >= 18)
        """
        return query_of(cls).filter(*conditions)

    @classmethod
    def agg(cls, stages: AggregationStages) -> Aggregation[dict[str, Any]]:
        """Return an aggregation over the whole collection; its rows are dicts.

        Parameters:
            stages: The pipeline.
        """
        return query_of(cls).agg(stages)

    @classmethod
    async def sync_indexes(cls, drop: bool = False) -> IndexDifference:
        """Make the declared indexes that are missing and return the difference.

        Parameters:
            drop: Also remove undeclared indexes and make changed ones anew.

        Raises:
            IndexConflict: The data of the collection does not allow a declared index.
        """
        collection = await collection_of(cls, indexed=False)
        return await indexes.sync_indexes(cls, collection, drop=drop)


class Persistable(PersistableBase):
    """A `PersistableBase` that knows when it was inserted and last written, in UTC.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     name: str
    """

    # None until the first persist; typed as what they are from then on.
    created_at: TimeInserted = Field(default=cast("Any", None))
    updated_time: TimeUpdated = Field(default=cast("Any", None))


async def _insert(document: PersistableBase, plan: Insertion) -> None:
    model = type(document)
    # Encoded once: pymongo passes the bytes on, though its types know only its own documents here.
    raw: Any = RawBSONDocument(plan.raw)
    collection = await collection_of(model)
    with Translated(f"persist {model.__name__}"):
        if plan.replace:
            await collection.replace_one({"_id": plan.id}, raw, upsert=True)
        else:
            await collection.insert_one(raw)
    absorb_insertion(document, plan)


async def _modify(document: PersistableBase, plan: Modification) -> None:
    model = type(document)
    collection = await collection_of(model)
    with Translated(f"persist {model.__name__}"):
        found = await update_and_fetch(collection, plan.id, plan.update)
    if found is None:
        raise _not_found(document)
    absorb_modification(document, plan, found)


def _not_found(document: PersistableBase) -> DocumentNotFound:
    return DocumentNotFound(
        f"{type(document).__name__} {document.id!r} is not in its collection",
        id=document.id,
        hint="it has been deleted; to store it again, persist a model_copy without its past: "
        "Model(**document.model_dump())",
    )
