"""Validation before a write: what is sent would load.

Assignments are validated when they are made, containers that are edited in place are not. So the
fields that a write sends are validated here, unless the types of their values tell that they fit.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from pydantic import SecretBytes, SecretStr, ValidationError

from ..bson_codec import UNENCODABLE, decode_bson, encode_bson
from ..errors import ConfigurationError, EncodingError, InvalidDocument
from ..type_guards import is_dict, is_list
from ..types.custom import UndecodableValue
from .bson_equality import differing
from .codecs import model_codec
from .core_schemas import nodes
from .document import DocumentModel
from .document_encoding import located
from .hydration import hydrator
from .model_codec import StoredField
from .plain_values import PlainValues
from .repeated_validation import stored_validators
from .type_checks import Check


def replace_coerced(
    document: DocumentModel, encoded: dict[str, Any], names: Collection[str] | None = None
) -> dict[str, Any]:
    """Validate encoded fields, replace those that validation changes, and return them as before.

    Parameters:
        document: The object; it is not changed.
        encoded: What it encodes to; changed in place.
        names: The stored names of the fields to validate; None for all.

    Raises:
        InvalidDocument: A value would not load.
        EncodingError: BSON does not have a value; `path` says where it is.
    """
    try:
        validated = validated_values(document, encoded, names)
    except UNENCODABLE as error:
        raise located(encoded, error) from error
    before = {name: encoded.get(name) for name in validated}
    encoded.update(validated)
    return before


def validated_values(
    document: DocumentModel, encoded: Mapping[str, Any], names: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the stored forms that validation changes, by stored name.

    Parameters:
        document: The object; it is not changed.
        encoded: What it encodes to.
        names: The stored names of the fields that are sent; None for all.

    Raises:
        InvalidDocument: A value does not fit the model; `fields` has its path.
        ConfigurationError: The default of a field does not fit its type.
    """
    checks = field_checks(type(document))
    fields, has_model_validators = checks.of_all, checks.has_model_validators
    if names is not None:
        fields = [pair for pair in fields if pair[0].stored_name in names]
    values = vars(document)
    doubtful = [
        field
        for field, check in fields
        if not (check.holds(values[field.name]) if check else is_assigned(document, field))
    ]
    has_containers = has_model_validators and not all(f.codec.is_scalar for f, _ in fields)
    if not (doubtful or has_containers):
        return {}
    if has_model_validators or _is_frozen(document, doubtful):
        validated = _validated_document(document, encoded)
    else:
        validated = _validated_fields(document, encoded, doubtful)
    _remember_defaults(document, doubtful)
    return validated


class FieldChecks(NamedTuple):
    """The checks of the fields of a model.

    `of_all` has each field with its check; None if the type of its value cannot tell.
    `has_model_validators` is true if functions validate the whole model.
    """

    of_all: Sequence[tuple[StoredField, Check | None]]
    has_model_validators: bool


@cache
def field_checks(model: type[DocumentModel]) -> FieldChecks:
    """Return the checks of the fields of a model."""
    plain = PlainValues(model)
    fields = [(field, plain.checks.get(field.name)) for field in model_codec(model).fields]
    return FieldChecks(fields, plain.has_model_validators)


def is_assigned(document: DocumentModel, field: StoredField) -> bool:
    """Say whether a value without a check was validated when it was assigned."""
    model, name = type(document), field.name
    if not field.codec.is_scalar or not model.model_config.get("validate_assignment"):
        return False
    if name not in document.__pydantic_fields_set__:
        return (model, name) in _valid_defaults
    # Unless the object was made without validation: then the type tells.
    has_type = _scalar_types(model).get(name)
    return has_type is None or has_type.holds(vars(document)[name])


@cache
def _has_secrets(model: type[DocumentModel]) -> bool:
    values = (value for node in nodes(model) for value in node.values())
    return any(inspect.isclass(v) and issubclass(v, SecretStr | SecretBytes) for v in values)


@cache
def _scalar_types(model: type[DocumentModel]) -> dict[str, Check | None]:
    return PlainValues(model, with_constraints=True).checks


#: Scalar fields whose defaults were validated once, and are the same each time.
_valid_defaults: set[tuple[type[DocumentModel], str]] = set()


def _remember_defaults(document: DocumentModel, fields: Collection[StoredField]) -> None:
    model = type(document)
    for field in fields:
        has_factory = model.model_fields[field.name].default_factory is not None
        is_set = field.name in document.__pydantic_fields_set__
        if field.codec.is_scalar and not (has_factory or is_set):
            _valid_defaults.add((model, field.name))


