"""Paths of updates to elements of arrays: `items.$`, `items.$[]`, and `items.$[x]` with filters.

An array filter is a MongoDB filter whose paths begin with the identifier instead of the array:
`{"x.count": {"$gte": 5}}` for `items.$[x]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bson import Regex

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from ..types.codec import ANY, Codec
from .expressions import Combinable
from .left_out import thinning
from .model_resolver import ModelResolver
from .paths import ResolvedField
from .update_values import value_checker

_MATCHED = "$"
_POSITION = re.compile(r"\$(?:\[(?P<identifier>[^\]]*)\])?")
_IDENTIFIER = re.compile(r"[a-z][a-zA-Z0-9]*")
_LOGICAL = frozenset({"$and", "$or", "$nor"})
# Operators whose operands are values, or arrays of values.
_VALUE = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
_VALUES = frozenset({"$in", "$nin", "$all"})


class ArrayPathResolver(ModelResolver):
    """Finds the fields of an update, whose paths may name elements of arrays.

    Parameters:
        model: A pydantic model.
    """

    def __init__(self, model: type[Any]) -> None:
        super().__init__(model)
        #: The codecs of the elements that each identifier names.
        self.elements: dict[str, list[Codec]] = {}
        #: The first path with the element that the query matched; None if there is none.
        self.matched_path: str | None = None

    def resolve(self, path: str) -> ResolvedField:
        """Return the field at a dotted path, with the check of its values."""
        field = self._found(path)  # each time: it notes the identifiers
        head, _, key = path.rpartition(".")
        holder = self._walk(self.codec, None, head, "")[1] if head else self.codec
        check = value_checker(holder, key)
        if check is not None and self.sparse is not None:
            check = thinning(self.sparse, field.path, check)
        return field._replace(check=check)

    def _child(self, codec: Codec, key: str, path: str) -> tuple[str, Codec] | None:
        found = _POSITION.fullmatch(key)
        if found is None:
            return super()._child(codec, key, path)
        element = codec.element()
        if element is None:
            raise QueryError(
                f"{key!r} in {path!r} names elements, and what is before it is not an array",
                hint='write it after the name of an array: "items.$[].count"',
            )
        identifier = found["identifier"]
        if key == _MATCHED:
            self._add_matched(path)
        elif identifier:
            self._add(identifier, element, path)
        return key, element

    def _add_matched(self, path: str) -> None:
        if path.split(".").count(_MATCHED) > 1:
            raise QueryError(
                f"{path!r} has more than one $: a query matches an element of one array",
                hint="name the elements of the other arrays by $[] or $[x]",
            )
        self.matched_path = self.matched_path or path

    def _add(self, identifier: str, element: Codec, path: str) -> None:
        if not _IDENTIFIER.fullmatch(identifier):
            raise QueryError(
                f"{identifier!r} in {path!r} cannot name elements",
                hint="an identifier is a lower-case letter, then letters and digits: $[item]",
            )
        self.elements.setdefault(identifier, []).append(element)

    def locate(self, codec: Codec, path: str, where: str) -> tuple[str, Codec]:
        """Return the stored path and the codec of a path below an element; "" is the element."""
        if not path:
            return "", codec
        stored, found, _ = self._walk(codec, None, path, where)
        return stored, found


def compile_array_filters(
    resolver: ArrayPathResolver, filters: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return array filters with stored names and values.

    Parameters:
        resolver: The resolver that has resolved all paths of the update.
        filters: MongoDB's filters, one for each identifier.

    Raises:
        UnknownFieldError: The elements lack a field.
        QueryError: An identifier has no filter, or more than one; a filter has no identifier of
            the update, or more than one.
    """
    if not is_sequence(filters):
        raise QueryError(
            f"array_filters takes a list of filters, not {filters!r}",
            hint='array_filters=[{"x.count": {"$gte": 5}}]',
        )
    compiled: dict[str, dict[str, Any]] = {}
    for condition in filters:
        identifier = _identifier_of(resolver, condition)
        if identifier in compiled:
            raise QueryError(
                f"array_filters has two filters for $[{identifier}]",
                hint='combine them: {"$and": […]}',
            )
        compiled[identifier] = _of_all_arrays(resolver, condition, identifier)
    missing = [name for name in resolver.elements if name not in compiled]
    if missing:
        raise QueryError(
            f"the update names elements by $[{missing[0]}], which has no filter",
            hint=f'array_filters=[{{"{missing[0]}": …}}], or $[] for all elements',
        )
    return list(compiled.values())


