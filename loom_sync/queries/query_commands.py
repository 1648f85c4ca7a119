# Generated from loom_async/queries/query_commands.py by `nox -s sync`: edit that file.
"""What is asked of a query besides all of its results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom_async._core.query.operator_search import has_operator
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.stages import AggregationStages

from ..operations.target import Target, target_of

# count_documents aggregates, and the $match of an aggregation does not take these.
_NOT_AGGREGATED = frozenset({"$near", "$nearSphere", "$geoNear", "$where"})


def count(model: type[Any], spec: QuerySpec) -> int:
    """Return the number of results; see `Query.count`."""
    target = target_of(model)
    if spec.limit == 0:
        return 0
    with target.call(f"count {model.__name__}"):
        if spec.stages:
            return _count_rows(target, spec)
        asked: dict[str, Any] = {"skip": spec.skip, "limit": spec.limit}
        limits = {name: value for name, value in asked.items() if value}
        if not has_operator(spec.filter, _NOT_AGGREGATED):
            return target.collection.count_documents(spec.filter, session=target.session, **limits)
        command = {"count": target.collection.name, "query": spec.filter, **limits}
        reply = target.collection.database.command(command, session=target.session)
        return int(reply["n"])


def _count_rows(target: Target, spec: QuerySpec) -> int:
    pipeline = [*spec.pipeline(), {"$count": "n"}]
    cursor = target.collection.aggregate(pipeline, session=target.session)
    rows = cursor.to_list()
    return int(rows[0]["n"]) if rows else 0


def first(
    model: type[Any], spec: QuerySpec, projection: Mapping[str, int] | None = None
) -> dict[str, Any] | None:
    """Return the first result, or None.

    Parameters:
        model: Whose collection it is.
        spec: What to ask.
        projection: The fields wanted; None for all.
    """
    target = target_of(model)
    if spec.limit == 0:
        return None
    with target.call(f"load {model.__name__}"):
        if not spec.stages:
            asked = spec.find_arguments()
            del asked["limit"]
            return target.collection.find_one(
                spec.filter, projection, **asked, session=target.session
            )
        pipeline = [*spec.pipeline(), {"$limit": 1}]
        cursor = target.collection.aggregate(pipeline, session=target.session)
        rows = cursor.to_list()
    return rows[0] if rows else None


def distinct(model: type[Any], spec: QuerySpec, path: str) -> list[Any]:
    """Return the distinct values that a field has in the results, as they are stored.

    Parameters:
        model: Whose collection it is.
        spec: What to ask.
        path: The field's stored path.
    """
    target = target_of(model)
    if spec.limit == 0:
        return []
    with target.call(f"distinct values of {model.__name__}.{path}"):
        if spec.stages:
            return _distinct_of_rows(target, spec, path)
        condition = spec.filter
        if spec.skip or spec.limit:
            found = target.collection.find(
                condition, {"_id": 1}, **spec.find_arguments(), session=target.session
            )
            condition = {"_id": {"$in": [row["_id"] for row in found.to_list()]}}
        return target.collection.distinct(path, condition, session=target.session)


def _distinct_of_rows(target: Target, spec: QuerySpec, path: str) -> list[Any]:
    # An empty array gives no value, a null gives null: as the distinct command does.
    present = {path: {"$exists": True}}
    stages = AggregationStages().match(present)
    stages = stages.unwind(path, preserve_null_and_empty_arrays=True).match(present)
    pipeline = [*spec.pipeline(), *stages.group({"_id": f"${path}"}).to_list()]
    cursor = target.collection.aggregate(pipeline, session=target.session)
    return [row["_id"] for row in cursor.to_list()]


def explain(model: type[Any], spec: QuerySpec, verbosity: str) -> dict[str, Any]:
    """Return the server's plan for a query; see `Query.explain`."""
    target = target_of(model)
    command = {"explain": spec.command(target.collection.name), "verbosity": verbosity}
    with target.call(f"explain a query of {model.__name__}"):
        return target.collection.database.command(command)
