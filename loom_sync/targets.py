# Generated from loom_async/targets.py by `nox -s sync`: edit that file, not this one.
"""Where an operation goes: a model's collection, and the transaction that it is part of."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

import pymongo
from pymongo.errors import PyMongoError
from pymongo.synchronous.client_session import ClientSession

from loom_async._core.context import Place, here
from loom_async._core.driver_errors import translate, translated
from loom_async._core.errors import TransactionError
from loom_async._core.query.spec import QuerySpec

from . import _seam
from .clients import MongoCollection
from .database import collection_of
from .transactions import Transaction, session_of

# Whoever cancels is not kept waiting for a server that does not answer.
_SECONDS_TO_GIVE_UP = 2.0


class Target:
    """A collection, and the session to name to be part of a transaction; None outside of one."""

    __slots__ = ("collection", "session", "transaction")

    def __init__(
        self,
        collection: MongoCollection,
        transaction: Transaction | None = None,
        session: ClientSession | None = None,
    ) -> None:
        self.collection: MongoCollection = collection
        self.transaction: Transaction | None = transaction
        self.session: ClientSession | None = session

    def turn(self, action: str) -> Turn:
        """Return a block for one call of the driver, whose errors leave it as Loom's.

        Parameters:
            action: What is being done, for errors: "persist User".
        """
        return Turn(self.transaction, action)


class Turn:
    """A block for one call of the driver: one at a time in a transaction."""

    __slots__ = ("_action", "_transaction")

    def __init__(self, transaction: Transaction | None, action: str) -> None:
        self._transaction = transaction
        self._action = action

    def __enter__(self) -> Self:
        transaction = self._transaction
        if transaction is None:
            return self
        transaction.lock.acquire()
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        known = None if error is None else translated(error, self._action)
        transaction = self._transaction
        if transaction is not None:
            # Cancelled as well: nobody knows what the server has made of it.
            if error is not None:
                transaction.fail(known or error)
            transaction.lock.release()
        if known is not None:
            raise known from error


def batches(
    target: Target, spec: QuerySpec, size: int, action: str
) -> Generator[bytes, None, None]:
    """Yield the results of a query as raw batches, and leave nothing open, however it ends.

    Parameters:
        target: Where to look.
        spec: What to ask.
        size: How many documents a batch has at most.
        action: As for `Target.turn`.
    """
    cursor: Any = None
    own: ClientSession | None = None
    is_asking = True
    try:
        with target.turn(action):
            if target.session is None:
                own = target.collection.database.client.start_session(causal_consistency=False)
            cursor = _cursor(target.collection, spec, size, own or target.session)
        while True:
            is_asking = True
            with target.turn(action):
                batch: bytes | None = next(cursor, None)
            is_asking = False
            if batch is None:
                return
            yield batch
    except Exception:
        is_asking = False  # the server has answered, or there is nobody to tell
        raise
    finally:
        if own is None:
            _close(target, cursor)
        elif is_asking or (cursor is not None and cursor.alive):
            _seam.in_any_case(_give_up, cursor, own, is_asking=is_asking)
        else:
            own.end_session()


def _cursor(
    collection: MongoCollection, spec: QuerySpec, size: int, session: ClientSession | None
) -> Any:
    if spec.stages:
        return collection.aggregate_raw_batches(spec.pipeline(), batchSize=size, session=session)
    return collection.find_raw_batches(
        spec.filter,
        sort=list(spec.sort) or None,
        skip=spec.skip,
        limit=spec.limit or 0,
        batch_size=size,
        session=session,
    )


def _close(target: Target, cursor: Any) -> None:
    if target.transaction is None or cursor is None:
        return
    with target.transaction.lock:
        if not target.transaction.is_ended:  # else the server has closed it
            cursor.close()


def _give_up(cursor: Any, session: ClientSession, *, is_asking: bool) -> None:
    with pymongo.timeout(_SECONDS_TO_GIVE_UP):
        if cursor is not None:
            cursor.close()
        if is_asking:
            end_queries(session)
    session.end_session()


def end_queries(session: ClientSession) -> None:
    """Have the server end what runs and is open in a session.

    A query that is given up before its first reply has no other name.
    """
    try:
        with pymongo.timeout(_SECONDS_TO_GIVE_UP):
            session.client.admin.command("killSessions", [session.session_id])
    except PyMongoError:
        return  # The server ends what nobody asks for any longer by itself.


def target_of(model: type, place: Place | None = None) -> Target:
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
        return Target(collection_of(model, place))
    if not isinstance(state, Transaction):
        raise TransactionError(
            "this operation is inside a transaction of the other package",
            hint="loom_sync and loom_sync have clients of their own: use the operations of the "
            "package that has begun it",
        )
    state.check()
    collection = collection_of(model, place)
    session = session_of(state, collection.database.client)
    state.namespaces.add((collection.database.name, collection.name))
    return Target(collection, state, session)
