"""The fields of a view: the class that `into` is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple, get_type_hints

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from ..errors import QueryError
from ..types.forms import Shape
from ..types.shapes import shape_of


class ViewField(NamedTuple):
    """One field of a view.

    Parameters:
        name: Its name.
        shape: Its type.
        is_required: Whether it has no default.
        is_none_by_default: Whether its default is None.
        sources: The dotted names under which it is looked for, in this order.
    """

    name: str
    shape: Shape
    is_required: bool
    is_none_by_default: bool
    sources: tuple[str, ...]


def has_fields(view: Any) -> bool:
    """Say whether a class is a pydantic model, a dataclass or a `TypedDict`."""
    if is_model(view):
        return not view.__pydantic_root_model__
    return is_typeddict(view) or (isinstance(view, type) and dataclasses.is_dataclass(view))


def is_model(view: Any) -> bool:
    """Say whether a class is a pydantic model."""
    return isinstance(view, type) and issubclass(view, BaseModel)


def view_fields(view: Any) -> Iterator[ViewField]:
    """Yield the fields of a pydantic model, a dataclass or a `TypedDict`.

    Raises:
        QueryError: The class is none of these.
    """
    if not has_fields(view):
        raise QueryError(
            f"into() takes a class with fields, not {view!r}",
            hint="a pydantic model, a dataclass or a TypedDict, whose fields are some of the model",
        )
    if is_model(view):
        for name, info in view.model_fields.items():
            sources = (name, *_aliases(info))
            shape = shape_of(info.annotation, info.metadata)
            is_none = info.default is None
            yield ViewField(name, shape, info.is_required(), is_none, sources)
    elif is_typeddict(view):
        required = view.__required_keys__
        for name, annotation in get_type_hints(view, include_extras=True).items():
            yield ViewField(name, shape_of(annotation), name in required, False, (name,))
    else:
        hints = get_type_hints(view, include_extras=True)
        for field in dataclasses.fields(view):
            is_required = (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            )
            shape, is_none = shape_of(hints[field.name]), field.default is None
            yield ViewField(field.name, shape, is_required, is_none, (field.name,))


def _aliases(info: FieldInfo) -> Iterator[str]:
    alias = info.validation_alias
    for choice in alias.choices if isinstance(alias, AliasChoices) else (alias,):
        if isinstance(choice, AliasPath):
            yield ".".join(map(str, choice.path))
        elif choice is not None:
            yield choice
