"""Where an operation goes: a model's collection, and the transaction that it is part of."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Self

from pymongo import timeout
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from ._core.context import Place, here
from ._core.driver_errors import translate, translated
from ._core.errors import TransactionError
from ._core.query.spec import QuerySpec
from .clients import MongoCollection
from .database import collection_of
from .transactions import Transaction, session_of

# How long giving something up may wait for a server that is perhaps not there any longer.
KILL_SECONDS = 2.0


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

    def turn(self, action: str, *, reads: bool = False) -> Turn:
        """Return a block for one call of the driver, whose errors leave it as Loom's.

        Parameters:
            action: What is being done, for errors: "persist User".
            reads: Whether nothing is lost if it is cancelled.
        """
        return Turn(self.transaction, action, reads=reads)


class Turn:
    """A block for one call of the driver: one at a time in a transaction."""

    __slots__ = ("_action", "_reads", "_transaction")

    def __init__(self, transaction: Transaction | None, action: str, *, reads: bool) -> None:
        self._transaction = transaction
        self._action = action
        self._reads = reads

    async def __aenter__(self) -> Self:
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
        known = None if error is None else translated(error, self._action)
        transaction = self._transaction
        if transaction is not None:
            # A write that was cancelled as well: nobody knows what the server has made of it.
            if error is not None and (isinstance(error, Exception) or not self._reads):
                transaction.fail(known or error)
            transaction.lock.release()
        if known is not None:
            raise known from error


async def raw_cursor(target: Target, spec: QuerySpec, size: int) -> Any:
    """Return a cursor over the results of a query as raw batches.

    Parameters:
        target: Where to look.
        spec: What to ask.
        size: How many documents a batch has at most.
    """
    if spec.stages:
        return await target.collection.aggregate_raw_batches(
            spec.pipeline(), batchSize=size, session=target.session
        )
    return target.collection.find_raw_batches(
        spec.filter,
        sort=list(spec.sort) or None,
        skip=spec.skip,
        limit=spec.limit or 0,
        batch_size=size,
        session=target.session,
    )


async def batches(target: Target, cursor: Any, action: str) -> AsyncGenerator[bytes, None]:
    """Yield what a cursor of raw batches brings, each in a turn of its own, and close it.

    Parameters:
        target: Where the cursor is.
        cursor: The cursor.
        action: As for `Target.turn`.
    """
    try:
        while True:
            async with target.turn(action, reads=True):
                batch: bytes | None = await anext(cursor, None)
            if batch is None:
                return
            yield batch
    finally:
        await _close(target, cursor)


async def _close(target: Target, cursor: Any) -> None:
    if target.transaction is None:
        await cursor.close()
        return
    async with target.transaction.lock:
        if not target.transaction.is_ended:  # else the server has closed it
            await cursor.close()


async def kill_session(session: AsyncClientSession) -> None:
    """Have the server end what it does in a session: also a query that has not answered yet."""
    if not session.client.topology_description.has_readable_server():
        return  # Whoever gives up does not wait for a server that is away.
    try:
        with timeout(KILL_SECONDS):
            await session.client.admin.command("killSessions", [session.session_id])
    except PyMongoError:
        return  # The server ends what nobody asks for any longer by itself.


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
        return Target(await collection_of(model, place))
    if not isinstance(state, Transaction):
        raise TransactionError(
            "this operation is inside a transaction of the other package",
            hint="loom_async and loom_sync have clients of their own: use the operations of the "
            "package that has begun it",
        )
    state.check()
    collection = await collection_of(model, place)
    session = await session_of(state, collection.database.client)
    state.namespaces.add((collection.database.name, collection.name))
    return Target(collection, state, session)
