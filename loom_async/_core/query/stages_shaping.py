"""Aggregation stages that search, filter, reshape, group and sort documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ..argument_checks import check_count
from ..errors import QueryError
from .expressions import Predicate, as_predicate
from .fields import Field
from .stage_base import Document, StageSequence, compiled_option


class ShapingStages(StageSequence):
    """Stages that read the documents of the stage before."""

    __slots__ = ()

    def add_fields(self, fields: Document | None = None, **more: Any) -> Self:
        """Add fields, computed by expressions."""
        return self._then("addFields", _fields("add_fields", fields, more))

    def bucket(
        self,
        group_by: Any,
        boundaries: Sequence[Any],
        *,
        default: Any = None,
        output: Document | None = None,
    ) -> Self:
        """Group documents into ranges of `group_by`: from each boundary up to the next."""
        return self._then_options(
            "bucket",
            groupBy=group_by, boundaries=list(boundaries), default=default, output=output,
        )  # fmt: skip

    def bucket_auto(
        self,
        group_by: Any,
        buckets: int,
        *,
        output: Document | None = None,
        granularity: str | None = None,
    ) -> Self:
        """Group documents into `buckets` ranges with about as many documents each."""
        return self._then_options(
            "bucketAuto",
            groupBy=group_by, buckets=buckets, output=output, granularity=granularity,
        )  # fmt: skip

    def count(self, name: str = "count") -> Self:
        """Return one document with the number of documents in the field `name`."""
        return self._then("count", name)

    def densify(
        self, field: str, range: Document, *, partition_by_fields: Sequence[str] | None = None
    ) -> Self:
        """Add documents where a sequence of values has gaps."""
        partitions = list(partition_by_fields) if partition_by_fields is not None else None
        return self._then_options(
            "densify", field=field, partitionByFields=partitions, range=dict(range)
        )

    def documents(self, documents: Sequence[Document] | Any) -> Self:
        """Begin the pipeline with the given documents in place of a collection's."""
        return self._then("documents", documents)

    def fill(
        self,
        output: Document,
        *,
        partition_by: Any = None,
        partition_by_fields: Sequence[str] | None = None,
        sort_by: Document | None = None,
    ) -> Self:
        """Fill null and missing values."""
        partitions = list(partition_by_fields) if partition_by_fields is not None else None
        return self._then_options(
            "fill",
            partitionBy=partition_by, partitionByFields=partitions, sortBy=sort_by, output=output,
        )  # fmt: skip

    def geo_near(
        self,
        near: Document,
        distance_field: str,
        *,
        key: str | None = None,
        max_distance: float | None = None,
        min_distance: float | None = None,
        query: Document | Predicate | None = None,
        spherical: bool | None = None,
        distance_multiplier: float | None = None,
        include_locs: str | None = None,
    ) -> Self:
        """Sort documents by their distance from a point, nearest first."""
        return self._then_options(
            "geoNear",
            near=dict(near),
            distanceField=distance_field,
            key=key,
            maxDistance=max_distance,
            minDistance=min_distance,
            query=query,
            spherical=spherical,
            distanceMultiplier=distance_multiplier,
            includeLocs=include_locs,
        )

    def group(self, group: Document | None = None, **accumulators: Any) -> Self:
        """Group documents by `_id` and accumulate fields over each group."""
        return self._then("group", {"_id": None, **(group or {}), **accumulators})

    def limit(self, count: int) -> Self:
        """Keep the first `count` documents."""
        check_count("limit", count, least=1)
        return self._then("limit", count)

    def match(self, condition: Document | Predicate | Field) -> Self:
        """Keep the documents that meet a condition, or match a MongoDB filter."""
        if isinstance(condition, Mapping):
            return self._then("match", condition)
        return self._then("match", compiled_option(as_predicate(condition)))

    def project(self, fields: Document | None = None, **more: Any) -> Self:
        """Include, exclude or compute fields."""
        return self._then("project", _fields("project", fields, more))

    def redact(self, expression: Any) -> Self:
        """Keep or prune each level of the documents by an expression."""
        return self._then("redact", expression)

    def replace_root(self, new_root: Any) -> Self:
        """Replace each document with the value of an expression."""
        return self._then("replaceRoot", {"newRoot": new_root})

    def replace_with(self, replacement: Any) -> Self:
        """Replace each document with the value of an expression."""
        return self._then("replaceWith", replacement)

    def sample(self, size: int) -> Self:
        """Keep `size` documents, chosen at random."""
        check_count("sample", size, least=1)
        return self._then("sample", {"size": size})

    def search(self, search: Document) -> Self:
        """Search with an Atlas Search index."""
        return self._then("search", dict(search))

    def search_meta(self, search: Document) -> Self:
        """Return the metadata of an Atlas Search query."""
        return self._then("searchMeta", dict(search))

    def set(self, fields: Document | None = None, **more: Any) -> Self:
        """Add fields, computed by expressions; another name of `add_fields`."""
        return self._then("set", _fields("set", fields, more))

    def set_window_fields(
        self, output: Document, *, partition_by: Any = None, sort_by: Document | None = None
    ) -> Self:
        """Compute fields over windows of documents."""
        return self._then_options(
            "setWindowFields", partitionBy=partition_by, sortBy=sort_by, output=output
        )

    def skip(self, count: int) -> Self:
        """Leave out the first `count` documents."""
        check_count("skip", count)
        return self._then("skip", count)

    def sort(self, *keys: str | Document) -> Self:
        """Sort the documents by `"age"`, `"-age"` (descending) or MongoDB's `{"age": -1}`."""
        order: dict[str, Any] = {}
        for key in keys:
            if isinstance(key, str):
                order[key.removeprefix("-")] = -1 if key.startswith("-") else 1
            else:
                order.update(key)
        if not order:
            raise QueryError("sort() needs a field", hint='sort("-age")')
        return self._then("sort", order)

    def sort_by_count(self, expression: Any) -> Self:
        """Count the documents by the values of an expression, the most frequent first."""
        return self._then("sortByCount", expression)

    def unset(self, *fields: str) -> Self:
        """Remove fields."""
        if not fields:
            raise QueryError("unset() needs a field", hint='unset("password")')
        return self._then("unset", list(fields))

    def unwind(
        self,
        path: str,
        *,
        include_array_index: str | None = None,
        preserve_null_and_empty_arrays: bool | None = None,
    ) -> Self:
        """Return one document for each element of an array."""
        return self._then_options(
            "unwind",
            path=path if path.startswith("$") else f"${path}",
            includeArrayIndex=include_array_index,
            preserveNullAndEmptyArrays=preserve_null_and_empty_arrays,
        )


def _fields(stage: str, fields: Document | None, more: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**(fields or {}), **more}
    if not merged:
        raise QueryError(f"{stage}() needs a field", hint=f'{stage}({{"name": 1}})')
    return merged
