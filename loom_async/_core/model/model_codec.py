"""The codec of a pydantic model: its stored fields, and how its objects are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel

from ..attribute_values import Arranger, arranger
from ..errors import ConfigurationError, EncodingError, too_deep
from ..type_guards import is_dict, is_mapping
from ..types.codec import ANY, Codec, Forms
from ..types.custom import UndecodableValue
from ..types.scalars import CounterCodec, NormalisedCodec
from ..types.sparse import SparseDocument, SparseField
from ..types.values import key_to_bson, to_bson
from .extra_fields import ExtraFields, extra_annotation
from .nullable import is_none_if_missing
from .plain_fields import plain_fields
from .polymorphism import leaves_out_none, tag_of
from .record_errors import same_stored_name


class StoredField(NamedTuple):
    """One field of a model.

    Parameters:
        name: The name of the attribute.
        stored_name: The name in documents.
        codec: The codec of the annotation.
        on_insert: Returns the value of a field that is None at the first insert.
        on_write: Returns the value of the field at each write.
        is_revision: Whether the field counts the writes of the document.
        input_name: The name that pydantic validates, if it is not the one in documents.
    """

    name: str
    stored_name: str
    codec: Codec
    on_insert: Callable[[], Any] | None = None
    on_write: Callable[[], Any] | None = None
    is_revision: bool = False
    input_name: str = ""


class ModelCodec(Codec):
    """A pydantic model, stored as a document.

    Parameters:
        model: The model.
        find_fields: Returns its fields; called on first use, when a model that contains itself is
            complete.
        codec_of: Returns the codec of an annotation.
    """

    is_identity = False

    def __init__(
        self,
        model: type[BaseModel],
        find_fields: Callable[[], Iterable[StoredField]],
        codec_of: Callable[[Any], Codec],
    ) -> None:
        self.model = model
        self._codec_of = codec_of
        self._find_fields = find_fields
        self._measuring = False
        self._is_deterministic: bool | None = None
        self.allows_extra: bool = model.model_config.get("extra") == "allow"

    @cached_property
    def fields(self) -> tuple[StoredField, ...]:
        """The stored fields in the order of the model."""
        fields = tuple(self._find_fields())
        by_name: dict[str, StoredField] = {}
        for field in fields:
            other = by_name.setdefault(field.stored_name, field)
            if other is not field:
                raise same_stored_name(self.model, other.name, field.name, field.stored_name)
        return fields

    @cached_property
    def stored_names(self) -> frozenset[str]:
        """The names that the fields have in documents."""
        return frozenset(field.stored_name for field in self.fields)

    @cached_property
    def normalising(self) -> tuple[StoredField, ...]:
        """The fields whose stored form may differ from the value."""
        return tuple(field for field in self.fields if field.codec.normalises)

    @cached_property
    def auto_fields(self) -> tuple[StoredField, ...]:
        """The fields that Loom fills in."""
        return tuple(field for field in self.fields if field.on_insert or field.on_write)

    @cached_property
    def refreshed(self) -> frozenset[str]:
        """The stored names of the fields whose values every write sets."""
        return frozenset(f.stored_name for f in self.fields if f.on_write or f.is_revision)

    @cached_property
    def revision(self) -> StoredField | None:
        """The field that counts the writes of the document; None if there is none."""
        found = [field for field in self.fields if field.is_revision]
        if len(found) > 1:
            names = ", ".join(field.name for field in found)
            raise ConfigurationError(f"{self.model.__name__} has more than one Revision: {names}")
        return found[0] if found else None

    @cached_property
    def plain(self) -> dict[str, type]:
        """The types, by stored name, of the fields whose value is the stored value itself.

        There are none if assignments are not validated: each value is, before it is stored.
        """
        if not self.model.model_config.get("validate_assignment"):
            return {}
        types = plain_fields(self.model)
        return {
            field.stored_name: types[field.name]
            for field in self.fields
            if field.name in types and not isinstance(field.codec, NormalisedCodec)
        }

    @cached_property
    def tag(self) -> tuple[str, str] | None:
        """The discriminator of the model's family and its value for the model."""
        return tag_of(self.model)

    @cached_property
    def _extra(self) -> ExtraFields:
        names = {f.input_name or f.stored_name for f in self.fields} | self.stored_names
        codec = self._codec_of(extra_annotation(self.model))
        return ExtraFields(self.model.__name__, codec, names, self.tag)

    @cached_property
    def arrange(self) -> Arranger:
        """Returns the attributes of an object by stored name, in the order of the model."""
        return arranger((field.stored_name, field.name) for field in self.fields)

    @cached_property
    def _encoders(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        return tuple(
            (f.stored_name, f.codec.encode) for f in self.fields if not f.codec.is_identity
        )

    @cached_property
    def _decoders(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        return tuple((f.stored_name, f.codec.decode) for f in self.fields if f.codec.needs_decode)

    @cached_property
    def needs_decode(self) -> bool:  # type: ignore[override]
        """True if a field needs it or has another name, or if the model contains itself."""
        return (self._any("needs_decode") or bool(self._renamed) or self.allows_extra) or (
            self._refuses_tag or self.is_sparse
        )

    @cached_property
    def forms(self) -> Forms:  # type: ignore[override]
        """A document; its names are unknown if the model allows fields besides its own."""
        return Forms(
            is_document=True,
            is_pattern=False,
            names=None if self.allows_extra or self.tag else self.stored_names,
        )

    @cached_property
    def sparse(self) -> SparseDocument:  # type: ignore[override]
        """The fields that are left out if they are None."""
        return SparseDocument(lambda: map(self._sparse_field, self.fields))

    def _sparse_field(self, field: StoredField) -> SparseField:
        # The server would start a missing counter from zero, and has an error for one of null.
        is_counted = field.is_revision or isinstance(field.codec, CounterCodec)
        may_lack = (
            not (is_counted or field.on_insert or field.on_write)
            and field.stored_name != "_id"
            and is_none_if_missing(self.model, field.name, field.codec)
        )
        return SparseField(field.name, field.stored_name, may_lack, field.codec.sparse)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether the model is declared with `store_none=False`."""
        return leaves_out_none(self.model)

    @property
    def left_out(self) -> SparseDocument | None:
        """Which fields are left out of the documents if they are None; None if all are stored."""
        return self.sparse if self.is_sparse else None

    def thin(self, encoded: dict[str, Any]) -> dict[str, Any]:
        """Return what is stored of an encoded document, or of some of its fields."""
        return self.sparse.thin(encoded) if self.is_sparse else encoded

    def fill(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Return a stored document with the null fields that it lacks."""
        return self.sparse.fill(stored) if self.is_sparse else stored

    def setting(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the update operators that set fields to encoded values."""
        stored = self.thin(values)
        unset = {name: "" for name in values if name not in stored}
        operators = {"$set": stored, "$unset": unset}
        return {operator: operands for operator, operands in operators.items() if operands}

    @property
    def _refuses_tag(self) -> bool:
        return self.tag is not None and self.model.model_config.get("extra") == "forbid"

    @cached_property
    def normalises(self) -> bool:  # type: ignore[override]
        """True if a field does, or if the model contains itself."""
        return self._any("normalises") or self.allows_extra

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if all fields are, besides the model itself."""
        if self._is_deterministic is None:
            self._is_deterministic = True  # the answer for the model inside itself
            codecs = [self._extra.codec, *(field.codec for field in self.fields)]
            self._is_deterministic = all(codec.is_deterministic for codec in codecs)
        return self._is_deterministic

    def _any(self, trait: str) -> bool:
        if self._measuring:
            return True
        self._measuring = True
        try:
            return any(getattr(field.codec, trait) for field in self.fields)
        finally:
            self._measuring = False

    def encode(self, value: Any) -> Any:
        if type(value) is not self.model:
            return self._encode_other(value)
        document = self.arrange(vars(value))
        stored_name = ""
        try:
            for stored_name, encode in self._encoders:
                document[stored_name] = encode(document[stored_name])
        except EncodingError as error:
            raise error.below(stored_name) from error.__cause__
        except RecursionError:
            raise too_deep(stored_name) from None
        if value.__pydantic_extra__:
            document.update(self._extra.encode(value.__pydantic_extra__))
        if self.tag is not None:  # last, so that no extra field replaces the tag
            document[self.tag[0]] = self.tag[1]
        return document

    def _encode_other(self, value: Any) -> Any:
        """Return the stored form of a value that is no object of exactly this class."""
        kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
        is_subclass = isinstance(value, self.model) and not _is_same_generic(kind, self.model)
        if is_subclass and tag_of(kind) is None:
            raise EncodingError(
                f"a {kind.__name__} would load as a {self.model.__name__}",
                path="",
                hint=f"annotate the field with {kind.__name__}, or give {self.model.__name__} a "
                "discriminator",
            )
        return to_bson(value)

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        if self.is_sparse:
            stored = self.sparse.fill(stored)
        if self.allows_extra:
            known, decode_extra = self.stored_names, self._extra.decode
            result = {k: v if k in known else decode_extra(k, v) for k, v in stored.items()}
        else:
            result = dict(stored)
        if self.tag is not None:
            result.pop(self.tag[0], None)
        stored_name = ""
        try:
            for stored_name, decode in self._decoders:
                if stored_name in result:
                    result[stored_name] = decode(result[stored_name])
        except UndecodableValue as error:
            raise error.below(stored_name) from error.__cause__
        if self._renamed:
            present = [field for field in self._renamed if field.stored_name in result]
            result |= {field.input_name: result.pop(field.stored_name) for field in present}
        return result

    @cached_property
    def _renamed(self) -> tuple[StoredField, ...]:
        return tuple(field for field in self.fields if field.input_name)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_dict(stored) and is_dict(encoded)):
            return encoded
        kept = dict(encoded)
        for name, item in encoded.items():
            child = self.stored_child(name)
            if child is not None and name in stored:
                kept[name] = child[1].keep_stored(stored[name], item)
        return kept

    def literal(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        # By the names of the fields or by their stored names, in the order of stored documents.
        literals: dict[str, Any] = {}
        for key, item in value.items():
            name, codec = self.child(key) or (key_to_bson(key), ANY)
            literals[name] = codec.literal(item)
        order = [field.stored_name for field in self.fields if field.stored_name in literals]
        return {name: literals[name] for name in dict.fromkeys([*order, *literals])}

    def declared(self, key: str) -> StoredField | None:
        """Return the declared field of a name or a stored name; None if there is none."""
        return self._by_name.get(key)

    def child(self, key: str) -> tuple[str, Codec] | None:
        field = self._by_name.get(key)
        if field is not None:
            return field.stored_name, field.codec
        if self.tag is not None and key == self.tag[0]:
            return key, ANY
        return (key, self._extra.codec) if self.allows_extra else None

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        field = self._by_stored_name.get(key)
        return self.child(key) if field is None else (key, field.codec)

    @cached_property
    def _by_stored_name(self) -> dict[str, StoredField]:
        return {field.stored_name: field for field in self.fields}

    def names(self) -> Iterable[str]:
        return (field.name for field in self.fields)

    @cached_property
    def _by_name(self) -> dict[str, StoredField]:
        return {f.stored_name: f for f in self.fields} | {f.name: f for f in self.fields}


def _is_same_generic(kind: type[BaseModel], model: type[BaseModel]) -> bool:
    """Say whether a class is a generic model with type arguments, such as `Box[int]` of `Box`."""
    origin = kind.__pydantic_generic_metadata__["origin"]
    return origin is not None and origin in (
        model,
        model.__pydantic_generic_metadata__["origin"],
    )
