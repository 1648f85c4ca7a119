"""The target of a query, with the read preference of its options."""

from __future__ import annotations

from pymongo import ReadPreference

from .._core.context import OperationContext, current_context
from .._core.errors import TransactionError
from .._core.query.options import QueryOptions
from .target import Target, target_of


async def query_target(
    model: type, options: QueryOptions, context: OperationContext | None = None
) -> Target:
    """Return the target of a query that reads.

    Parameters:
        model: A declared model.
        options: The options of the query.
        context: As for `target_of`.

    Raises:
        TransactionError: A transaction is in force, and the read preference is not the primary.
        ConfigurationError: As `target_of`.
    """
    preference = options.read_preference
    if preference is None:
        return await target_of(model, context)
    context = context or current_context()
    if context.transaction is not None and preference != ReadPreference.PRIMARY:
        raise TransactionError(
            f"a query of {model.__name__} has the read preference {preference.mongos_mode!r} "
            "inside a transaction",
            hint="a transaction reads from the primary alone: leave out read_preference, or run "
            "the query before the transaction() block",
        )
    target = await target_of(model, context)
    return target._replace(collection=target.collection.with_options(read_preference=preference))
