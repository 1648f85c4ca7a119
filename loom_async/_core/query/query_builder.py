"""Builds queries by `filter`, `sort`, `skip`, `limit` and `sample`; sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from pymongo.collation import Collation

from ..argument_checks import check_count
from ..errors import QueryError
from ..model.declaration import declaration_of
from ..model.polymorphism import scope_of
from .comparability import check_sortable
from .condition import Condition, to_predicate
from .fields import Field
from .filter_compiler import compile_predicate
from .grouping import Accumulators, compile_accumulators, group_key
from .index_hint import Hint
from .model_resolver import model_resolver
from .options import OnInvalid, ReadPreferenceMode, checked_options
from .paths import FieldResolver, check_path
from .query_spec import QuerySpec
from .raw_values import encode_raw
from .sort_order import SortKey, sort_orders
from .stages import AggregationStages, as_stages

M = TypeVar("M")
Q = TypeVar("Q", bound="QueryBuilder[Any]")


class QueryBuilder(Generic[M]):
    """An immutable query: the part of it that does no I/O.

    The public methods here keep the type of the results. The `_with_…` methods add stages that
    reshape the documents, for the classes that run queries.

    Parameters:
        model: The class whose collection is queried.
        spec: The clauses and stages so far.
        resolver: The model's fields; None once a stage has reshaped the documents, and any name
            is accepted.
    """

    __slots__ = ("_model", "_resolver", "_spec")

    _attributes: ClassVar[tuple[str, ...]] = __slots__

    def __init__(self, model: type[Any], spec: QuerySpec, resolver: FieldResolver | None) -> None:
        self._model = model
        self._spec = spec
        self._resolver = resolver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._model.__name__}: {self._spec.pipeline()}>"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("__slots__", ())
        cls._attributes = (*cls._attributes, *own)

    def _with_spec(self, spec: QuerySpec) -> Self:
        changed = self._as(type(self))
        changed._spec = spec
        return changed

    def _as(self, kind: type[Q]) -> Q:
        """Return this query as an object of its class in the other package, which can run it."""
        converted = kind.__new__(kind)
        for name in self._attributes:
            setattr(converted, name, getattr(self, name))
        return converted

    def filter(self, *conditions: Condition[M]) -> Self:
        """Return this query with more conditions; all of them must be met.

        Parameters:
            *conditions: `fld["age"] > 25`, or `lambda u: u.age > 25`.

        Raises:
            UnknownFieldError: A condition names a field that the model lacks.
            QueryError: An argument is not a condition.
        """
        spec = self._spec
        for condition in conditions:
            predicate = to_predicate(condition, self._resolver)
            spec = spec.with_filter(compile_predicate(predicate, self._resolver))
        return self._with_spec(spec)

    def sort(self, *keys: SortKey[M], descending: bool = False) -> Self:
        """Sort this query; later keys order results whose earlier keys are equal.

        Parameters:
            *keys: Field names, fields, or pairs of a field and 1 or -1; also as a list, a mapping,
                or a lambda: `sort("age", "-name")`, `sort(-fld["age"])`, `sort([("age", -1)])`,
                `sort(lambda u: -u.age)`.
            descending: Sort from large to small; `"-age"` and `-fld["age"]` then from small to
                large.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: There is no key, a direction is neither 1 nor -1, or MongoDB would not sort
                the stored values as Python sorts the values.
        """
        orders = sort_orders(keys, self._resolver, descending=descending)
        stored = tuple((self._sortable_path(path), direction) for path, direction in orders)
        return self._with_spec(self._spec.with_sort(stored))

    def skip(self, count: int) -> Self:
        """Return this query without its first `count` results."""
        return self._with_spec(self._spec.with_skip(count))

    def limit(self, count: int) -> Self:
        """Return this query with at most `count` results; 0 gives none."""
        return self._with_spec(self._spec.with_limit(count))

    def sample(self, size: int) -> Self:
        """Return this query with `size` of its results, chosen at random."""
        check_count("sample", size)
        return self._with_spec(self._spec.with_stage({"$sample": {"size": size}}))

    def options(
        self,
        *,
        hint: Hint | None = None,
        collation: Mapping[str, Any] | Collation | None = None,
        comment: Any = None,
        max_time_ms: int | None = None,
        batch_size: int | None = None,
        allow_disk_use: bool | None = None,
        read_preference: ReadPreferenceMode | str | None = None,
        on_invalid: OnInvalid | None = None,
    ) -> Self:
        """Return this query with options; those that are None stay as they are.

        They apply however the query runs. `update` and `delete` write to the primary and return
        no documents: `batch_size`, `allow_disk_use`, `read_preference` and `on_invalid` have no
        effect on them.

        Parameters:
            hint: The name of an index, or its keys by field name in the forms of `sort`:
                `["age", "-name"]`, `{"age": -1}`.
            collation: How strings are compared: a dict such as `{"locale": "en", "strength": 2}`,
                or pymongo's `Collation`.
            comment: A BSON value that the server's log and profiler show.
            max_time_ms: The longest time that the server may work on the query, in milliseconds.
                A query that takes longer raises `OperationTimeout`.
            batch_size: The number of documents in each reply of the server.
            allow_disk_use: Whether the server may sort and group in temporary files.
            read_preference: `"primary"`, `"primaryPreferred"`, `"secondary"`,
                `"secondaryPreferred"`, `"nearest"`, or a mode of `pymongo.ReadPreference`.
            on_invalid: `"raise"` raises `InvalidDocument` at a document that does not fit the
                model; `"skip"` leaves it out, logs it, and counts it in `skipped_documents`.

        Raises:
            QueryError: An option has a value that MongoDB does not take.
            UnknownFieldError: `hint` names a field that the model lacks.
            EncodingError: The comment cannot be stored as BSON.

        Example:
            >>> import loom_async as lm
            >>> class User(lm.Persistable):
            ...     age: int
            >>> query = User.filter().options(hint=["age"], max_time_ms=500)
        """
        checked = checked_options(
            model_resolver(self._model),  # the index is one of the stored documents
            hint=hint,
            collation=collation,
            comment=comment,
            max_time_ms=max_time_ms,
            batch_size=batch_size,
            allow_disk_use=allow_disk_use,
            read_preference=read_preference,
            on_invalid=on_invalid,
        )
        return self._with_spec(self._spec.with_options(checked))

    def _with_projection(
        self, names: Iterable[str | Field], expressions: Mapping[str, Any]
    ) -> QuerySpec:
        projection: dict[str, Any] = {}
        for name in names:
            path = _path_of(name)
            is_kept = not path.startswith("-")
            projection[self._stored_path(path.removeprefix("-"))] = int(is_kept)
        projection |= self._compiled(expressions)
        if not projection:
            raise QueryError("project() needs a field", hint='project("name", "age")')
        return self._with_stages(AggregationStages().project(projection))

    def _with_added_fields(self, expressions: Mapping[str, Any]) -> QuerySpec:
        if not expressions:
            raise QueryError("add_fields() needs a field", hint='add_fields(total={"$sum": "$x"})')
        return self._with_stages(AggregationStages().add_fields(self._compiled(expressions)))

    def _with_group(self, keys: Iterable[str | Field], accumulators: Accumulators) -> QuerySpec:
        key = group_key([self._stored_path(_path_of(key)) for key in keys])
        compiled = compile_accumulators(accumulators, self._stored_path, self._as_expression)
        return self._with_stages(AggregationStages().group({"_id": key, **compiled}))

    def _with_lookup(
        self,
        source: str | type[Any],
        local_field: str | Field,
        foreign_field: str | Field,
        as_: str | None,
        pipeline: AggregationStages | None,
    ) -> QuerySpec:
        foreign_path = _path_of(foreign_field)
        stages = AggregationStages()
        if isinstance(source, str):
            name = source
        else:
            name = declaration_of(source).collection_name
            foreign_path = model_resolver(source).resolve(foreign_path).path
            if scope := scope_of(source):
                stages = stages.match(scope)
        if pipeline is not None:
            stages = stages + pipeline
        lookup = AggregationStages().lookup(
            name,
            as_=as_ or name,
            local_field=self._stored_path(_path_of(local_field)),
            foreign_field=foreign_path,
            pipeline=stages if len(stages) else None,
        )
        return self._with_stages(lookup)

    def _with_stages(self, stages: AggregationStages | Sequence[Mapping[str, Any]]) -> QuerySpec:
        spec = self._spec
        for stage in as_stages(stages):
            spec = spec.with_stage(stage)
        return spec

    def _compiled(self, expressions: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: encode_raw(value, f"the expression of {name!r}", self._as_expression)
            for name, value in expressions.items()
        }

    def _as_expression(self, value: Any) -> Any:
        return f"${self._stored_path(value.path)}" if isinstance(value, Field) else value

    def _sortable_path(self, path: str) -> str:
        if self._resolver is None:
            return path
        field = self._resolver.resolve(path)
        check_sortable(field, path)
        return field.path

    def _stored_path(self, path: str) -> str:
        return self._resolver.resolve(path).path if self._resolver else path


def _path_of(field: str | Field) -> str:
    if isinstance(field, Field):
        return field.path
    return field if isinstance(field, str) else check_path(field)
