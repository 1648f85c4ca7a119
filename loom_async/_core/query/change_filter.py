"""A query's filter as a change stream takes it: about the document that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .query_spec import QuerySpec

_OF_A_DOCUMENT = ["insert", "update", "replace", "delete"]
_LOGICAL = {"$and", "$or", "$nor"}
_WITHOUT_FIELDS = {"$comment", "$sampleRate", "$alwaysTrue", "$alwaysFalse"}
_SORTING = {"$near", "$nearSphere", "$geoNear"}


def change_pipeline(spec: QuerySpec) -> list[dict[str, Any]]:
    """Return the stages that leave of a change stream what a query is about.

    What happens to the collection as a whole passes every filter: it ends the stream.

    Parameters:
        spec: A query of filters alone.

    Raises:
        QueryError: The query has more than filters, or a filter that change streams do not take.
    """
    if spec.stages or spec.sort or spec.skip or spec.limit is not None:
        raise QueryError(
            "watch() takes a query of filters alone: changes come in the order in which they "
            "happen, without end",
            hint="leave out sort(), skip(), limit() and sample(); break ends the loop",
        )
    condition = spec.filter
    if not condition:
        return []
    # A deletion has no document that could be asked for more than its id.
    carrier = "documentKey" if _is_about_ids(condition) else "fullDocument"
    # Without the check, "is not 5" would be true of a document that is not there.
    present = {carrier: {"$type": "object"}}
    chosen = {"$and": [present, _Rewriter(carrier).filter(condition)]}
    whole = {"operationType": {"$nin": _OF_A_DOCUMENT}}
    return [{"$match": {"$or": [whole, chosen]}}]


def carried(condition: Mapping[str, Any], carrier: str) -> dict[str, Any]:
    """Return a filter that means of `document[carrier]` what another one means of the document.

    Parameters:
        condition: A MongoDB filter.
        carrier: The name of the field that holds the document.

    Raises:
        QueryError: Change streams do not take the filter.
    """
    return _Rewriter(carrier).filter(condition)


def _is_about_ids(condition: Mapping[str, Any]) -> bool:
    return all(
        all(is_mapping(part) and _is_about_ids(part) for part in operand)
        if key in _LOGICAL and is_sequence(operand)
        else key.partition(".")[0] in {"_id", "$comment"}
        for key, operand in condition.items()
    )


class _Rewriter:
    """Has filters and expressions speak of a field's document where they spoke of the document.

    Parameters:
        carrier: The name of the field.
    """

    def __init__(self, carrier: str) -> None:
        self._carrier = carrier

    def filter(self, condition: object) -> dict[str, Any]:
        """Return a filter about the field's document."""
        if not is_mapping(condition):
            raise QueryError(f"{condition!r} is no MongoDB filter")
        return dict(self._clause(key, operand) for key, operand in condition.items())

    def _clause(self, key: str, operand: Any) -> tuple[str, Any]:
        if not key.startswith("$"):
            _check_operators(operand)
            return f"{self._carrier}.{key}", operand
        if key in _LOGICAL:
            if not is_sequence(operand):
                raise QueryError(f"{key} takes a list of MongoDB filters, not {operand!r}")
            return key, [self.filter(part) for part in operand]
        if key == "$expr":
            return key, self._expression(operand)
        if key == "$jsonSchema":
            return key, {"properties": {self._carrier: operand}}
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
            return f"${self._carrier}.{text[1:]}" if text.startswith("$") else text
        variable, dot, rest = text[2:].partition(".")
        return f"${self._carrier}{dot}{rest}" if variable in {"ROOT", "CURRENT"} else text

    def _operand(self, key: str, operand: Any) -> Any:
        if key in {"$literal", "$const"}:
            return operand
        if key == "$getField":
            return self._field_of(operand)
        if key == "$meta":
            raise _refused(key)
        if key == "$let" and is_mapping(operand) and "CURRENT" in operand.get("vars", {}):
            raise QueryError(
                "a change stream's filter cannot have a $let that sets CURRENT",
                hint="give the variable a name of its own",
            )
        return self._expression(operand)

    def _field_of(self, operand: Any) -> dict[str, Any]:
        # Its short form, and one without input, speak of the whole document.
        if not is_mapping(operand) or "field" not in operand:
            return {"field": operand, "input": f"${self._carrier}"}
        return {**operand, "input": self._expression(operand.get("input", "$$CURRENT"))}


def _check_operators(operand: Any) -> None:
    if not is_mapping(operand) or not str(next(iter(operand), "")).startswith("$"):
        return  # a value
    for operator, value in operand.items():
        if operator in _SORTING:
            raise _refused(operator)
        if operator == "$not":
            _check_operators(value)


def _refused(operator: str) -> QueryError:
    return QueryError(
        f"a change stream cannot have {operator} in its filter",
        hint="MongoDB asks each change as it comes, without an index: use within() in place of "
        "near(), matches() or contains() in place of text()",
    )
