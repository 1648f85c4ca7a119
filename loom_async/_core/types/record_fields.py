"""The fields of dataclasses, `TypedDict`s and `NamedTuple`s, and their names in documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import (
    Annotated,
    Any,
    NamedTuple,
    NotRequired,
    Required,
    cast,
    get_args,
    get_origin,
)

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, is_typeddict

from .registry import is_named_tuple
from .stored_as import StoredName
from .type_arguments import (
    arguments_of,
    has_generic_bases,
    hints_of,
    resolved_hints,
    with_arguments,
)


class RecordField(NamedTuple):
    """One field of a record.

    Parameters:
        name: The name of the attribute, or the key.
        stored_name: The name in documents.
        input_name: The name that pydantic validates.
        annotation: The annotation, with its metadata.
        is_init: Whether `__init__` takes the field.
        is_unchecked: Whether pydantic validates the field as a type variable without arguments:
            its type arguments are those of a base class.
    """

    name: str
    stored_name: str
    input_name: str
    annotation: Any
    is_init: bool = True
    is_unchecked: bool = False


def record_fields(annotation: Any) -> tuple[RecordField, ...]:
    """Return the fields of a dataclass, a `TypedDict` or a `NamedTuple`, in their order.

    Parameters:
        annotation: The class, with its type arguments if it has any.

    Raises:
        NameError: An annotation names something that does not exist.
    """
    kind: Any = get_origin(annotation) or annotation
    arguments = arguments_of(annotation)
    hints = hints_of(kind)
    exact = resolved_hints(kind, arguments) if has_generic_bases(kind) else {}
    fields: list[RecordField] = []
    for name, info, is_init in _declared(kind):
        checked = with_arguments(hints.get(name, Any), arguments)
        hint = exact.get(name, checked)
        field = _field(name, hint, info)._replace(is_init=is_init, is_unchecked=hint != checked)
        fields.append(field)
    return tuple(fields)


def _field(name: str, annotation: Any, declared: FieldInfo | None) -> RecordField:
    while get_origin(annotation) in (Required, NotRequired, ReadOnly):
        (annotation,) = get_args(annotation)
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    infos = [declared] if declared is not None else []
    infos += [item for item in metadata if isinstance(item, FieldInfo)]
    aliases = [alias for info in infos if (alias := input_name_of(info)) is not None]
    input_name = aliases[0] if aliases else name
    own = [item.name for item in metadata if isinstance(item, StoredName)]
    return RecordField(name, own[0] if own else input_name, input_name, annotation)


def input_name_of(info: FieldInfo) -> str | None:
    """Return the first alias that validation reads; None if it reads the name of the field."""
    alias: Any = info.validation_alias if info.validation_alias is not None else info.alias
    choices: list[Any] = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((choice for choice in choices if isinstance(choice, str)), None)


def _declared(kind: Any) -> Iterator[tuple[str, FieldInfo | None, bool]]:
    """Yield the fields: the name, pydantic's account of it, and whether `__init__` takes it."""
    if is_typeddict(kind):
        yield from ((name, None, True) for name in kind.__annotations__)
    elif is_named_tuple(kind):
        yield from ((name, None, True) for name in kind._fields)
    else:
        known = cast("dict[str, FieldInfo]", getattr(kind, "__pydantic_fields__", {}))
        for field in dataclasses.fields(kind):
            default = field.default if isinstance(field.default, FieldInfo) else None
            yield field.name, known.get(field.name, default), field.init
