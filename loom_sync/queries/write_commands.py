# Generated from loom_async/queries/write_commands.py by `nox -s sync`: edit that file.
"""Runs `update`, `find_one_and_update` and `find_one_and_delete`, again after a lost race."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from loom_async._core.errors import DuplicateKey
from loom_async._core.model.bson_equality import same
from loom_async._core.model.write_results import UpdateCount
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.query_update import QueryUpdate
from loom_async._core.query.upsert import equalities

from ..operations.matching_writes import update_matching
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand, raise_unconfirmed, send

R = TypeVar("R")

# The attempts at an upsert whose document other writers insert and delete.
_MAX_ATTEMPTS = 10


def update_many(model: type[Any], spec: QuerySpec, change: QueryUpdate) -> UpdateCount:
    """Update all documents of a query; see `LoadDirective.update`."""
    target = target_of(model)
    action = f"update {model.__name__}"

    def run() -> UpdateCount:
        with target.call(action):
            return update_matching(target, spec.filter, change, spec.options, action)

    return _repeated(target, spec.filter, change, run)


def update_first(
    model: type[Any], spec: QuerySpec, change: QueryUpdate, *, returns_before: bool
) -> dict[str, Any] | None:
    """Update the first document of a query, and return it as it is stored.

    Parameters:
        model: The model of the documents.
        spec: The query: a filter, and sort keys.
        change: The update.
        returns_before: Whether to return the document as it was before the update.
    """
    target = target_of(model)
    body: dict[str, Any] = {"update": change.update, "new": not returns_before}
    if change.upsert:
        body["upsert"] = True
    if change.array_filters:
        body["arrayFilters"] = change.array_filters

    def run() -> dict[str, Any] | None:
        return _find_and_modify(target, spec, body, f"find_one_and_update {model.__name__}")

    return _repeated(target, spec.filter, change, run)


def delete_first(model: type[Any], spec: QuerySpec) -> dict[str, Any] | None:
    """Delete the first document of a query, and return it as it was stored."""
    target = target_of(model)
    action = f"find_one_and_delete {model.__name__}"
    return _find_and_modify(target, spec, {"remove": True}, action)


def _find_and_modify(
    target: Target, spec: QuerySpec, body: Mapping[str, Any], action: str
) -> dict[str, Any] | None:
    sort = {"sort": dict(spec.sort)} if spec.sort else {}
    name = target.collection.name
    options = spec.options.matching_fields()
    whole = {"findAndModify": name, "query": spec.filter, **sort, **body, **options}
    command = WriteCommand(target.collection, whole)
    with target.call(action):
        reply = send(command, target.session)
        command.settle()
    raise_unconfirmed(reply, action)
    found: dict[str, Any] | None = reply["value"]
    return found


def _repeated(
    target: Target, filter: Mapping[str, Any], change: QueryUpdate, run: Callable[[], R]
) -> R:
    """Run an update; run an upsert again if another writer inserts its document first."""
    for _ in range(_MAX_ATTEMPTS - 1 if change.upsert and target.session is None else 0):
        try:
            return run()
        except DuplicateKey as error:
            if not _is_lost_race(error, filter):
                raise
    return run()


def _is_lost_race(error: DuplicateKey, filter: Mapping[str, Any]) -> bool:
    """Say whether a unique index has the values that the filter of an upsert looks for."""
    fixed = equalities(filter)
    return bool(error.key) and all(
        name in fixed and same(fixed[name], value) for name, value in error.key.items()
    )
