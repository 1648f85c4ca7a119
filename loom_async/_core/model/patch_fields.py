"""Which fields of a model, a dataclass or a `TypedDict` the entries of a patch mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NotRequired, Required, get_args, get_origin
from typing import get_type_hints as type_hints

import typing_extensions
from pydantic import AliasPath, BaseModel, BeforeValidator, PlainValidator, WrapValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..errors import QueryError, UnknownFieldError
from ..type_guards import is_mapping

_QUALIFIERS = (Required, NotRequired, typing_extensions.ReadOnly)


class FieldNames(NamedTuple):
    """The names by which a patch can give the fields of a class.

    Parameters:
        fields: The fields by name.
        aliases: The names of the fields by their aliases.
        paths: The names of the fields whose alias is a path, and the path.
        allows_extra: Whether other names are fields too.
    """

    fields: Mapping[str, FieldInfo]
    aliases: Mapping[str, str]
    paths: tuple[tuple[str, AliasPath], ...]
    allows_extra: bool


_names: dict[type[Any], FieldNames] = {}


def field_names(kind: type[Any]) -> FieldNames:
    """Return the names by which a patch can give the fields of a class."""
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = _find_names(kind)
    return names


def _find_names(kind: type[Any]) -> FieldNames:
    fields = _fields(kind)
    aliases: dict[str, str] = {}
    paths: list[tuple[str, AliasPath]] = []
    for name, info in fields.items():
        for alias in _validation_aliases(info):
            if isinstance(alias, AliasPath):
                paths.append((name, alias))
            else:
                aliases[alias] = name
    config: Mapping[str, Any] = (
        getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    )
    return FieldNames(fields, aliases, tuple(paths), config.get("extra") == "allow")


def _fields(kind: type[Any]) -> Mapping[str, FieldInfo]:
    if issubclass(kind, BaseModel):
        return kind.model_fields
    known: Mapping[str, FieldInfo] | None = getattr(kind, "__pydantic_fields__", None)
    if known is not None:
        return known
    hints: dict[str, Any] = type_hints(kind, include_extras=True)
    return {name: FieldInfo.from_annotation(_unqualified(hint)) for name, hint in hints.items()}


def _unqualified(hint: Any) -> Any:
    while get_origin(hint) in _QUALIFIERS:
        (hint,) = get_args(hint)
    return hint


def _validation_aliases(info: FieldInfo) -> Iterable[str | AliasPath]:
    alias = info.validation_alias
    if alias is None:
        return ()
    return (alias,) if isinstance(alias, str | AliasPath) else alias.choices


def has_before_validator(kind: type[Any]) -> bool:
    """Say whether a validator of a whole model or dataclass reads its input, and may change it."""
    decorators = getattr(kind, "__pydantic_decorators__", None)
    validators: Mapping[str, Any] = getattr(decorators, "model_validators", {})
    return any(validator.info.mode != "after" for validator in validators.values())


def reads_input(kind: type[Any], name: str, info: FieldInfo) -> bool:
    """Say whether a validator of a field reads its input, and may change it."""
    kinds = BeforeValidator | WrapValidator | PlainValidator
    if any(isinstance(one, kinds) for one in info.metadata):
        return True
    decorators = getattr(kind, "__pydantic_decorators__", None)
    validators: Mapping[str, Any] = getattr(decorators, "field_validators", {})
    return any(
        validator.info.mode != "after" and {name, "*"} & set(validator.info.fields)
        for validator in validators.values()
    )


def entries_of(patch: object) -> Mapping[Any, Any] | None:
    """Return what a patch gives: the entries of a mapping, the fields that were set on a model.

    None if the value is neither.
    """
    if isinstance(patch, BaseModel):
        if patch.__pydantic_root_model__:
            return None
        values = {**vars(patch), **(patch.__pydantic_extra__ or {})}
        return {name: values[name] for name in values if name in patch.model_fields_set}
    return patch if is_mapping(patch) else None


def given_fields(
    kind: type[Any], patch: object, path: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the names and the values of the fields that a patch gives, in the order of the class.

    Parameters:
        kind: The class of the object that is patched.
        patch: A mapping, by names or aliases; or a model, by names.
        path: The path of the object, for errors.

    Raises:
        UnknownFieldError: The class lacks a field.
        QueryError: A field is given by two names.
    """
    names, entries = field_names(kind), entries_of(patch) or {}
    by_name = dict.fromkeys(names.fields)
    if isinstance(patch, BaseModel):  # its names are attributes
        lookup = {**names.aliases, **{name: name for name in by_name}}
    else:
        lookup = {**{name: name for name in by_name}, **names.aliases}
    found: dict[str, Any] = {}
    for key, value in entries.items():
        for name, given in _given(names, lookup, key, value, (kind, path)):
            if name in found:
                raise QueryError(
                    f"the patch gives {_joined(path, name)!r} twice",
                    hint="give each field by its name or by an alias, not by both",
                )
            found[name] = given
    yield from ((name, found[name]) for name in by_name if name in found)
    yield from ((name, value) for name, value in found.items() if name not in by_name)


def _given(
    names: FieldNames,
    lookup: Mapping[str, str],
    key: Any,
    value: Any,
    where: tuple[type[Any], tuple[Any, ...]],
) -> Iterable[tuple[str, Any]]:
    """Return the fields that one entry of a patch gives."""
    if key in lookup:
        return [(lookup[key], value)]
    below = [(name, path) for name, path in names.paths if path.path[0] == key]
    if below:
        nested = ((name, _at_path(path, {key: value})) for name, path in below)
        return [(name, one) for name, one in nested if one is not PydanticUndefined]
    if names.allows_extra and isinstance(key, str):
        return [(key, value)]
    kind, path = where
    raise UnknownFieldError(_joined(path, key), where=kind.__name__, known=lookup)


def _at_path(path: AliasPath, entries: dict[Any, Any]) -> Any:
    return path.search_dict_for_path(entries)  # pyright: ignore[reportUnknownMemberType]


def _joined(path: tuple[Any, ...], key: object) -> str:
    return ".".join(map(str, (*path, key)))
