# Generated from loom_async/queries/query_commands.py by `nox -s sync`: edit that file.
"""Runs the commands of `count`, `exists`, `load_one`, `distinct` and `explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import OperationFailure

from loom_async._core.errors import QueryError
from loom_async._core.query.operator_search import has_operator
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.stages import AggregationStages
from loom_async._core.server_codes import UNKNOWN_COMMAND_FIELD

from ..operations.query_target import query_target
from ..operations.read_commands import find_one
from ..operations.target import Target

# Operators that $match refuses, and so does count_documents, which aggregates.
_REFUSED_BY_MATCH = frozenset({"$near", "$nearSphere", "$geoNear", "$where"})


def count(model: type[Any], spec: QuerySpec) -> int:
    """Return the number of results; see `Query.count`."""
    target = query_target(model, spec.options)
    if spec.limit == 0:
        return 0
    with target.call(f"count {model.__name__}"):
        if spec.stages:
            return _count_rows(target, spec)
        clauses: dict[str, Any] = {"skip": spec.skip, "limit": spec.limit}
        limits = {name: value for name, value in clauses.items() if value}
        if not has_operator(spec.filter, _REFUSED_BY_MATCH):
            return target.collection.count_documents(
                spec.filter, session=target.session, **limits, **spec.options.matching_fields()
            )
        command = {"count": target.collection.name, "query": spec.filter, **limits}
        reply = _run_command(target, command | spec.options.matching_fields(), spec)
        return int(reply["n"])


def _count_rows(target: Target, spec: QuerySpec) -> int:
    pipeline = [*spec.pipeline(), {"$count": "n"}]
    rows = _aggregate(target, pipeline, spec)
    return int(rows[0]["n"]) if rows else 0


def first(
    model: type[Any], spec: QuerySpec, projection: Mapping[str, int] | None = None
) -> dict[str, Any] | None:
    """Return the first result, or None.

    Parameters:
        model: The model of the collection.
        spec: The query.
        projection: The fields to return; None for all.
    """
    target = query_target(model, spec.options)
    if spec.limit == 0:
        return None
    with target.call(f"load {model.__name__}"):
        if not spec.stages:
            wanted = spec if projection is None else spec._replace(projection=projection)
            return find_one(target, wanted)
        pipeline = [*spec.pipeline(), {"$limit": 1}]
        rows = _aggregate(target, pipeline, spec)
    return rows[0] if rows else None


def distinct(model: type[Any], spec: QuerySpec, path: str) -> list[Any]:
    """Return the distinct values of a field in the results, as they are stored.

    Parameters:
        model: The model of the collection.
        spec: The query.
        path: The field's stored path.
    """
    spec = spec._replace(projection=None)
    target = query_target(model, spec.options)
    if spec.limit == 0:
        return []
    with target.call(f"distinct values of {model.__name__}.{path}"):
        is_limited = bool(spec.skip or spec.limit)  # which the distinct command does not take
        # Under a collation, a filter on ids would also find the documents with similar ids.
        if spec.stages or (is_limited and spec.options.collation is not None):
            return _distinct_of_rows(target, spec, path)
        filter, options = spec.filter, spec.options
        if is_limited:
            cursor = target.collection.find(
                filter, {"_id": 1}, **spec.find_arguments(), session=target.session
            )
            filter = {"_id": {"$in": [document["_id"] for document in cursor.to_list()]}}
            options = options._replace(hint=None)
        try:
            return target.collection.distinct(
                path, filter, session=target.session, **options.matching_fields()
            )
        except OperationFailure as error:
            if options.hint is None or error.code != UNKNOWN_COMMAND_FIELD:
                raise
            raise QueryError(
                f"this server's distinct command takes no hint: {error}",
                hint="leave out the hint; MongoDB 7.1 and later take it",
            ) from error


def _distinct_of_rows(target: Target, spec: QuerySpec, path: str) -> list[Any]:
    # As the distinct command does: an empty array gives no value, and a null gives null.
    present = {path: {"$exists": True}}
    stages = AggregationStages().match(present)
    stages = stages.unwind(path, preserve_null_and_empty_arrays=True).match(present)
    pipeline = [*spec.pipeline(), *stages.group({"_id": f"${path}"}).to_list()]
    return [row["_id"] for row in _aggregate(target, pipeline, spec)]


def explain(model: type[Any], spec: QuerySpec, verbosity: str) -> dict[str, Any]:
    """Return the server's query plan; see `Query.explain`."""
    target = query_target(model, spec.options)
    explained = spec.command(target.collection.name)
    command = {"explain": explained, "verbosity": verbosity}
    if "maxTimeMS" in explained:
        command["maxTimeMS"] = explained["maxTimeMS"]
    with target.call(f"explain a query of {model.__name__}"):
        # Without the session: MongoDB explains nothing inside a transaction.
        return _run_command(target._replace(session=None), command, spec)


def _aggregate(
    target: Target, pipeline: list[dict[str, Any]], spec: QuerySpec
) -> list[dict[str, Any]]:
    cursor = target.collection.aggregate(
        pipeline, session=target.session, **spec.options.command_fields()
    )
    return cursor.to_list()


def _run_command(target: Target, command: dict[str, Any], spec: QuerySpec) -> dict[str, Any]:
    return target.collection.database.command(
        command, session=target.session, read_preference=spec.options.read_preference
    )
