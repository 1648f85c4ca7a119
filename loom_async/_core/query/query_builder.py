"""The chain methods that every query has; each returns a new query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, Generic, Self, TypeVar

from ..argument_checks import check_count
from ..errors import QueryError
from ..model.declaration import declaration_of
from ..model.polymorphism import scope_of
from .condition import Condition, to_predicate
from .fields import Field
from .filter_compiler import compile_predicate
from .grouping import Accumulators, compile_accumulators, group_key
from .model_resolver import ModelResolver
from .paths import FieldResolver
from .query_spec import QuerySpec
from .stages import AggregationStages

M = TypeVar("M")
Q = TypeVar("Q", bound="QueryBuilder[Any]")


class QueryBuilder(Generic[M]):
    """An immutable query under construction.

    Parameters:
        model: The class whose collection is queried.
        spec: What has been asked for.
        resolver: The fields that may be named; None once a stage has reshaped the documents.
    """

    __slots__ = ("_model", "_resolver", "_spec")

    def __init__(self, model: type[Any], spec: QuerySpec, resolver: FieldResolver | None) -> None:
        self._model = model
        self._spec = spec
        self._resolver = resolver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._model.__name__}: {self._spec.pipeline()}>"

    def _with(self, spec: QuerySpec) -> Self:
        changed = copy(self)
        changed._spec = spec
        return changed

    def _as(self, kind: type[Q]) -> Q:
        """Return the same query as another class runs it."""
        changed = kind.__new__(kind)
        for name in _slots(type(self)):
            setattr(changed, name, getattr(self, name))
        return changed

    def filter(self, *conditions: Condition[M]) -> Self:
        """Return this query with more conditions; all of them must be met.

        Parameters:
            *conditions: `fld["age"] > 25`, or `lambda u: u.age > 25`.

        Raises:
            UnknownFieldError: A condition names a field that the model lacks.
            QueryError: A condition is not one.
        """
        spec = self._spec
        for condition in conditions:
            predicate = to_predicate(condition, self._resolver)
            spec = spec.with_filter(compile_predicate(predicate, self._resolver))
        return self._with(spec)

    def sort(self, *keys: str | Field, descending: bool = False) -> Self:
        """Return this query sorted; further keys decide among equals of the earlier ones.

        Parameters:
            *keys: Field names; `"-age"` turns the direction of one key around.
            descending: Sort from large to small.

        Raises:
            UnknownFieldError: The model lacks a field.
        """
        if not keys:
            raise QueryError("sort() needs a field", hint='sort("age", descending=True)')
        return self._with(self._spec.with_sort(tuple(self._sort_keys(keys, descending))))

    def _sort_keys(
        self, keys: Iterable[str | Field], descending: bool
    ) -> Iterable[tuple[str, int]]:
        for key in keys:
            path = key.path if isinstance(key, Field) else str(key)
            turned = path.startswith("-")
            yield self._stored(path.removeprefix("-")), -1 if turned != descending else 1

    def _expression(self, value: Any) -> Any:
        return f"${self._stored(value.path)}" if isinstance(value, Field) else value

    def _stored(self, path: str) -> str:
        return self._resolver.resolve(path).path if self._resolver else path

    def skip(self, count: int) -> Self:
        """Return this query without its first `count` results."""
        return self._with(self._spec.with_skip(count))

    def limit(self, count: int) -> Self:
        """Return this query with at most `count` results; 0 gives none."""
        return self._with(self._spec.with_limit(count))

    def sample(self, size: int) -> Self:
        """Return this query with `size` of its results, picked at random."""
        check_count("sample", size)
        return self._with(self._spec.with_stage({"$sample": {"size": size}}))

    def _projected(self, names: tuple[str | Field, ...], fields: Mapping[str, Any]) -> QuerySpec:
        shape: dict[str, Any] = {}
        for name in names:
            path = name.path if isinstance(name, Field) else name
            if path.startswith("-"):
                shape[self._stored(path[1:])] = 0
            else:
                shape[self._stored(path)] = 1
        shape.update({name: self._expression(value) for name, value in fields.items()})
        if not shape:
            raise QueryError("project() needs a field", hint='project("name", "age")')
        return self._spec.with_stage({"$project": shape})

    def _extended(self, fields: Mapping[str, Any]) -> QuerySpec:
        if not fields:
            raise QueryError("add_fields() needs a field", hint='add_fields(total={"$sum": "$x"})')
        added = {name: self._expression(value) for name, value in fields.items()}
        return self._spec.with_stage({"$addFields": added})

    def _grouped(self, keys: tuple[str | Field, ...], accumulators: Accumulators) -> QuerySpec:
        stored = [self._stored(k.path if isinstance(k, Field) else k) for k in keys]
        grouped = {"_id": group_key(stored), **compile_accumulators(accumulators, self._stored)}
        return self._spec.with_stage({"$group": grouped})

    def _joined(
        self,
        source: str | type[Any],
        local_field: str | Field,
        foreign_field: str | Field,
        as_: str | None,
        pipeline: AggregationStages | None,
    ) -> QuerySpec:
        name = source if isinstance(source, str) else declaration_of(source).collection_name
        foreign = foreign_field.path if isinstance(foreign_field, Field) else foreign_field
        if not isinstance(source, str):
            foreign = ModelResolver(source).resolve(foreign).path
        local = local_field.path if isinstance(local_field, Field) else local_field
        stage: dict[str, Any] = {
            "from": name,
            "localField": self._stored(local),
            "foreignField": foreign,
            "as": as_ or name,
        }
        scope = {} if isinstance(source, str) else scope_of(source)
        stages = [
            *([{"$match": scope}] if scope else []),
            *(pipeline.to_list() if pipeline else []),
        ]
        if stages:
            stage["pipeline"] = stages
        return self._spec.with_stage({"$lookup": stage})

    def _followed_by(self, stages: AggregationStages) -> QuerySpec:
        spec = self._spec
        for stage in stages.to_list():
            spec = spec.with_stage(stage)
        return spec


def _slots(kind: type) -> list[str]:
    return [name for base in kind.__mro__ for name in base.__dict__.get("__slots__", ())]
