"""Where an operation goes: a model's collection, and the transaction that it is part of."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

from pymongo import ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from .._core.context import OperationContext, current_context
from .._core.errors import TransactionError
from ..collections.find import collection_of, ready_collection
from ..connection.driver_types import MongoCollection
from .driver_call import DriverCall
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
        return with_primary_reads(self.collection)

    def call(self, action: str, *, reads: bool = False) -> DriverCall:
        """Return a block for one call of the driver, whose errors leave it as Loom's.

        Parameters:
            action: What is being done, for errors: "persist User".
            reads: Whether nothing is lost if it is cancelled.
        """
        return DriverCall(self.transaction, action, reads=reads)

    @contextmanager
    def failing(self) -> Generator[None]:
        """Give a block whose errors end the transaction, as those of the server do."""
        try:
            yield
        except Exception as error:
            if self.transaction is not None:
                self.transaction.fail(error)
            raise


def with_primary_reads(collection: MongoCollection) -> MongoCollection:
    """Return a collection that is read as its primary has it, also what most members lack yet."""
    return collection.with_options(
        read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("local")
    )


async def target_of(model: type, place: OperationContext | None = None) -> Target:
    """Return where a model's operations go.

    Parameters:
        model: A declared model.
        place: Where the operation goes; None for here and now.

    Raises:
        ConfigurationError: The model was not declared, or the server has no transactions.
        TransactionError: The operation cannot be part of the transaction that it is in.
        IndexConflict: The data does not allow a declared index.
    """
    place = place or current_context()
    state = place.transaction
    if state is None:
        found = ready_collection(model, place)
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
