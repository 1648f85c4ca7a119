"""The base of every model: its `id`, its hooks, and the document that an object was loaded from."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from ..context import journals, transaction
from ..errors import ConfigurationError
from .declaration import Declaration
from .fields import PyObjectId
from .foreign_values import COMMON, python_value, python_values
from .indexes import Index
from .polymorphism import family_of
from .validating_models import assign_inside, mark_validators, validating
from .write_attempt import LOST_COMMAND, Insertion, WriteAttempt

_ANOTHER_INSTANCE = "a validator returned another object than the one that is being made"


class DocumentModel(BaseModel):
    """A model that has an id and remembers the document that it was loaded from.

    It keeps the document as BSON: nothing can edit that by accident, it takes little memory, and
    no time until the object is persisted.
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
            # The type of the id is a subclass's choice, the name is MongoDB's.
            given = cls.__dict__.get("id", PydanticUndefined)
            type.__setattr__(cls, "id", _stored_as_id(given))

    def before_persist(self) -> Awaitable[None] | None:
        """Hook that runs before this object is compared with its stored document and written.

        Each hook does nothing unless overridden, by a method or a coroutine function. An error of
        this one propagates to the caller, and nothing is sent.
        """

    def after_persist(self) -> Awaitable[None] | None:
        """Hook that runs after this object has been written."""

    def before_delete(self) -> Awaitable[None] | None:
        """Hook that runs before this object's document is deleted."""

    def after_delete(self) -> Awaitable[None] | None:
        """Hook that runs after this object's document has been deleted."""

    def after_load(self) -> Awaitable[None] | None:
        """Hook that runs after this object has been loaded."""

    if not TYPE_CHECKING:  # type checkers would allow any argument, and any name

        def __init__(self, /, **data: Any) -> None:
            if not COMMON.issuperset(map(type, data.values())):
                data = python_values(type(self), data)
            # As pydantic's own method does, which would build the dict of arguments again.
            if self.__pydantic_validator__.validate_python(data, self_instance=self) is not self:
                warnings.warn(_ANOTHER_INSTANCE, stacklevel=2)
            # To read a slot that is not set costs much more than this.
            _baseline_slot.__set__(self, None)
            _attempts_slot.__set__(self, ())

        # For pydantic, this is no custom `__init__`: validation by itself need not call it.
        __init__.__pydantic_base_init__ = True

        def __setattr__(self, name: str, value: Any) -> None:
            if type(value) not in COMMON:
                value = python_value(type(self), name, value)
            if validating and id(self) in validating and assign_inside(self, name, value):
                return
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
            return  # a generic class with its parameters is the same member of a family
        if family is not None:
            family.add(cls, tag or cls.__name__)
        elif tag is not None:
            raise ConfigurationError(
                f"{cls.__name__} has the tag {tag!r}, but no base that is declared with a "
                "discriminator",
                hint='@lm.declare_persist_db("my_app", "animals", discriminator="kind")',
            )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        mark_validators(handler.resolve_ref_schema(schema))
        return schema

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
        # Only the object itself sends its writes again.
        set_attempts(copied, _lost() if has_unknown(self) else ())
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        past = {"loom_baseline": baseline(self), "loom_unknown": has_unknown(self)}
        return super().__getstate__() | past

    def __setstate__(self, state: dict[Any, Any]) -> None:
        set_baseline(self, state.pop("loom_baseline", None))
        set_attempts(self, _lost() if state.pop("loom_unknown", False) else ())
        super().__setstate__(state)


def _stored_as_id(given: Any) -> FieldInfo:
    if not isinstance(given, FieldInfo):
        field: FieldInfo = Field(default=given, validation_alias="_id")
        return field
    given.validation_alias, given.alias_priority = "_id", 2
    # pydantic merges a field with its annotation by what is recorded as set.
    given._attributes_set.update(validation_alias="_id", alias_priority=2)  # pyright: ignore
    return given


_baseline_slot: Any = DocumentModel.__dict__["_loom_baseline"]
_attempts_slot: Any = DocumentModel.__dict__["_loom_attempts"]
#: Replace the BSON of an object's document; None makes the object new.
set_baseline: Callable[[Any, bytes | None], None] = _baseline_slot.__set__
#: Replace the writes of an object whose outcome is not known yet.
set_attempts: Callable[[DocumentModel, tuple[WriteAttempt, ...]], None] = _attempts_slot.__set__


def baseline(document: DocumentModel) -> bytes | None:
    """Return the BSON of an object's document as the database has it; None for a new object."""
    try:
        return _baseline_slot.__get__(document, type(document))  # type: ignore[no-any-return]
    except AttributeError:
        return None


def attempts_of(document: DocumentModel) -> tuple[WriteAttempt, ...]:
    """Return the writes of an object whose outcome is not known yet, the earliest first."""
    try:
        return _attempts_slot.__get__(document, type(document))  # type: ignore[no-any-return]
    except AttributeError:
        return ()


def stores_new(document: DocumentModel) -> bool:
    """Say whether one of the writes whose outcome is not known yet stores a new document."""
    return any(isinstance(attempt.plan, Insertion) for attempt in attempts_of(document))


def has_unknown(document: DocumentModel) -> bool:
    """Say whether the outcome of a write of an object is unknown."""
    return any(attempt.is_unknown for attempt in attempts_of(document))


def lose_attempts(document: DocumentModel) -> None:
    """Note that the outcome of a write of an object is unknown, and cannot be asked for."""
    set_attempts(document, (*attempts_of(document), *_lost()))


def _lost() -> tuple[WriteAttempt, ...]:
    return (WriteAttempt(None, LOST_COMMAND),)
