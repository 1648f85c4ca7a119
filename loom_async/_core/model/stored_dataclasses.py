"""Creates dataclasses from their stored fields.

pydantic would run `__post_init__` again on the stored values, and it does not read the fields of
`init=False`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, SchemaValidator

from ..errors import ConfigurationError
from ..type_guards import is_dict, is_sequence
from ..types.adapters import adapter_of
from ..types.custom import UndecodableValue
from ..types.record_fields import record_fields
from ..types.type_arguments import annotation_key
from .checked_codec import checked
from .core_schemas import core_schema_of, nodes, reads_names
from .post_init import run_post_init
from .repeated_validation import repeatable

# The model that a dataclass is in may allow them; whether it does is checked by pydantic there.
_HOLDER = ConfigDict(arbitrary_types_allowed=True)


def needs_creation(kind: Any) -> bool:
    """Say whether pydantic cannot create the stored objects of a class.

    Raises:
        ConfigurationError: Its objects cannot be created from their fields.
    """
    if not _is_dataclass(kind):
        return False
    for name, field in _init_only(kind).items():
        if field.default is dataclasses.MISSING:
            raise ConfigurationError(
                f"a stored {kind.__name__} would not load: {name} is an InitVar without a default, "
                "which is no field, so it is not stored",
                hint=f"give {name} a default, or make it a field",
            )
    is_complete = all(field.init for field in dataclasses.fields(kind))
    return not is_complete or hasattr(kind, "__post_init__")


def _is_dataclass(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


def _init_only(kind: Any) -> Mapping[str, dataclasses.Field[Any]]:
    """Return the arguments of `__init__` that are no fields."""
    fields: Mapping[str, Any] = kind.__dataclass_fields__
    # dataclasses has no public name for it; a ClassVar is the other kind that is no field.
    return {k: f for k, f in fields.items() if repr(f._field_type) == "_FIELD_INITVAR"}


class StoredDataclass:
    """Creates the objects of a dataclass.

    Parameters:
        annotation: The class, with its type arguments if it has any.
    """

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation
        self._kind: Any = get_origin(annotation) or annotation
        self._fields = {field.name: field for field in record_fields(annotation)}

    @cached_property
    def _holder(self) -> type[BaseModel]:
        return create_model("Holder", __config__=_HOLDER, value=(self._annotation, ...))

    @cached_property
    def _by_name(self) -> bool:
        return reads_names(nodes(self._holder))

    @cached_property
    def _validator(self) -> SchemaValidator:
        schema = _without_post_init(repeatable(core_schema_of(self._holder)), self._kind)
        return SchemaValidator(schema, _use_prebuilt=False)

    @cached_property
    def _post_init(self) -> Any:
        return getattr(self._kind, "__post_init__", None)

    @cached_property
    def _arguments(self) -> list[Any]:
        """The arguments of `__post_init__`, which are not stored: their defaults."""
        return [_default(field) for field in _init_only(self._kind).values()]

    @cached_property
    def _unread(self) -> dict[str, Any]:
        """The adapters of the fields that pydantic does not validate."""
        return {f.name: adapter_of(f.annotation) for f in self._fields.values() if not f.is_init}

    def create(self, values: Mapping[str, Any]) -> Any:
        """Return the object of decoded values.

        Parameters:
            values: The values by their names or by the names that pydantic validates.

        Raises:
            ValidationError: A value does not fit.
            UndecodableValue: A field of `init=False` does not fit.
        """
        given, unread = dict(values), dict[str, Any]()
        for name, adapter in self._unread.items():
            key = self._fields[name].input_name
            if key in given:
                try:
                    unread[name] = checked(adapter.validate_python, given.pop(key))
                except UndecodableValue as error:
                    raise error.below(name) from error.__cause__
        held: Any = self._validator.validate_python(
            {"value": given}, strict=False, by_alias=True, by_name=self._by_name
        )
        made: Any = held.value
        for name, value in unread.items():
            object.__setattr__(made, name, value)
        self._run_post_init(made, [*unread, *self._read(given)])
        return made

    def create_of(self, values: Mapping[str, Any]) -> Any:
        """Return the object of values by their names.

        Raises:
            ValidationError: A value does not fit.
        """
        fields = self._fields.values()
        given = {f.input_name: values[f.name] for f in fields if f.name in values}
        try:
            return self.create(given)
        except UndecodableValue as error:
            reason = PydanticCustomError("value_error", "{reason}", {"reason": error.reason})
            detail = InitErrorDetails(type=reason, loc=error.path, input=values)
            raise ValidationError.from_exception_data(self._kind.__name__, [detail]) from error

    def _read(self, given: Mapping[str, Any]) -> Iterable[str]:
        """Return the names of the attributes that are given, extra fields among them."""
        inputs = {f.input_name: f.name for f in self._fields.values()}
        return (inputs.get(key, key) for key in given)

    def _run_post_init(self, made: Any, stored: Iterable[str]) -> None:
        if self._post_init is None:
            return
        try:
            run_post_init(made, stored, lambda: self._post_init(made, *self._arguments))
        except (ValueError, AssertionError) as error:  # as pydantic does
            raise UndecodableValue(str(error)) from error


_stored_dataclasses: dict[Any, StoredDataclass] = {}


def stored_dataclass(annotation: Any) -> StoredDataclass:
    """Return what creates the objects of a dataclass, made on first use."""
    key = annotation_key(annotation)
    found = _stored_dataclasses.get(key)
    if found is None:
        found = _stored_dataclasses[key] = StoredDataclass(annotation)
    return found


def _default(field: dataclasses.Field[Any]) -> Any:
    default: Any = field.default
    is_info = isinstance(default, FieldInfo)
    return default.get_default(call_default_factory=True) if is_info else default


def _without_post_init(schema: Any, kind: Any) -> Any:
    """Return a core schema that creates objects of a class without `__post_init__`."""
    if is_sequence(schema):
        return [_without_post_init(item, kind) for item in schema]
    if not is_dict(schema):
        return schema
    kept = ("metadata", "serialization")
    result = {k: v if k in kept else _without_post_init(v, kind) for k, v in schema.items()}
    if schema.get("type") == "dataclass" and schema["cls"] is kind:
        result["post_init"] = False
    return result
