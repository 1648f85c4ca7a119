"""Fields that queries of a base find in its family: its own, and those of its subclasses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from ..errors import QueryError
from ..types.codec import Codec
from .model_codec import ModelCodec
from .polymorphism import Family


@dataclass(frozen=True)
class FieldOption:
    """One way in which classes of a family declare a field.

    Parameters:
        stored_name: The name in documents.
        codec: The codec of the annotation.
        models: The classes that declare the field so.
        info: The declaration; None for a field of a nested value.
    """

    stored_name: str
    codec: Codec
    models: tuple[type[Any], ...]
    info: FieldInfo | None = None

    def is_same(self, other: FieldOption) -> bool:
        """Say whether another class declares the field in the same way."""
        if self.info is None or other.info is None or self.stored_name != other.stored_name:
            return False
        one, two = self.info, other.info
        return bool(one.annotation == two.annotation and one.metadata == two.metadata)


class SharedFieldCodec(Codec):
    """A field that classes of a family declare with different types."""

    def __init__(self, name: str, options: Sequence[FieldOption]) -> None:
        self._name = name
        self.options: tuple[FieldOption, ...] = tuple(options)

    def literal(self, value: Any) -> Any:
        forms = [option.codec.literal(value) for option in self.options]
        if any(repr(form) != repr(forms[0]) for form in forms):
            raise QueryError(
                f"{value!r} has different stored forms in the field {self._name!r} of "
                f"{_classes(self.options)}",
                hint="query or update each of these classes by itself",
            )
        return forms[0]

    def child(self, key: str) -> tuple[str, Codec] | None:
        found: list[FieldOption] = []
        for option in self.options:
            child = option.codec.child(key)
            if child is not None:
                found.append(FieldOption(*child, option.models))
        return _merged(f"{self._name}.{key}", found)

    def names(self) -> Iterable[str]:
        return {name for option in self.options for name in option.codec.names()}


def members_of(model: type[Any], family: Family) -> list[type[Any]]:
    """Return a model of a family and its subclasses; the model is the first."""
    # A generic class with type arguments stands for the class without.
    others = [member for member in family.members(model) if not issubclass(model, member)]
    return [model, *others]


def family_child(codecs: Sequence[ModelCodec], key: str) -> tuple[str, Codec] | None:
    """Return the stored name and the codec of a field that a class of a family declares.

    Parameters:
        codecs: The codecs of the queried class and of its subclasses.
        key: The name of the field, or its stored name.

    Raises:
        QueryError: Classes store the field under different names.
    """
    options: list[FieldOption] = []
    for codec in codecs:
        field = codec.declared(key)
        if field is None:
            continue
        info = codec.model.model_fields[field.name]
        option = FieldOption(field.stored_name, field.codec, (codec.model,), info)
        for index, other in enumerate(options):
            if option.is_same(other):
                models = (*other.models, codec.model)
                options[index] = FieldOption(other.stored_name, other.codec, models, other.info)
                break
        else:
            options.append(option)
    return _merged(key, options) or codecs[0].child(key)


def _merged(name: str, options: Sequence[FieldOption]) -> tuple[str, Codec] | None:
    if not options:
        return None
    first = options[0]
    if any(option.stored_name != first.stored_name for option in options):
        raise QueryError(
            f"the field {name!r} has different stored names in {_classes(options)}",
            hint="query each of these classes by itself",
        )
    return first.stored_name, first.codec if len(options) == 1 else SharedFieldCodec(name, options)


def _classes(options: Iterable[FieldOption]) -> str:
    return ", ".join(option.models[0].__name__ for option in options)
