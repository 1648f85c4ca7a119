"""Compiles the arguments of `LoadDirective.update` to a MongoDB update.

The operand of a field is a value of the field. MongoDB reads some documents differently: as the
modifiers of `$push` and `$addToSet`, or as the condition of `$pull`. They are sent as such only if
no item of the field can be a document, or if the caller wraps them in `lm.raw`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from re import Pattern
from typing import Any

from bson import Regex

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .expressions import Combinable, Raw
from .filter_compiler import compile_element
from .paths import FieldResolver, ResolvedField, check_path
from .raw_values import encode_raw
from .stage_base import StageSequence
from .update_pipeline import compile_pipeline

# Operators whose operands are values of the field.
_VALUES = frozenset({"$set", "$setOnInsert", "$min", "$max", "$inc", "$mul", "$pullAll"})
_SETTING = frozenset({"$set", "$setOnInsert"})
_ADDING = frozenset({"$push", "$addToSet"})
# Operators of conditions whose operands are values of the field, or lists of them.
_COMPARISONS = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
_LISTS = frozenset({"$in", "$nin"})


def compile_update(
    resolver: FieldResolver,
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | StageSequence | None,
    fields: Mapping[str, Any],
    *,
    auto_values: Mapping[str, Any],
    revision: str | None = None,
    validate: bool = False,
) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the MongoDB update: a document of operators, or a pipeline.

    Parameters:
        resolver: The model's fields.
        values: Fields to set by dotted path, update operators (`{"$inc": {"age": 1}}`), or the
            stages of a pipeline.
        fields: More fields to set, by name.
        auto_values: The auto values that a write sets, encoded, by stored name.
        revision: The stored name of the field that counts the writes.
        validate: Whether to validate the values that fields are set to.

    Raises:
        UnknownFieldError: The model lacks a field.
        QueryError: There is nothing to update, fields and operators are mixed, or a field does not
            accept its value.
    """
    if is_sequence(values) or isinstance(values, StageSequence):
        if fields:
            raise QueryError(
                f"update mixes the stages of a pipeline with fields ({', '.join(fields)})",
                hint='put the fields into a stage: {"$set": …}',
            )
        return compile_pipeline(resolver, [*values], auto_values=auto_values, revision=revision)
    given = _checked(values)
    operators = {key: operand for key, operand in given.items() if key.startswith("$")}
    plain = {key: value for key, value in given.items() if not key.startswith("$")}
    if operators and plain:
        raise QueryError(
            f"update mixes fields ({', '.join(plain)}) with operators ({', '.join(operators)})",
            hint='put the field into {"$set": …}',
        )
    update: dict[str, dict[str, Any]] = {}
    for operator, operands in operators.items():
        if not is_mapping(operands):
            raise QueryError(f"{operator} takes a mapping of fields, not {operands!r}")
        update[operator] = _compile_operands(resolver, operator, operands, validate)
    if plain or fields:
        values_to_set = {**plain, **fields}
        compiled = _compile_operands(resolver, "$set", values_to_set, validate)
        update.setdefault("$set", {}).update(compiled)
    if not any(update.values()):
        raise QueryError("there is nothing to update", hint='update({"age": 3}) or update(age=3)')
    _add_auto_values(update, auto_values)
    if revision is not None:
        _add_revision(update, revision)
    return update


def _checked(values: object) -> dict[str, Any]:
    if values is None:
        return {}
    if not is_mapping(values):
        raise QueryError(
            f"update() takes a mapping, or the stages of a pipeline, not {values!r}",
            hint='update({"age": 3}), update(age=3)',
        )
    for key in values:
        if not isinstance(key, str):
            check_path(key)
    return dict(values)


def _compile_operands(
    resolver: FieldResolver, operator: str, operands: Mapping[str, Any], validate: bool
) -> dict[str, Any]:
    compiled: dict[str, Any] = {}
    for path, operand in operands.items():
        field = resolver.resolve(path)
        if field.path == "_id":
            raise QueryError("the id of a document never changes", hint="insert a new document")
        if operator == "$pull":
            compiled[field.path] = _pull_operand(resolver, path, field, operand)
        elif validate and operator in _SETTING:
            compiled[field.path] = _checked_value(field, operand)
        else:
            compiled[field.path] = _encoder(operator)(field, operand)
    return compiled


def _encoder(operator: str) -> Callable[[ResolvedField, Any], Any]:
    if operator in _ADDING:
        return _push_operand
    return _value if operator in _VALUES else partial(_raw_operand, operator)