def _identifier_of(resolver: ArrayPathResolver, condition: Any) -> str:
    if not is_mapping(condition):
        raise QueryError(
            f"an array filter is a MongoDB filter, not {condition!r}",
            hint='array_filters=[{"x.count": {"$gte": 5}}]',
        )
    found = sorted(set(_identifiers(condition)))
    if len(found) != 1:
        raise QueryError(
            f"the array filter {condition!r} names {' and '.join(found) or 'no element'}",
            hint="each filter is on the elements of one identifier",
        )
    if found[0] not in resolver.elements:
        used = ", ".join(f"$[{name}]" for name in resolver.elements)
        raise QueryError(
            f"the array filter {condition!r} is for $[{found[0]}], which the update does not name",
            hint=f"the update has {used}" if used else 'write it as "items.$[x].count"',
        )
    return found[0]


def _identifiers(condition: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for key, operand in condition.items():
        if key in _LOGICAL:
            for part in _parts(key, operand):
                names += _identifiers(part)
        elif key.startswith("$"):
            raise QueryError(
                f"an array filter cannot have {key!r} outside of a field",
                hint='write it as {"x.count": {"$gte": 5}}',
            )
        else:
            names.append(key.partition(".")[0])
    return names


def _parts(operator: str, operand: Any) -> list[Mapping[str, Any]]:
    if not is_sequence(operand) or not all(map(is_mapping, operand)):
        raise QueryError(f"{operator} takes a list of filters, not {operand!r}")
    return list(operand)


def _of_all_arrays(
    resolver: ArrayPathResolver, condition: Mapping[str, Any], identifier: str
) -> dict[str, Any]:
    """Return a filter that the elements of all arrays with an identifier have in common."""
    forms = [
        _Filter(resolver, codec, f"$[{identifier}]").compile(condition, identifier)
        for codec in resolver.elements[identifier]
    ]
    if any(form != forms[0] for form in forms):
        raise QueryError(
            f"$[{identifier}] names elements of several arrays, which store {condition!r} "
            "differently",
            hint="use an identifier of its own for each array",
        )
    return forms[0]


class _Filter:
    """Compiles a filter on the elements of one array."""

    def __init__(self, resolver: ArrayPathResolver, codec: Codec, where: str) -> None:
        self._resolver = resolver
        self._codec = codec
        self._where = where

    def compile(self, condition: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """Return a filter with stored names and values; all its paths begin with `prefix`."""
        compiled: dict[str, Any] = {}
        for key, operand in condition.items():
            if key in _LOGICAL:
                compiled[key] = [self.compile(part, prefix) for part in _parts(key, operand)]
                continue
            below = key.removeprefix(prefix).removeprefix(".")
            stored, codec = self._resolver.locate(self._codec, below, self._where)
            path = f"{prefix}.{stored}" if prefix and stored else prefix or stored
            compiled[path] = self._condition(codec, operand)
        return compiled

    def _condition(self, codec: Codec, operand: Any) -> Any:
        if is_mapping(operand) and operand and all(str(key).startswith("$") for key in operand):
            return {key: self._operand(codec, key, value) for key, value in operand.items()}
        value = self._value(codec, operand)
        return {"$eq": value} if is_mapping(value) else value

    def _operand(self, codec: Codec, operator: str, operand: Any) -> Any:
        if operator in _VALUE:
            return self._value(codec, operand)
        if operator in _VALUES and is_sequence(operand):
            return [self._value(codec, item) for item in operand]
        if operator == "$not" and is_mapping(operand):
            return self._condition(codec, operand)
        if operator == "$elemMatch" and is_mapping(operand):
            element = codec.element() or ANY
            if all(key.startswith("$") and key not in _LOGICAL for key in operand):
                return self._condition(element, operand)
            return _Filter(self._resolver, element, self._where).compile(operand, "")
        return operand

    def _value(self, codec: Codec, value: Any) -> Any:
        literal = _value(codec, value)
        sparse = None if self._resolver.sparse is None else codec.sparse
        return literal if sparse is None else sparse.thin(literal)


def _value(codec: Codec, value: Any) -> Any:
    if isinstance(value, re.Pattern | Regex):
        return value  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Combinable):
        raise QueryError(
            f"an array filter takes MongoDB's operators, not {value!r}",
            hint='write it as {"x.count": {"$gte": 5}}',
        )
    return codec.literal(value)
