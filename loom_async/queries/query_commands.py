"""Runs the commands of `count`, `exists`, `load_one`, `distinct` and `explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.query.operator_search import has_operator
from .._core.query.query_spec import QuerySpec
from .._core.query.stages import AggregationStages
from ..operations.target import Target, target_of

# Operators that $match refuses, and so does count_documents, which aggregates.
_REFUSED_BY_MATCH = frozenset({"$near", "$nearSphere", "$geoNear", "$where"})


async def count(model: type[Any], spec: QuerySpec) -> int:
    """Return the number of results; see `Query.count`."""
    target = await target_of(model)
    if spec.limit == 0:
        return 0
    async with target.call(f"count {model.__name__}"):
        if spec.stages:
            return await _count_rows(target, spec)
        clauses: dict[str, Any] = {"skip": spec.skip, "limit": spec.limit}
        limits = {name: value for name, value in clauses.items() if value}
        if not has_operator(spec.filter, _REFUSED_BY_MATCH):
            return await target.collection.count_documents(
                spec.filter, session=target.session, **limits
            )
        command = {"count": target.collection.name, "query": spec.filter, **limits}
        reply = await target.collection.database.command(command, session=target.session)
        return int(reply["n"])


async def _count_rows(target: Target, spec: QuerySpec) -> int:
    pipeline = [*spec.pipeline(), {"$count": "n"}]
    cursor = await target.collection.aggregate(pipeline, session=target.session)
    rows = await cursor.to_list()
    return int(rows[0]["n"]) if rows else 0


async def first(
    model: type[Any], spec: QuerySpec, projection: Mapping[str, int] | None = None
) -> dict[str, Any] | None:
    """Return the first result, or None.

    Parameters:
        model: The model of the collection.
        spec: The query.
        projection: The fields to return; None for all.
    """
    target = await target_of(model)
    if spec.limit == 0:
        return None
    async with target.call(f"load {model.__name__}"):
        if not spec.stages:
            arguments = spec.find_arguments()
            del arguments["limit"]
            return await target.collection.find_one(
                spec.filter, projection, **arguments, session=target.session
            )
        pipeline = [*spec.pipeline(), {"$limit": 1}]
        cursor = await target.collection.aggregate(pipeline, session=target.session)
        rows = await cursor.to_list()
    return rows[0] if rows else None


async def distinct(model: type[Any], spec: QuerySpec, path: str) -> list[Any]:
    """Return the distinct values of a field in the results, as they are stored.

    Parameters:
        model: The model of the collection.
        spec: The query.
        path: The field's stored path.
    """
    target = await target_of(model)
    if spec.limit == 0:
        return []
    async with target.call(f"distinct values of {model.__name__}.{path}"):
        if spec.stages:
            return await _distinct_of_rows(target, spec, path)
        filter = spec.filter
        if spec.skip or spec.limit:  # which the distinct command does not take
            cursor = target.collection.find(
                filter, {"_id": 1}, **spec.find_arguments(), session=target.session
            )
            filter = {"_id": {"$in": [document["_id"] for document in await cursor.to_list()]}}
        return await target.collection.distinct(path, filter, session=target.session)


async def _distinct_of_rows(target: Target, spec: QuerySpec, path: str) -> list[Any]:
    # As the distinct command does: an empty array gives no value, and a null gives null.
    present = {path: {"$exists": True}}
    stages = AggregationStages().match(present)
    stages = stages.unwind(path, preserve_null_and_empty_arrays=True).match(present)
    pipeline = [*spec.pipeline(), *stages.group({"_id": f"${path}"}).to_list()]
    cursor = await target.collection.aggregate(pipeline, session=target.session)
    return [row["_id"] for row in await cursor.to_list()]


async def explain(model: type[Any], spec: QuerySpec, verbosity: str) -> dict[str, Any]:
    """Return the server's query plan; see `Query.explain`."""
    target = await target_of(model)
    command = {"explain": spec.command(target.collection.name), "verbosity": verbosity}
    async with target.call(f"explain a query of {model.__name__}"):
        return await target.collection.database.command(command)
