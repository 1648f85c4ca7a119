# Generated from loom_async/operations/target.py by `nox -s sync`: edit that file.
"""The target of an operation: a model's collection, and the transaction in force."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern
from pymongo.synchronous.client_session import ClientSession

from loom_async._core.context import OperationContext, current_context
from loom_async._core.errors import TransactionError

from ..collections.find import collection_of, ready_collection
from ..connection.driver_types import MongoCollection
from .driver_call import DriverCall
from .transaction_session import Transaction, session_of


class Target(NamedTuple):
    """A collection, and the session of the transaction in force; None outside of a transaction."""

    collection: MongoCollection
    transaction: Transaction | None = None
    session: ClientSession | None = None

    @property
    def primary(self) -> MongoCollection:
        """The collection with reads from the primary, whatever its read preference."""
        return with_primary_reads(self.collection)

    def call(self, action: str, *, reads: bool = False) -> DriverCall:
        """Return a block for one call of the driver, whose errors leave it as Loom's.

        Parameters:
            action: What the call does, for errors and the trace: "persist User".
            reads: Whether the call only reads: if it is cancelled, its transaction goes on.
        """
        return DriverCall(self.transaction, action, reads)

    def has_failed(self) -> bool:
        """Say whether the target's transaction can only be rolled back."""
        return self.transaction is not None and self.transaction.failure is not None

    @contextmanager
    def failing(self) -> Generator[None]:
        """Return a block whose errors end the transaction, as those of the server do."""
        try:
            yield
        except Exception as error:
            if self.transaction is not None:
                self.transaction.fail(error)
            raise


def with_primary_reads(collection: MongoCollection) -> MongoCollection:
    """Return a collection with reads from the primary, also of data that a majority still lacks."""
    return collection.with_options(
        read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("local")
    )


def target_of(model: type, context: OperationContext | None = None) -> Target:
    """Return the target of a model's operations.

    Parameters:
        model: A declared model.
        context: The context of the operation; None for the current context.

    Raises:
        ConfigurationError: The model was not declared, or the server has no transactions.
        TransactionError: The operation cannot be part of the transaction in force.
        IndexConflict: The data does not allow a declared index.
    """
    context = context or current_context()
    transaction = context.transaction
    if transaction is None:
        found = ready_collection(model, context)
        return Target(collection_of(model, context) if found is None else found)
    if not isinstance(transaction, Transaction):
        raise TransactionError(
            "this operation is inside a transaction of the other package",
            hint="each package has clients of its own: use the operations of the package that "
            "began it",
        )
    transaction.check()
    collection = collection_of(model, context)
    session = session_of(transaction, collection.database.client)
    transaction.namespaces.add((collection.database.name, collection.name))
    return Target(collection, transaction, session)
