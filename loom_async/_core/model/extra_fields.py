"""Fields that a class does not declare: their codec, and the names that they cannot have."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any, ForwardRef, Never, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import BaseModel
from typing_extensions import ReadOnly, get_original_bases, is_typeddict

from ..errors import EncodingError, too_deep
from ..types.codec import Codec
from ..types.custom import UndecodableValue
from ..types.type_arguments import arguments_of, with_arguments

# Since typing_extensions 4.13.
_NO_EXTRA_ITEMS: Any = getattr(typing_extensions, "NoExtraItems", None)


class ExtraFields:
    """How the extra fields of a class are stored.

    Parameters:
        owner: The name of the class, for errors.
        codec: The codec of their values.
        declared: The names of its fields, in documents and as pydantic reads them.
        tag: The stored name and the value of the tag of its family; None without a family.
    """

    def __init__(
        self,
        owner: str,
        codec: Codec,
        declared: Iterable[str],
        tag: tuple[str, str] | None = None,
    ) -> None:
        self.codec = codec
        self._owner = owner
        self._declared = frozenset(declared)
        self._tag = tag

    def encode(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        """Return the stored forms of extra fields.

        Raises:
            EncodingError: One has the name of another field, or BSON has no form for its value.
        """
        name = ""
        encoded: dict[str, Any] = {}
        try:
            for name, value in extra.items():
                encoded[name] = self.codec.encode(value)
                if name in self._declared:
                    raise self._refused(name, "has a field that is stored under this name")
                if self._tag is not None and name == self._tag[0] and value != self._tag[1]:
                    raise self._refused(name, "is stored with its tag under this name")
        except EncodingError as error:
            raise error.below(name) from error.__cause__
        except RecursionError:
            raise too_deep(name) from None
        return encoded

    def decode(self, name: str, stored: Any) -> Any:
        """Return what pydantic can validate for a stored extra field."""
        try:
            return self.codec.decode(stored)
        except UndecodableValue as error:
            raise error.below(name) from error.__cause__

    def _refused(self, name: str, reason: str) -> EncodingError:
        return EncodingError(
            f"an extra field cannot be named {name!r}: {self._owner} {reason}",
            path="",
            hint="rename the extra field",
        )


def extra_annotation(annotation: Any) -> Any:
    """Return the annotation of the extra fields of a class, if it allows them: Any for any values.

    Parameters:
        annotation: A model, or a record with its type arguments.
    """
    kind: Any = get_origin(annotation) or annotation
    if is_typeddict(kind):
        return with_arguments(_extra_items(kind), arguments_of(annotation))
    return _of_model(kind) if issubclass(kind, BaseModel) else Any


def _of_model(model: Any) -> Any:
    info = getattr(model, "__pydantic_extra_info__", None)  # since pydantic 2.14
    found: Any = declared_by(model) if info is None else info.annotation
    return (get_args(found) or (str, Any))[-1]


def declared_by(model: Any) -> Any:
    """Return the annotation of `__pydantic_extra__` in the nearest class that has one.

    Parameters:
        model: A model, which may have type arguments.
    """
    generic = model.__pydantic_generic_metadata__
    variables = getattr(generic["origin"], "__pydantic_generic_metadata__", generic)["parameters"]
    for kind in model.__mro__[:-1]:
        own = inspect.get_annotations(kind).get("__pydantic_extra__")
        if own is not None and kind is not BaseModel:
            arguments = dict(zip(variables, generic["args"], strict=False))
            return with_arguments(_evaluated(own, kind), arguments)
    return None


def _extra_items(kind: Any) -> Any:
    """Return the annotation that `extra_items` gives to a `TypedDict` or to one of its bases."""
    items: Any = getattr(kind, "__extra_items__", None)
    if items is None or items is _NO_EXTRA_ITEMS:
        bases = [get_origin(base) or base for base in get_original_bases(kind)]
        found = (_extra_items(base) for base in bases if is_typeddict(base))
        return next((one for one in found if one is not Any), Any)
    items = _evaluated(items, kind)
    items = get_args(items)[0] if get_origin(items) is ReadOnly else items
    return Any if items is Never else items


def _evaluated(annotation: Any, kind: Any) -> Any:
    if not isinstance(annotation, str | ForwardRef):
        return annotation
    owner: Any = type("_", (), {"__annotations__": {"_": annotation}})
    names = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
    return get_type_hints(owner, dict(names), include_extras=True)["_"]
