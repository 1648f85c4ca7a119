# Generated from loom_async/operations/matching_writes.py by `nox -s sync`: edit that file.
"""Updates and deletions of all documents that match a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom_async._core.model.write_results import UpdateCount
from loom_async._core.query.options import QueryOptions
from loom_async._core.query.query_update import QueryUpdate

from .target import Target
from .write_command import WriteCommand, raise_refusal, raise_unconfirmed, send


def update_matching(
    target: Target,
    condition: Mapping[str, Any],
    change: QueryUpdate,
    options: QueryOptions,
    action: str,
) -> UpdateCount:
    """Update every document that matches a filter, and return how many there were.

    Parameters:
        target: The collection and session.
        condition: The filter.
        change: The MongoDB update.
        options: The options of the query.
        action: As for `Target.call`.
    """
    if options.max_time_ms is None:
        result = target.collection.update_many(
            condition,
            change.update,
            upsert=change.upsert,
            array_filters=change.array_filters or None,
            session=target.session,
            **options.write_arguments(),
        )
        inserted = int(result.did_upsert)
        return UpdateCount(result.modified_count, result.matched_count, inserted)
    statement = {"q": condition, "u": change.update, "multi": True}
    if change.upsert:
        statement["upsert"] = True
    if change.array_filters:
        statement["arrayFilters"] = change.array_filters
    reply = _send(target, "update", statement, options, action)
    inserted = len(reply.get("upserted", ()))
    return UpdateCount(int(reply["nModified"]), int(reply["n"]) - inserted, inserted)


def delete_matching(
    target: Target, condition: Mapping[str, Any], options: QueryOptions, action: str
) -> int:
    """Delete every document that matches a filter, and return how many there were.

    Parameters:
        target: As for `update_matching`.
        condition: As for `update_matching`.
        options: As for `update_matching`.
        action: As for `update_matching`.
    """
    if options.max_time_ms is None:
        result = target.collection.delete_many(
            condition, session=target.session, **options.write_arguments()
        )
        return result.deleted_count
    reply = _send(target, "delete", {"q": condition, "limit": 0}, options, action)
    return int(reply["n"])


def _send(
    target: Target, name: str, statement: dict[str, Any], options: QueryOptions, action: str
) -> dict[str, Any]:
    """Send a command with a time limit of its own, which the driver's methods do not take."""
    fields = options.matching_fields()
    for own in ("hint", "collation"):
        if own in fields:
            statement[own] = fields.pop(own)
    body = {name: target.collection.name, f"{name}s": [statement], **fields}
    # No server remembers a statement that writes many documents.
    reply = send(WriteCommand(target.collection, body, is_numbered=False), target.session)
    raise_refusal(reply)
    raise_unconfirmed(reply, action)
    return reply
