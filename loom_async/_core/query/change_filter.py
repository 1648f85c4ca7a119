"""Rewrites a query's filter so that it matches the events of a change stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .options import QueryOptions
from .query_spec import QuerySpec

_DOCUMENT_OPERATIONS = ["insert", "update", "replace", "delete"]
_LOGICAL = {"$and", "$or", "$nor"}
_WITHOUT_FIELDS = {"$comment", "$sampleRate", "$alwaysTrue", "$alwaysFalse"}
# MongoDB accepts a collation, and ignores it in the filters of changes.
_REFUSED_OPTIONS = ("hint", "collation", "max_time_ms", "batch_size", "allow_disk_use")
_GEO_SORTING = {"$near", "$nearSphere", "$geoNear"}


def change_pipeline(spec: QuerySpec) -> list[dict[str, Any]]:
    """Return the pipeline of a change stream whose documents match a query's filter.

    Events of the whole collection pass every filter: they end the change stream.

    Parameters:
        spec: A query of filters alone.

    Raises:
        QueryError: The query has more than filters, or a filter or an option that change streams do
            not support.
    """
    if spec.stages or spec.sort or spec.skip or spec.limit is not None:
        raise QueryError(
            "watch() takes a query of filters alone: changes come in the order in which they "
            "happen, and do not end",
            hint="leave out sort(), skip(), limit() and sample(); break ends the loop",
        )
    _check_options(spec.options)
    condition = spec.filter
    if not condition:
        return []
    # The event of a deletion has the document's id alone.
    field = "documentKey" if _uses_ids_only(condition) else "fullDocument"
    # Without this, "is not 5" would match an event that has no document.
    has_document = {field: {"$type": "object"}}
    matches = {"$and": [has_document, nested_filter(condition, field)]}
    of_collection = {"operationType": {"$nin": _DOCUMENT_OPERATIONS}}
    return [{"$match": {"$or": [of_collection, matches]}}]


def _check_options(options: QueryOptions) -> None:
    refused = [name for name in _REFUSED_OPTIONS if getattr(options, name) is not None]
    if options.skips_invalid:
        refused.append("on_invalid")
    if refused:
        raise QueryError(
            f"watch() takes no {refused[0]}: a change stream reads the server's log of changes, "
            "without an end",
            hint="it takes comment and read_preference",
        )


def nested_filter(condition: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return the filter that a document meets if its subdocument in a field meets a condition.

    Parameters:
        condition: A MongoDB filter.
        field: The name of the field that holds the subdocument.

    Raises:
        QueryError: Change streams do not support the filter.
    """
    return _Rewriter(field).filter(condition)


def _uses_ids_only(condition: Mapping[str, Any]) -> bool:
    return all(
        all(is_mapping(part) and _uses_ids_only(part) for part in operand)
        if key in _LOGICAL and is_sequence(operand)
        else key.partition(".")[0] in {"_id", "$comment"}
        for key, operand in condition.items()
    )


class _Rewriter:
    """Prefixes the field paths of filters and expressions with a field.

    Parameters:
        field: The name of the field.
    """

    def __init__(self, field: str) -> None:
        self._field = field

    def filter(self, condition: object) -> dict[str, Any]:
        """Return a filter with its paths prefixed."""
        if not is_mapping(condition):
            raise QueryError(f"{condition!r} is not a MongoDB filter")
        return dict(self._clause(key, operand) for key, operand in condition.items())

    def _clause(self, key: str, operand: Any) -> tuple[str, Any]:
        if not key.startswith("$"):
            _check_operators(operand)
            return f"{self._field}.{key}", operand
        if key in _LOGICAL:
            if not is_sequence(operand):
                raise QueryError(f"{key} takes a list of MongoDB filters, not {operand!r}")
            return key, [self.filter(part) for part in operand]
        if key == "$expr":
            return key, self._expression(operand)
        if key == "$jsonSchema":
            return key, {"properties": {self._field: operand}}
        if key in _WITHOUT_FIELDS:
            return key, operand
        raise _refused(key)

    def _expression(self, node: Any) -> Any:
        if isinstance(node, str):
            return self._path(node)
        if is_sequence(node):
            return [self._expression(item) for item in node]
        if is_mapping(node):
            return {key: self._operand(key, operand) for key, operand in node.items()}
        return node

    def _path(self, text: str) -> str:
        if not text.startswith("$$"):
            return f"${self._field}.{text[1:]}" if text.startswith("$") else text
        variable, dot, rest = text[2:].partition(".")
        return f"${self._field}{dot}{rest}" if variable in {"ROOT", "CURRENT"} else text

    def _operand(self, key: str, operand: Any) -> Any:
        if key in {"$literal", "$const"}:
            return operand
        if key == "$getField":
            return self._get_field(operand)
        if key == "$meta":
            raise _refused(key)
        if key == "$let" and is_mapping(operand) and "CURRENT" in operand.get("vars", {}):
            raise QueryError(
                "a change stream's filter cannot have a $let that sets CURRENT",
                hint="give the variable a name of its own",
            )
        return self._expression(operand)

    def _get_field(self, operand: Any) -> dict[str, Any]:
        # The short form, and a $getField without input, read the whole document.
        if not is_mapping(operand) or "field" not in operand:
            return {"field": operand, "input": f"${self._field}"}
        return {**operand, "input": self._expression(operand.get("input", "$$CURRENT"))}


def _check_operators(operand: Any) -> None:
    if not is_mapping(operand) or not str(next(iter(operand), "")).startswith("$"):
        return  # a value
    for operator, value in operand.items():
        if operator in _GEO_SORTING:
            raise _refused(operator)
        if operator == "$not":
            _check_operators(value)


def _refused(operator: str) -> QueryError:
    return QueryError(
        f"a change stream cannot have {operator} in its filter",
        hint="MongoDB filters each change as it comes, without an index: use within() in place of "
        "near(), matches() or contains() in place of text()",
    )