def _is_frozen(document: DocumentModel, fields: Collection[StoredField]) -> bool:
    model = type(document)
    infos = (model.model_fields[field.name] for field in fields)
    return bool(model.model_config.get("frozen")) or any(info.frozen for info in infos)


def _validated_document(document: DocumentModel, encoded: Mapping[str, Any]) -> dict[str, Any]:
    """Validate a whole document as a load of it would."""
    model = type(document)
    raw = encode_bson(encoded)
    try:
        # Decoded twice: a validator may edit its input.
        fresh = hydrator(model).fresh(decode_bson(raw))
    except InvalidDocument as error:
        details = error.__cause__
        if isinstance(details, ValidationError):
            raise _refused(document, details) from error
        raise
    before, codec = decode_bson(raw), model_codec(model)
    return _changed(before, codec.keep_stored(before, codec.encode(fresh)))


def _validated_fields(
    document: DocumentModel, encoded: Mapping[str, Any], fields: Collection[StoredField]
) -> dict[str, Any]:
    validators = stored_validators(type(document))
    validate, by_name = validators.validate_assignment, validators.by_name
    scratch = _scratch_copy(document)
    changed: dict[str, Any] = {}
    for field in fields:
        name = field.stored_name
        stored = decode_bson(encode_bson({name: encoded[name]}))
        before = decode_bson(encode_bson(stored))
        try:
            decoded = field.codec.decode(stored[name])
            validate(scratch, field.name, decoded, strict=False, by_alias=True, by_name=by_name)
        except ValidationError as error:
            raise _refused(document, error) from error
        except UndecodableValue as error:
            path = ".".join((field.name, *error.path))
            raise EncodingError(f"it would not load: {error.reason}", path=path) from error
        after = field.codec.encode(vars(scratch)[field.name])
        changed |= _changed(before, {name: field.codec.keep_stored(before[name], after)})
    return changed


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that validation changes, but for those that would lose a part.

    A nested object of a subclass keeps the fields that its annotation does not have.
    """
    names = differing(before, after)
    return {name: after[name] for name in names if not _has_lost(before.get(name), after[name])}


def _has_lost(before: Any, after: Any) -> bool:
    """Say whether a document inside a value has fewer keys than before."""
    if is_dict(before) and is_dict(after):
        return any(key not in after or _has_lost(before[key], after[key]) for key in before)
    if is_list(before) and is_list(after):
        return any(map(_has_lost, before, after))
    return False


def _scratch_copy(document: DocumentModel) -> DocumentModel:
    """Return an object with the same values, to assign to."""
    copied = type(document).__new__(type(document))
    object.__setattr__(copied, "__dict__", dict(vars(document)))
    object.__setattr__(copied, "__pydantic_fields_set__", set(document.__pydantic_fields_set__))
    extra = document.__pydantic_extra__
    object.__setattr__(copied, "__pydantic_extra__", None if extra is None else dict(extra))
    object.__setattr__(copied, "__pydantic_private__", None)
    return copied


def _refused(
    document: DocumentModel, error: ValidationError
) -> InvalidDocument | ConfigurationError:
    """Return the error for values that would not load."""
    model, details = type(document), error.errors(include_url=False)
    for one in details:
        name = str(one["loc"][0]) if one["loc"] else ""
        info = model.model_fields.get(name)
        is_set = info is None or info.is_required() or name in document.__pydantic_fields_set__
        if len(one["loc"]) == 1 and not is_set:
            return ConfigurationError(
                f"the default {one['input']!r} of {model.__name__}.{name} does not fit its type: "
                f"{one['msg']}",
                hint="a stored object would not load: give the field a default that fits, or "
                "allow this one by its annotation, such as `str | None`",
            )
    fields = {".".join(map(str, one["loc"])): one["msg"] for one in details}
    # A stored secret is plain text, which belongs in no error.
    shown = "" if _has_secrets(model) else ", not {input!r}"
    reasons = "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}{shown.format(input=one['input'])}"
        for one in details
    )
    return InvalidDocument(
        f"this {model.__name__} {document.id!r} would not load, so it is not stored: {reasons}",
        id=document.id,
        fields=fields,
        hint="mend these values: containers that are edited in place are validated when they are "
        "stored",
    )