def _value(field: ResolvedField, operand: Any) -> Any:
    if isinstance(operand, Combinable):
        raise QueryError(
            f"{field.path} is given {operand!r}, which is a condition or a field, not a value",
            hint="lm.raw({…}) gives $push and $addToSet modifiers, and $pull a condition",
        )
    return field.encode(operand)


def _checked_value(field: ResolvedField, operand: Any) -> Any:
    if field.check is None or isinstance(operand, Combinable):
        return _value(field, operand)
    return field.check(operand)


def _raw_operand(operator: str, field: ResolvedField, operand: Any) -> Any:
    return encode_raw(operand, f"{operator} of {field.path}")


def _push_operand(field: ResolvedField, operand: Any) -> Any:
    """Return the operand of `$push` or `$addToSet`: an item, or items with modifiers."""
    if isinstance(operand, Raw):
        return _modifiers(field, operand.filter)
    if not is_mapping(operand):
        item = _value(field, operand)
        return {"$each": [item]} if is_mapping(item) else item  # from an object of a model
    if not field.items.is_document and "$each" in operand:
        return _modifiers(field, operand)
    names = field.items.names
    if names is not None and "$each" in operand and "$each" not in names:
        raise QueryError(
            f"{operand!r} is not an item of {field.path}",
            hint='write several items, or modifiers, as lm.raw({"$each": […], "$slice": -10})',
        )
    return {"$each": [_value(field, operand)]}


def _modifiers(field: ResolvedField, operand: Mapping[str, Any]) -> dict[str, Any]:
    modifiers = {name: value for name, value in operand.items() if name != "$each"}
    encoded: dict[str, Any] = encode_raw(modifiers, f"the modifiers of {field.path}")
    if "$each" in operand:
        encoded["$each"] = [_value(field, item) for item in operand["$each"]]
    return encoded


def _pull_operand(resolver: FieldResolver, path: str, field: ResolvedField, operand: Any) -> Any:
    """Return the operand of `$pull`: the item to remove, or a condition on items."""
    if isinstance(operand, Combinable):
        alternatives = compile_element(operand.as_predicate(), resolver, path)
        if len(alternatives) > 1:
            raise QueryError(
                f"$pull cannot express {operand!r}: MongoDB takes no alternatives for plain items",
                hint="use is_in, or several updates one after another",
            )
        return alternatives[0]
    if is_mapping(operand):
        if not field.items.is_document:
            return _pull_condition(field, operand)
        operand = _value(field, operand)
        _check_whole(field, operand)
    elif _is_pattern(operand) and not field.items.is_pattern:
        return operand
    item = _value(field, operand)
    return {"$eq": item} if is_mapping(item) or _is_pattern(item) else item


def _pull_condition(field: ResolvedField, operators: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition on items that are no documents, given by MongoDB's operators."""
    condition: dict[str, Any] = {}
    for operator, operand in operators.items():
        if operator in _LISTS and is_sequence(operand):
            condition[operator] = [field.compared(value) for value in operand]
        elif operator in _COMPARISONS:
            condition[operator] = field.compared(operand, is_bound=operator not in ("$eq", "$ne"))
        else:
            condition[operator] = encode_raw(operand, f"$pull of {field.path}")
    return condition


def _check_whole(field: ResolvedField, operand: Mapping[str, Any]) -> None:
    """Raise an error for a document that equals no item, as it lacks a field that items have."""
    names = field.items.names
    if names is not None and not names <= operand.keys():
        raise QueryError(
            f"{operand!r} is not a whole item of {field.path}",
            hint='write a condition on items as a predicate, fld["sku"] == "x", or as lm.raw({…})',
        )


def _is_pattern(value: Any) -> bool:
    return isinstance(value, Pattern | Regex)


def _add_revision(update: dict[str, dict[str, Any]], revision: str) -> None:
    if any(revision in operands for operands in update.values()):
        raise QueryError(f"{revision} counts the writes and cannot be set", hint="leave it out")
    update.setdefault("$inc", {})[revision] = 1


def _add_auto_values(update: dict[str, dict[str, Any]], auto_values: Mapping[str, Any]) -> None:
    updated = {path for operands in update.values() for path in operands}
    missing = {path: value for path, value in auto_values.items() if path not in updated}
    if missing:
        update.setdefault("$set", {}).update(missing)
