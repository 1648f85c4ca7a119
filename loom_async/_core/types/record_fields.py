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
    get_type_hints,
)

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, is_typeddict

from .registry import is_named_tuple
from .stored_as import StoredName


class RecordField(NamedTuple):
    """One field of a record.

    Parameters:
        name: The name of the attribute, or the key.
        stored_name: The name in documents.
        input_name: The name that pydantic validates.
        annotation: The annotation, with its metadata.
    """

    name: str
    stored_name: str
    input_name: str
    annotation: Any


def record_fields(kind: Any) -> tuple[RecordField, ...]:
    """Return the fields of a dataclass, a `TypedDict` or a `NamedTuple`, in their order.

    Parameters:
        kind: The class.

    Raises:
        NameError: An annotation names something that does not exist.
    """
    hints = _annotations(kind)
    return tuple(_field(name, hints.get(name, Any), info) for name, info in _declared(kind))


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


def _declared(kind: Any) -> Iterator[tuple[str, FieldInfo | None]]:
    """Yield the names of the fields that are initialised, with pydantic's account of them."""
    if is_typeddict(kind):
        yield from ((name, None) for name in kind.__annotations__)
    elif is_named_tuple(kind):
        yield from ((name, None) for name in kind._fields)
    else:
        known = cast("dict[str, FieldInfo]", getattr(kind, "__pydantic_fields__", {}))
        for field in dataclasses.fields(kind):
            default = field.default if isinstance(field.default, FieldInfo) else None
            if field.init:
                yield field.name, known.get(field.name, default)


def _annotations(kind: Any) -> dict[str, Any]:
    # A class that was defined in a function may name itself.
    return get_type_hints(kind, localns={kind.__name__: kind}, include_extras=True)
