"""The specification of a query: the clauses of a find, then aggregation stages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from bson import Decimal128, Int64, ObjectId

from ..argument_checks import check_count
from ..type_guards import is_dict
from .copies import copied
from .options import NO_OPTIONS, QueryOptions

Stage: TypeAlias = Mapping[str, Any]
SortKeys: TypeAlias = tuple[tuple[str, int], ...]

# The ids that MongoDB never reads as an operator or as a pattern.
_PLAIN_IDS = frozenset({ObjectId, str, int, Int64, float, bytes, UUID, datetime, Decimal128})


class QuerySpec(NamedTuple):
    """An immutable query.

    `filter`, `sort`, `skip` and `limit` are the clauses of a find: as in MongoDB's shell, the order
    of the calls does not matter. After the first stage, each call adds a stage. `projection` is
    applied last.
    """

    filters: tuple[Mapping[str, Any], ...] = ()
    sort: SortKeys = ()
    skip: int = 0
    limit: int | None = None
    stages: tuple[Stage, ...] = ()
    options: QueryOptions = NO_OPTIONS
    projection: Mapping[str, int] | None = None

    @property
    def filter(self) -> dict[str, Any]:
        """The filters combined into one, which the caller may change."""
        return copied(self._combined)  # type: ignore[no-any-return]

    @property
    def _combined(self) -> Mapping[str, Any]:
        present = [part for part in self.filters if part]
        if len(present) <= 1:
            return present[0] if present else {}
        return {"$and": present}

    @property
    def find_filter(self) -> Mapping[str, Any]:
        """The filter of a find, to be sent as it is: no copy.

        An id alone is compared without `$eq`: the server finds the document without planning.
        """
        return self._id_filter or self._combined

    @property
    def is_for_one_id(self) -> bool:
        """True if the query compares the id alone, and so has one result at most."""
        return not self.stages and self._id_filter is not None

    @property
    def _id_filter(self) -> dict[str, Any] | None:
        if len(self.filters) != 1 or len(self.filters[0]) != 1:
            return None
        operators: object = self.filters[0].get("_id")
        if not is_dict(operators) or len(operators) != 1:
            return None
        id = operators.get("$eq")
        return {"_id": id} if type(id) in _PLAIN_IDS else None

    def with_filter(self, condition: Mapping[str, Any]) -> QuerySpec:
        """Return this query with a further filter."""
        if self.stages:
            return self.with_stage({"$match": dict(condition)})
        return self._replace(filters=(*self.filters, copied(condition)))

    def with_sort(self, keys: SortKeys) -> QuerySpec:
        """Return this query with further sort keys after those it has."""
        if not self.stages:
            return self._replace(sort=_first_of_each((*self.sort, *keys)))
        *before, last = self.stages
        if "$sort" in last:
            keys = _first_of_each((*last["$sort"].items(), *keys))
            return self._replace(stages=(*before, {"$sort": dict(keys)}))
        return self.with_stage({"$sort": dict(keys)})

    def with_skip(self, count: int) -> QuerySpec:
        """Return this query without its first `count` results."""
        check_count("skip", count)
        if self.stages:
            return self.with_stage({"$skip": count})
        return self._replace(skip=count)

    def with_limit(self, count: int) -> QuerySpec:
        """Return this query with at most `count` results."""
        check_count("limit", count)
        if self.stages:
            return self.with_stage(_limit_stage(count))
        return self._replace(limit=count)

    def with_stage(self, stage: Stage) -> QuerySpec:
        """Return this query followed by a stage."""
        return self._replace(stages=(*self.stages, copied(stage)))

    def with_options(self, options: Mapping[str, Any]) -> QuerySpec:
        """Return this query with further options, which replace those it has.

        Parameters:
            options: Fields of `QueryOptions`.
        """
        return self._replace(options=self.options._replace(**options)) if options else self

    def find_arguments(self) -> dict[str, Any]:
        """Return the arguments of the driver's `find` besides the filter."""
        clauses: dict[str, Any] = {
            "sort": list(self.sort) or None,
            "skip": self.skip,
            "limit": self.limit or 0,
        }
        if self.options is not NO_OPTIONS:
            clauses |= self.options.find_arguments()
        if self.projection is not None:
            clauses["projection"] = dict(self.projection)
        return clauses

    def command(self, collection: str) -> dict[str, Any]:
        """Return the server's command for this query: `find` or `aggregate`.

        Parameters:
            collection: The collection's name.
        """
        options = {} if self.options is NO_OPTIONS else self.options.command_fields()
        if self.stages:
            pipeline = self.pipeline()
            return {"aggregate": collection, "pipeline": pipeline, "cursor": {}, **options}
        command: dict[str, Any] = {"find": collection, "filter": self.find_filter}
        if self.projection:
            command["projection"] = dict(self.projection)
        if self.sort:
            command["sort"] = dict(self.sort)
        if self.skip:
            command["skip"] = self.skip
        if self.limit:
            command["limit"] = self.limit
        return command | options

    def pipeline(self) -> list[dict[str, Any]]:
        """Return the whole query as an aggregation pipeline."""
        clauses: list[dict[str, Any]] = []
        condition = self.filter
        if condition and not (self.sort or self.skip or self.limit is not None):
            first, *others = self.stages or ({},)
            if "$geoNear" in first:  # it must be the first stage, and takes a filter itself
                near = dict(first["$geoNear"])
                filters = [condition, near["query"]] if near.get("query") else [condition]
                near["query"] = {"$and": filters}
                return [{"$geoNear": near}, *(copied(dict(stage)) for stage in others)]
        if condition:
            clauses.append({"$match": condition})
        if self.sort:
            clauses.append({"$sort": dict(self.sort)})
        if self.skip:
            clauses.append({"$skip": self.skip})
        if self.limit is not None:
            clauses.append(_limit_stage(self.limit))
        stages = (copied(dict(stage)) for stage in self.stages)
        projection = () if self.projection is None else ({"$project": dict(self.projection)},)
        return [*clauses, *stages, *projection]


def _limit_stage(count: int) -> dict[str, Any]:
    # $limit refuses 0; the filter matches no document
    return {"$limit": count} if count else {"$match": {"$nor": [{}]}}


def _first_of_each(keys: SortKeys) -> SortKeys:
    """Return sort keys without those whose path is sorted by already."""
    directions: dict[str, int] = {}
    for path, direction in keys:
        directions.setdefault(path, direction)
    return tuple(directions.items())
