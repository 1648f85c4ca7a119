"""The base of every persistable model: pydantic, plus the document it was loaded from."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from bson import ObjectId
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from ..context import journals, transaction
from ..errors import ConfigurationError
from .declaration import Declaration, Index
from .fields import PyObjectId
from .polymorphism import family_of


class Attempt:
    """A write of an object that was planned, and may have been sent."""

    __slots__ = ()

    @property
    def is_unknown(self) -> bool:
        """True if the write was sent, and no reply says whether it happened."""
        return True

    @property
    def is_sent(self) -> bool:
        """True once it may have reached the server."""
        return True

    @property
    def stores_new(self) -> bool:
        """True if it stores a new document."""
        return False

    @property
    def deletes(self) -> bool:
        """True if it deletes the document."""
        return False

    @property
    def is_abandoned(self) -> bool:
        """True if the caller was cancelled, and does not learn what has become of it."""
        return False

    def abandon(self) -> None:
        """Note that the caller was cancelled."""


class _Unreported(Attempt):
    """A write that has happened without its caller knowing it."""

    __slots__ = ()

    @property
    def is_unknown(self) -> bool:
        return False

    @property
    def stores_new(self) -> bool:
        return True


#: The object was stored by a call that was cancelled: the next one has nothing to record.
UNREPORTED: Final = _Unreported()
#: A write that cannot be sent again: its client is gone, or it was part of a transaction.
LOST: Final = Attempt()


class DocumentModel(BaseModel):
    """A model that has an id and remembers the document it was loaded from.

    The document is kept as the bytes that came over the wire: they cannot be edited by accident,
    take little memory, and cost nothing until something is persisted.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        validate_assignment=True, validate_by_name=True, validate_by_alias=True
    )
    __slots__ = ("_loom_attempts", "_loom_baseline")

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
            elif journals and id(self) in journals:
                before = getattr(self, name, None)
                super().__setattr__(name, value)
                journals[id(self)].assigned_outside(self, name, before)
                return
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
        set_attempts(copied, _lost_of(self))
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        past = {"loom_baseline": baseline(self), "loom_unknown": bool(_lost_of(self))}
        return super().__getstate__() | past

    def __setstate__(self, state: dict[Any, Any]) -> None:
        set_baseline(self, state.pop("loom_baseline", None))
        set_attempts(self, (LOST,) if state.pop("loom_unknown", False) else ())
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


_attempts_slot: Any = DocumentModel.__dict__["_loom_attempts"]
#: Replace the writes of an object whose outcome is not known yet.
set_attempts: Callable[[DocumentModel, tuple[Attempt, ...]], None] = _attempts_slot.__set__


def attempts_of(document: DocumentModel) -> tuple[Attempt, ...]:
    """Return the writes of an object whose outcome is not known yet, the earliest first."""
    try:
        return _attempts_slot.__get__(document, type(document))  # type: ignore[no-any-return]
    except AttributeError:
        return ()


def stores_new(document: DocumentModel) -> bool:
    """Say whether one of the writes whose outcome is not known yet stores a new document."""
    return any(attempt.stores_new for attempt in attempts_of(document))


def has_unknown(document: DocumentModel) -> bool:
    """Say whether the outcome of a write of an object is unknown."""
    return any(attempt.is_unknown for attempt in attempts_of(document))


def _lost_of(document: DocumentModel) -> tuple[Attempt, ...]:
    """Return what a copy of an object knows of its attempts: the object alone sends them again."""
    return (LOST,) if has_unknown(document) else ()


def values_of(model: BaseModel) -> dict[str, Any]:
    """Return the dict that holds a model's field values; writing to it validates nothing."""
    return vars(model)
