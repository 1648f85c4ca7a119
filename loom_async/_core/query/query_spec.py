"""What a query asks for: the clauses of a find, then the stages that follow them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..argument_checks import check_count

Stage: TypeAlias = Mapping[str, Any]
SortKeys: TypeAlias = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """An immutable query.

    `filter`, `sort`, `skip` and `limit` are the clauses of a find: as in MongoDB's shell, their
    order does not matter. The first stage ends them; from then on each call adds a stage.
    """

    filters: tuple[Mapping[str, Any], ...] = ()
    sort: SortKeys = ()
    skip: int = 0
    limit: int | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def filter(self) -> dict[str, Any]:
        """The filters as one."""
        present = [deepcopy(dict(part)) for part in self.filters if part]
        if len(present) <= 1:
            return present[0] if present else {}
        return {"$and": present}

    def with_filter(self, condition: Mapping[str, Any]) -> QuerySpec:
        """Return this query with one more condition."""
        if self.stages:
            return self.with_stage({"$match": dict(condition)})
        return replace(self, filters=(*self.filters, deepcopy(condition)))

    def with_sort(self, keys: SortKeys) -> QuerySpec:
        """Return this query sorted by `keys` after the keys it has."""
        if not self.stages:
            return replace(self, sort=_without_repetition((*self.sort, *keys)))
        *before, last = self.stages
        if "$sort" in last:
            keys = _without_repetition((*last["$sort"].items(), *keys))
            return replace(self, stages=(*before, {"$sort": dict(keys)}))
        return self.with_stage({"$sort": dict(keys)})

    def with_skip(self, count: int) -> QuerySpec:
        """Return this query without its first `count` results."""
        check_count("skip", count)
        if self.stages:
            return self.with_stage({"$skip": count})
        return replace(self, skip=count)

    def with_limit(self, count: int) -> QuerySpec:
        """Return this query with at most `count` results."""
        check_count("limit", count)
        if self.stages:
            # $limit takes no zero; a condition that nothing meets gives nothing
            return self.with_stage({"$limit": count} if count else {"$match": {"$nor": [{}]}})
        return replace(self, limit=count)

    def with_stage(self, stage: Stage) -> QuerySpec:
        """Return this query followed by a stage."""
        return replace(self, stages=(*self.stages, deepcopy(stage)))

    def find_arguments(self) -> dict[str, Any]:
        """Return the clauses besides the filter as the driver's `find` takes them."""
        return {"sort": list(self.sort) or None, "skip": self.skip, "limit": self.limit or 0}

    def command(self, collection: str) -> dict[str, Any]:
        """Return the server's command that asks for the results of this query.

        Parameters:
            collection: The collection's name.
        """
        if self.stages:
            return {"aggregate": collection, "pipeline": self.pipeline(), "cursor": {}}
        clauses = {"sort": dict(self.sort), "skip": self.skip, "limit": self.limit}
        asked = {key: value for key, value in clauses.items() if value}
        return {"find": collection, "filter": self.filter, **asked}

    def pipeline(self) -> list[dict[str, Any]]:
        """Return the whole query as an aggregation pipeline."""
        clauses: list[dict[str, Any]] = []
        condition = self.filter
        if condition and not (self.sort or self.skip or self.limit is not None):
            first, *others = self.stages or ({},)
            if "$geoNear" in first:  # which has to be the first stage, and has a condition itself
                near = dict(first["$geoNear"])
                both = [condition, near["query"]] if near.get("query") else [condition]
                near["query"] = {"$and": both}
                return [{"$geoNear": near}, *(deepcopy(dict(stage)) for stage in others)]
        if condition:
            clauses.append({"$match": condition})
        if self.sort:
            clauses.append({"$sort": dict(self.sort)})
        if self.skip:
            clauses.append({"$skip": self.skip})
        if self.limit is not None:
            clauses.append({"$limit": self.limit} if self.limit else {"$match": {"$nor": [{}]}})
        return [*clauses, *(deepcopy(dict(stage)) for stage in self.stages)]


def _without_repetition(keys: SortKeys) -> SortKeys:
    first: dict[str, int] = {}
    for name, direction in keys:
        first.setdefault(name, direction)
    return tuple(first.items())
