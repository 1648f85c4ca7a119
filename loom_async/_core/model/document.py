"""The base of every persistable model: pydantic, plus the document it was loaded from."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bson import ObjectId
from bson.errors import InvalidBSON
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from ..context import transaction
from ..errors import ConfigurationError, InvalidDocument
from .annotations import codec_of, model_codec
from .codec import Codec
from .family import Family, family_of
from .fields import PyObjectId
from .metadata import Declaration, Index
from .values import decode_bson_stream, encode_bson


class DocumentModel(BaseModel):
    """A model that has an id and remembers the document it was loaded from.

    The document is kept as the bytes that came over the wire: they cannot be edited by accident,
    take little memory, and cost nothing until something is persisted.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        validate_assignment=True, validate_by_name=True, validate_by_alias=True
    )
    __slots__ = ("_loom_baseline", "_loom_doubt")

    __loom_declaration__: ClassVar[Declaration | None] = None
    __loom_append_only__: ClassVar[bool] = False
    __loom_indexes__: ClassVar[tuple[Index, ...]] = ()

    id: PyObjectId = Field(default_factory=ObjectId, validation_alias="_id")

    def __init_subclass__(cls, *, tag: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "id" in inspect.get_annotations(cls):
            # A subclass chooses the type of its id; MongoDB has chosen the name.
            given = cls.__dict__.get("id", PydanticUndefined)
            type.__setattr__(cls, "id", _stored_as_id(given))

    def before_persist(self) -> Awaitable[None] | None:
        """Do something before this object is compared with what is stored, and written.

        A plain method or a coroutine function, as all of these hooks; this one does nothing. What
        it raises leaves the call, and nothing has been sent.
        """

    def after_persist(self) -> Awaitable[None] | None:
        """Do something after this object has been written."""

    def before_delete(self) -> Awaitable[None] | None:
        """Do something before this object's document is deleted."""

    def after_delete(self) -> Awaitable[None] | None:
        """Do something after this object's document has been deleted."""

    def after_load(self) -> Awaitable[None] | None:
        """Do something after this object has been loaded."""

    if not TYPE_CHECKING:  # else every name could be assigned to

        def __setattr__(self, name: str, value: Any) -> None:
            state = transaction.get()
            if state is not None:
                state.remember(self)
            super().__setattr__(name, value)

    @classmethod
    def __pydantic_init_subclass__(cls, *, tag: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        family = family_of(cls)
        if cls.__pydantic_generic_metadata__["origin"] is not None:
            return  # a generic class with its parameters is no further one
        if family is not None:
            family.add(cls, tag or cls.__name__)
        elif tag is not None:
            raise ConfigurationError(
                f"{cls.__name__} has the tag {tag!r}, but no base that is declared with a "
                "discriminator",
                hint='@lm.declare_persist_db("my_app", "animals", discriminator="kind")',
            )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        if "_id" in properties:
            renamed = {"id" if k == "_id" else k: v for k, v in properties.items()}
            properties.clear()
            properties.update(renamed)
        return described

    def __copy__(self) -> Self:
        return self._with_baseline_of(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self._with_baseline_of(super().__deepcopy__(memo))

    def _with_baseline_of(self, copied: Self) -> Self:
        set_baseline(copied, baseline(self))
        set_doubt(copied, is_in_doubt(self))
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        past = {"loom_baseline": baseline(self), "loom_doubt": is_in_doubt(self)}
        return super().__getstate__() | past

    def __setstate__(self, state: dict[Any, Any]) -> None:
        set_baseline(self, state.pop("loom_baseline", None))
        set_doubt(self, state.pop("loom_doubt", False))
        super().__setstate__(state)


def _stored_as_id(given: Any) -> FieldInfo:
    if not isinstance(given, FieldInfo):
        field: FieldInfo = Field(default=given, validation_alias="_id")
        return field
    given.validation_alias, given.alias_priority = "_id", 2
    # pydantic merges a field with its annotation by what is recorded as set.
    given._attributes_set.update(validation_alias="_id", alias_priority=2)  # pyright: ignore
    return given


_slot: Any = DocumentModel.__dict__["_loom_baseline"]
set_baseline: Callable[[Any, bytes | None], None] = _slot.__set__


def baseline(document: DocumentModel) -> bytes | None:
    """Return the BSON bytes that the document has in the database; None if it is new."""
    try:
        return _slot.__get__(document, type(document))  # type: ignore[no-any-return]
    except AttributeError:
        return None


_doubt_slot: Any = DocumentModel.__dict__["_loom_doubt"]
#: Note whether a write of an object has been sent of which nobody knows whether it happened.
set_doubt: Callable[[DocumentModel, bool], None] = _doubt_slot.__set__


def is_in_doubt(document: DocumentModel) -> bool:
    """Say whether an earlier write of an object may or may not have happened."""
    try:
        return _doubt_slot.__get__(document, type(document))  # type: ignore[no-any-return]
    except AttributeError:
        return False


class Validator:
    """Turns decoded documents into objects of one class, many at a time.

    Parameters:
        model: A pydantic model, or any type that pydantic validates.
    """

    def __init__(self, model: type[Any]) -> None:
        self._model = model
        self._codec: Codec = codec_of(model)
        self._many: Callable[..., list[Any]] = TypeAdapter(list[model]).validate_python  # type: ignore[valid-type]

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        if self._codec.needs_decode:
            decoded = [self._codec.decode(document) for document in documents]
        else:
            decoded = list(documents)
        try:
            # Lax, whatever the model says: BSON has fewer types than Python.
            return self._many(decoded, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            raise _invalid(self._model, documents, error) from error


# Few enough documents that they are still in the processor's cache when they are validated:
# measured, a load takes a third less than with thousands.
_SLICE = 200


class Hydrator(Validator):
    """Turns stored documents into models that remember them."""

    def __init__(self, model: type[Any]) -> None:
        super().__init__(model)
        self._codec = model_codec(model)
        self._family = family_of(model)

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, each of the class that its tag says.

        Raises:
            InvalidDocument: A document does not fit its model, or no model has its tag.
        """
        if self._family is None:
            return super().validated(documents)
        places: dict[type[Any], list[int]] = {}
        for place, document in enumerate(documents):
            places.setdefault(_class_of(document, self._family), []).append(place)
        objects: list[Any] = [None] * len(documents)
        for model, theirs in places.items():
            made = hydrator(model).fitting([documents[place] for place in theirs])
            for place, one in zip(theirs, made, strict=True):
                objects[place] = one
        return objects

    def fitting(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, all of this class."""
        return super().validated(documents)

    def one(self, document: dict[str, Any]) -> Any:
        """Return the model of one document."""
        raw = encode(document)
        return _attach(self.validated([document]), [raw])[0]

    def many(self, stream: bytes) -> list[Any]:
        """Return the models of documents in BSON bytes that follow one another."""
        models: list[Any] = []
        with collector_paused():
            raws = split(stream)
            for start in range(0, len(raws), _SLICE):
                part = raws[start : start + _SLICE]
                models += _attach(self.validated(decode_stream(b"".join(part))), part)
        return models

    def fresh(self, document: dict[str, Any]) -> Any:
        """Return the model of a decoded document, with no baseline."""
        return self.fitting([document])[0]


def _class_of(document: dict[str, Any], family: Family) -> type[Any]:
    tag = document.get(family.discriminator)
    model = family.find(tag)
    if model is None:
        raise InvalidDocument(
            f"document {document.get('_id')!r} has the tag {tag!r}, which no subclass of "
            f"{family.root.__name__} has",
            id=document.get("_id"),
            fields={family.discriminator: f"unknown tag {tag!r}"},
            hint=f"the tags are {family.known()}; import the module that defines the class",
        )
    return model


def _attach(models: list[Any], raws: Sequence[bytes]) -> list[Any]:
    for model, raw in zip(models, raws, strict=True):
        set_baseline(model, raw)
    return models


def encode(document: dict[str, Any]) -> bytes:
    """Return the BSON bytes of a document that came from BSON."""
    return encode_bson(document)


def decode_stream(stream: bytes) -> list[dict[str, Any]]:
    """Return the documents of a BSON stream.

    Raises:
        InvalidDocument: A document holds what Python cannot: a date beyond the year 9999.
    """
    try:
        return decode_bson_stream(stream)
    except InvalidBSON as error:
        raise InvalidDocument(
            f"a stored document cannot be read: {error}",
            id=None,
            fields={},
            hint="Python's datetime ends with the year 9999; mend the value in the database",
        ) from error


def split(stream: bytes) -> list[bytes]:
    """Return the documents of a BSON stream, each as its own bytes."""
    documents: list[bytes] = []
    start, end = 0, len(stream)
    while start < end:
        stop = start + int.from_bytes(stream[start : start + 4], "little")
        documents.append(stream[start:stop])
        start = stop
    return documents


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the cyclic garbage collector for a burst of allocations that all survive.

    The collector would walk the growing result again and again: measured, that takes more than
    half of a bulk load. Nothing in the block may wait.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _invalid(
    model: type[Any], documents: Sequence[dict[str, Any]], error: ValidationError
) -> InvalidDocument:
    index = int(error.errors(include_url=False)[0]["loc"][0])
    fields = {
        ".".join(map(str, e["loc"][1:])): e["msg"]
        for e in error.errors(include_url=False)
        if e["loc"][0] == index
    }
    id = documents[index].get("_id")
    reasons = "; ".join(f"{path}: {reason}" for path, reason in fields.items())
    return InvalidDocument(
        f"document {id!r} does not fit {model.__name__}: {reasons}",
        id=id,
        fields=fields,
        hint="mend the document, or give the model a default or a before-validator for it",
    )


_hydrators: dict[type[DocumentModel], Hydrator] = {}


def hydrator(model: type[DocumentModel]) -> Hydrator:
    """Return the hydrator of a model, made on first use."""
    found = _hydrators.get(model)
    if found is None:
        found = _hydrators[model] = Hydrator(model)
    return found


def values_of(model: BaseModel) -> dict[str, Any]:
    """Return the dict that holds a model's field values; writing to it validates nothing."""
    return vars(model)
