"""Where an operation goes: a model's collection, and the transaction that it is part of."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from pymongo import ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from . import _seam
from ._core.context import Place, here
from ._core.driver_errors import translate, translated
from ._core.errors import TransactionError
from ._core.model.document import DocumentModel, attempts_of
from ._core.trace import Trace, begun
from .clients import MongoCollection
from .database import collection_at_hand, collection_of
from .transactions import Transaction, session_of

R = TypeVar("R")


class Target:
    """A collection, and the session to name to be part of a transaction; None outside of one."""

    __slots__ = ("collection", "session", "transaction")

    def __init__(
        self,
        collection: MongoCollection,
        transaction: Transaction | None = None,
        session: AsyncClientSession | None = None,
    ) -> None:
        self.collection: MongoCollection = collection
        self.transaction: Transaction | None = transaction
        self.session: AsyncClientSession | None = session

    @property
    def primary(self) -> MongoCollection:
        """The collection as its primary has it: what a write has to know, whatever reads prefer."""
        return at_primary(self.collection)

    def turn(self, action: str, *, reads: bool = False) -> Turn:
        """Return a block for one call of the driver, whose errors leave it as Loom's.

        Parameters:
            action: What is being done, for errors: "persist User".
            reads: Whether nothing is lost if it is cancelled.
        """
        return Turn(self.transaction, action, reads=reads)

    @contextmanager
    def failing(self) -> Generator[None]:
        """Give a block whose errors end the transaction, as those of the server do."""
        try:
            yield
        except Exception as error:
            if self.transaction is not None:
                self.transaction.fail(error)
            raise


class Turn:
    """A block for one call of the driver: one at a time in a transaction."""

    __slots__ = ("_action", "_reads", "_trace", "_transaction")

    def __init__(self, transaction: Transaction | None, action: str, *, reads: bool) -> None:
        self._transaction = transaction
        self._action = action
        self._reads = reads
        self._trace: Trace | None = None

    async def __aenter__(self) -> Self:
        self._trace = begun(self._action)
        transaction = self._transaction
        if transaction is None:
            return self
        await transaction.lock.acquire()
        try:
            transaction.check()
        except TransactionError:
            transaction.lock.release()
            raise
        return self

    def failed(self, error: PyMongoError) -> None:
        """Note an error that does not leave the block: the server has ended the transaction."""
        if self._transaction is not None:
            self._transaction.fail(translate(error, self._action))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        transaction = self._transaction
        if self._trace is not None:
            self._trace.end(error)
        if error is None and transaction is None:
            return
        known = None if error is None else translated(error, self._action)
        if transaction is not None:
            # A write that was cancelled as well: nobody knows what the server has made of it.
            if error is not None and (isinstance(error, Exception) or not self._reads):
                transaction.fail(known or error)
            transaction.lock.release()
        if known is not None:
            raise known from error


async def finish(
    objects: _seam.Exclusively,
    target: Target,
    work: Coroutine[Any, Any, R],
    documents: Sequence[DocumentModel],
) -> R:
    """Await a write to its end; one that its caller does not wait for ends the transaction.

    Parameters:
        objects: The lock of what is written, which is held until then.
        target: Where the write goes.
        work: The write.
        documents: The objects.
    """
    try:
        return await objects.finish(work, lambda: _has_begun(documents))
    except BaseException as error:
        if not isinstance(error, Exception):
            for document in documents:
                for attempt in attempts_of(document):
                    attempt.abandon()
            if target.transaction is not None:
                target.transaction.fail(error)
        raise


def _has_begun(documents: Sequence[DocumentModel]) -> bool:
    attempts = [attempt for document in documents for attempt in attempts_of(document)]
    return not attempts or any(attempt.is_sent for attempt in attempts)


def at_primary(collection: MongoCollection) -> MongoCollection:
    """Return a collection that is read as its primary has it, also what most members lack yet."""
    return collection.with_options(
        read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("local")
    )


async def target_of(model: type, place: Place | None = None) -> Target:
    """Return where a model's operations go.

    Parameters:
        model: A declared model.
        place: Where the operation goes; None for here and now.

    Raises:
        ConfigurationError: The model was not declared, or the server has no transactions.
        TransactionError: The operation cannot be part of the transaction that it is in.
        IndexConflict: The data does not allow a declared index.
    """
    place = place or here()
    state = place.transaction
    if state is None:
        found = collection_at_hand(model, place)
        return Target(await collection_of(model, place) if found is None else found)
    if not isinstance(state, Transaction):
        raise TransactionError(
            "this operation is inside a transaction of the other package",
            hint="each package has clients of its own: use the operations of the package that has "
            "begun it",
        )
    state.check()
    collection = await collection_of(model, place)
    session = await session_of(state, collection.database.client)
    state.namespaces.add((collection.database.name, collection.name))
    return Target(collection, state, session)
