"""Extra fields: their types, and the names that they cannot have."""

import datetime as dt
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any, Generic, NotRequired, TypeVar, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.document import baseline
from loom_async._core.model.extra_fields import declared_by, extra_annotation
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, stored_and_loaded

T = TypeVar("T")
LONG = dt.timedelta(days=1, seconds=1)
MICROSECONDS = 86_401_000_000
OPEN = ConfigDict(extra="allow")


class Times(BaseModel):
    model_config = OPEN
    __pydantic_extra__: dict[str, dt.timedelta]

    a: int


class MoreTimes(Times):
    b: int = 0


class NamedTimes(BaseModel):
    model_config = OPEN
    __pydantic_extra__: "dict[str, dt.timedelta]"


class Values(BaseModel, Generic[T]):
    model_config = OPEN
    __pydantic_extra__: dict[str, list[T]]


class TimeDict(TypedDict, extra_items=dt.timedelta):
    a: int


class LongerTimeDict(TimeDict):
    b: int


class ValueDict(TypedDict, Generic[T], extra_items=list[T]):
    a: int


class TimeDocument(lm.PersistableBase):
    model_config = OPEN
    __pydantic_extra__: dict[str, dt.timedelta]


def holder(annotation: Any) -> type[Any]:
    """Return a model with a field of an annotation."""
    return create_model("Holder", __base__=lm.PersistableBase, value=(annotation, ...))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Times, Times(a=1, z=LONG)),
        (MoreTimes, MoreTimes(a=1, z=LONG)),
        (NamedTimes, NamedTimes(z=LONG)),
        (Values[dt.timedelta], Values[dt.timedelta](z=[LONG])),
        (TimeDict, {"a": 1, "z": LONG}),
        (LongerTimeDict, {"a": 1, "b": 2, "z": LONG}),
        (ValueDict[dt.timedelta], {"a": 1, "z": [LONG]}),
    ],
)
def test_extra_fields_of_a_type(annotation: Any, value: Any) -> None:
    document = holder(annotation)(value=value)
    loaded = stored_and_loaded(document)
    assert loaded.value == value
    stored = decode_bson(baseline(document))["value"]["z"]  # type: ignore[arg-type]
    assert stored in (MICROSECONDS, [MICROSECONDS])
    assert plan_persist(loaded, NOW) is None


def test_extra_fields_whose_stored_form_differs_each_time() -> None:
    form = lm.StoredAs(str, encode=with_nonce, decode=without_nonce, deterministic=False)

    class Secrets(BaseModel):
        model_config = OPEN
        __pydantic_extra__: dict[str, Annotated[int, form]]

    loaded = stored_and_loaded(holder(Secrets)(value=Secrets(a=1, b=2)))
    assert plan_persist(loaded, NOW) is None
    loaded.value.b = 3
    assert list(plan_persist(loaded, NOW).update["$set"]) == ["value.b"]  # type: ignore[union-attr,call-overload]


_nonces = count()


def with_nonce(number: int) -> str:
    return f"{next(_nonces)}:{number}"


def without_nonce(text: str) -> int:
    return int(text.partition(":")[2])


def test_extra_fields_of_a_document() -> None:
    loaded = stored_and_loaded(TimeDocument(z=LONG))  # type: ignore[call-arg]
    assert loaded.z == LONG
    loaded.z = 2 * LONG
    assert plan_persist(loaded, NOW).update == {"$set": {"z": 2 * MICROSECONDS}}  # type: ignore[union-attr]


def test_annotations_of_extra_fields() -> None:
    for model in (Times, MoreTimes, NamedTimes, Values[dt.timedelta]):  # before pydantic 2.14
        assert get_args(declared_by(model))[-1] == extra_annotation(model)

    class Closed(TypedDict, closed=True):
        a: int

    for annotation in (Closed, PlainDict, OpenDocument, Crate):
        assert extra_annotation(annotation) is Any


@pydantic_dataclasses.dataclass(config=OPEN)
class Crate:
    a: Annotated[int, lm.StoredName("s")] = 1


class OpenModel(BaseModel):
    model_config = OPEN

    a: Annotated[int, lm.StoredName("s")] = Field(1, alias="input")


class OpenDict(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]

    a: Annotated[int, lm.StoredName("s")]


class OpenDocument(lm.PersistableBase):
    model_config = OPEN

    a: Annotated[int, lm.StoredName("s")] = 1


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (holder(OpenModel)(value=OpenModel(s=2)), "value.s"),  # type: ignore[call-arg]
        (holder(list[OpenModel])(value=[OpenModel(s=2)]), "value.s"),  # type: ignore[call-arg]
        (holder(Crate)(value=Crate(s=2)), "value.s"),  # type: ignore[call-arg]
        (holder(OpenDict)(value={"a": 1, "s": 2}), "value.s"),
        (OpenDocument(s=2), "s"),  # type: ignore[call-arg]
    ],
)
def test_names_of_other_fields_are_refused(document: Any, path: str) -> None:
    with pytest.raises(lm.EncodingError, match="an extra field cannot be named") as caught:
        plan_persist(document, NOW)
    assert caught.value.path == path


def test_the_path_of_a_value_that_cannot_be_stored() -> None:
    class Nested(BaseModel):
        value: Any = None

    for value in (OpenModel(more=Nested(value=object())), Crate(more={"value": object()})):  # type: ignore[call-arg]
        with pytest.raises(lm.EncodingError) as caught:
            plan_persist(holder(type(value))(value=value), NOW)
        assert caught.value.path in ("value.more.value", "value.more")


def test_other_names_are_stored() -> None:
    for value in (OpenModel(more=2), Crate(more=2), OpenModel(a=5)):  # type: ignore[call-arg]
        loaded = stored_and_loaded(holder(type(value))(value=value))
        assert loaded.value == value


@dataclass
class Plain:
    a: int


class PlainDict(TypedDict):
    a: int


@dataclass
class Around:
    inner: Plain


def test_records_without_a_configuration_have_that_of_the_model() -> None:
    fields: Any = {"plain": (Plain, ...), "entries": (PlainDict, ...), "items": (list[Around], ...)}
    model = create_model("Holder", __base__=OpenDocument, **fields)
    given = {"a": 1, "more": 2}
    loaded = stored_and_loaded(model(plain=given, entries=given, items=[{"inner": given}]))
    assert vars(loaded.plain) == loaded.entries == vars(loaded.items[0].inner) == given
    assert plan_persist(loaded, NOW) is None


class DateDict(TypedDict):
    b: Annotated[dt.date, lm.StoredAs(str, encode=str, decode=dt.date.fromisoformat)]


class LongerDict(PlainDict):
    c: NotRequired[dt.timedelta]


def test_keys_that_a_typed_dict_does_not_declare() -> None:
    loaded = stored_and_loaded(holder(PlainDict)(value={"a": 1}))
    loaded.value["undeclared"] = 1
    with pytest.raises(lm.EncodingError, match=r"value\.undeclared.* does not declare this key"):
        plan_persist(loaded, NOW)
    # Keys of other programs stay, as those that a model lacks.
    model = type(loaded)
    other = hydrator(model).one({"_id": loaded.id, "value": {"a": 1, "of_others": 2}})
    assert plan_persist(other, NOW) is None


def test_the_keys_tell_the_option_of_a_union() -> None:
    day = dt.date(2024, 2, 29)
    for value in ({"a": 1}, {"b": day}, {"a": 1, "c": LONG}):
        loaded = stored_and_loaded(holder(PlainDict | DateDict | LongerDict)(value=value))
        assert loaded.value == value


def test_the_name_of_the_tag_is_refused() -> None:
    @lm.declare_persist_db("shop", "animals", discriminator="kind")
    class Animal(lm.PersistableBase):
        model_config = OPEN

    class Cat(Animal):
        pass

    for model in (Animal, Cat):
        document = model(kind="Dog")  # type: ignore[call-arg]
        with pytest.raises(lm.EncodingError, match=r"'kind'.* its tag"):
            plan_persist(document, NOW)
        with pytest.raises(lm.EncodingError, match=r"'kind'.* its tag"):
            plan_persist(holder(model)(value=document), NOW)
    assert stored_and_loaded(Cat(kind="Cat", lives=9)).lives == 9  # type: ignore[call-arg]
