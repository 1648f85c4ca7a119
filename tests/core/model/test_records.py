"""Dataclasses, `TypedDict`s and `NamedTuple`s: their type arguments, stored names, subclasses."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import TypedDict, TypeVar

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.document import baseline
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, stored_and_loaded

T = TypeVar("T")
U = TypeVar("U")
Same = TypeVar("Same", default=T)
Interval = TypeVar("Interval", default=dt.timedelta)
DAY = dt.date(2024, 2, 29)
LONG = dt.timedelta(days=1, seconds=1)
MICROSECONDS = 86_401_000_000
AS_TEXT = lm.StoredAs(str, encode=dt.date.isoformat, decode=dt.date.fromisoformat)


@dataclass
class Box(Generic[T]):
    value: T
    inner: Optional["Box[T]"] = None


@pydantic_dataclasses.dataclass
class Crate(Generic[T]):
    value: T


class Entry(TypedDict, Generic[T]):
    value: T


class Pair(NamedTuple, Generic[T]):
    value: T


@dataclass
class Timed(Box[dt.timedelta]):
    extra: int = 0


@dataclass
class Listed(Box[list[U]], Generic[U]):
    last: U | None = None


@dataclass
class Tree(Box[dt.timedelta]):
    parts: list["Tree"] = field(default_factory=list)


@pydantic_dataclasses.dataclass
class TimedCrate(Crate[dt.timedelta]):
    pass


class TimedEntry(Entry[dt.timedelta]):
    number: int


class TimedPair(Pair[dt.timedelta]):
    pass


@dataclass
class ByDefault(Generic[Interval]):
    value: Interval


@dataclass
class ByDefaultOfTwo(Generic[T, Same]):
    value: T
    other: Same


@dataclass
class Base:
    x: int


@dataclass
class Special(Base):
    y: int = 0


class Row(NamedTuple):
    x: int


class SpecialRow(Row):
    pass


def holder(annotation: Any) -> type[Any]:
    """Return a model with a field of an annotation."""
    return create_model("Holder", __base__=lm.PersistableBase, value=(annotation, ...))


def stored_value(document: Any) -> Any:
    return decode_bson(baseline(document))["value"]  # type: ignore[arg-type]


STORED = {"value": MICROSECONDS}


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        (Box[dt.timedelta], Box(LONG, Box(LONG)), {**STORED, "inner": {**STORED, "inner": None}}),
        (Box[Crate[dt.timedelta]], Box(Crate(LONG)), {"value": STORED, "inner": None}),
        (list[Crate[dt.timedelta]], [Crate(LONG)], [STORED]),
        (dict[str, Entry[dt.timedelta]], {"a": {"value": LONG}}, {"a": STORED}),
        (Pair[dt.timedelta] | None, Pair(LONG), [MICROSECONDS]),
        (Crate[dt.timedelta] | Crate[str], Crate("x"), {"value": "x"}),
        (Crate[dt.timedelta] | Crate[str], Crate(LONG), STORED),
        (Timed, Timed(LONG, Box(LONG), 3), None),
        (Listed[dt.timedelta], Listed([LONG], None, LONG), None),
        (Tree, Tree(LONG, None, [Tree(LONG)]), None),
        (TimedCrate, TimedCrate(LONG), STORED),
        (TimedEntry, {"value": LONG, "number": 1}, {**STORED, "number": 1}),
        (TimedPair, TimedPair(LONG), [MICROSECONDS]),
        (ByDefault, ByDefault(LONG), STORED),
        (ByDefault[dt.date], ByDefault(DAY), None),
        (ByDefaultOfTwo[dt.date], ByDefaultOfTwo(DAY, DAY), None),
        (ByDefaultOfTwo[str, dt.timedelta], ByDefaultOfTwo("x", LONG), None),
        (Crate[Annotated[dt.date, ["no hash"]]], Crate(DAY), None),
        (Box[Annotated[dt.date, Field(title="day")]], Box(DAY, Box(DAY)), None),
        (
            Crate[Annotated[dt.date, AS_TEXT]],
            Crate(DAY),
            {"value": "2024-02-29"},
        ),
    ],
)
def test_type_arguments(annotation: Any, value: Any, stored: Any) -> None:
    document = holder(annotation)(value=value)
    loaded = stored_and_loaded(document)
    assert loaded.value == value
    assert type(loaded.value) is type(value)
    assert document.value == value
    assert stored is None or stored_value(document) == stored
    assert plan_persist(loaded, NOW) is None


def test_markers_as_type_arguments() -> None:
    loaded = stored_and_loaded(holder(Crate[lm.StrLower])(value=Crate("ABC")))
    assert loaded.value == Crate("abc")
    counted = stored_and_loaded(holder(Box[lm.IncrCounter])(value=Box(1)))
    counted.value.value = 5
    assert plan_persist(counted, NOW).update == {"$inc": {"value.value": 4}}  # type: ignore[union-attr]


def test_values_that_the_type_arguments_of_a_base_class_refuse() -> None:
    for value in (Timed(1), Timed("x")):  # type: ignore[arg-type]
        with pytest.raises(lm.EncodingError, match=r"value\.value"):
            plan_persist(holder(Timed)(value=value), NOW)


def test_patches_of_generic_records() -> None:
    model = create_model(
        "Holder",
        __base__=lm.PersistableBase,
        box=(Box[dt.timedelta], ...),
        entry=(Entry[dt.date], ...),
    )
    document: Any = stored_and_loaded(model(box=Box(LONG), entry={"value": DAY}))
    document.update_from({"box": {"value": 5}, "entry": {"value": "2024-01-01"}})
    assert document.box == Box(dt.timedelta(seconds=5))
    assert document.entry == {"value": dt.date(2024, 1, 1)}


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Base, Special(1)),
        (Base | None, Special(1)),
        (Base | int, Special(1)),
        (list[Base], [Special(1)]),
        (dict[str, Base], {"a": Special(1)}),
        (tuple[Base, int], (Special(1), 2)),
        (Crate[Base], Crate(Special(1))),
    ],
)
def test_objects_of_subclasses_are_refused(annotation: Any, value: Any) -> None:
    with pytest.raises(lm.EncodingError, match="a Special would load as a Base"):
        plan_persist(holder(annotation)(value=value), NOW)
    loaded = stored_and_loaded(holder(annotation | str)(value="none yet"))
    loaded.value = value
    with pytest.raises(lm.EncodingError, match="a Special would load as a Base"):
        plan_persist(loaded, NOW)


def test_subclasses_that_a_union_names() -> None:
    for value in (Base(1), Special(1, 2)):
        loaded = stored_and_loaded(holder(Base | Special)(value=value))
        assert loaded.value == value


def test_named_tuples_of_subclasses_are_refused() -> None:
    document = holder(list[Row])(value=[Row(1)])
    document.value.append(SpecialRow(2))
    with pytest.raises(lm.EncodingError, match="a SpecialRow would load as a Row"):
        plan_persist(document, NOW)


class SwappedModel(BaseModel):
    a: Annotated[int, lm.StoredName("b")] = 1
    b: Annotated[dt.timedelta, lm.StoredName("a")] = LONG


class SwappedAliases(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)

    a: int = Field(1, alias="b")
    b: dt.timedelta = Field(LONG, alias="a")


@dataclass
class SwappedDataclass:
    a: Annotated[int, lm.StoredName("b")] = 1
    b: Annotated[dt.timedelta, lm.StoredName("a")] = LONG


@pydantic_dataclasses.dataclass
class SwappedInput:
    a: int = Field(1, alias="b")
    b: dt.timedelta = Field(LONG, alias="a")


class SwappedDict(TypedDict):
    a: Annotated[int, lm.StoredName("b")]
    b: Annotated[dt.timedelta, lm.StoredName("a")]


class SwappedTuple(NamedTuple):
    a: Annotated[int, lm.StoredName("b")] = 1
    b: Annotated[dt.timedelta, lm.StoredName("a")] = LONG


@pytest.mark.parametrize(
    "value",
    [
        SwappedModel(),
        SwappedAliases(),
        SwappedDataclass(),
        SwappedInput(),
        SwappedDict(a=1, b=LONG),
        SwappedTuple(),
    ],
)
def test_swapped_stored_names(value: Any) -> None:
    kind = SwappedDict if isinstance(value, dict) else type(value)
    document = holder(kind)(value=value)
    loaded = stored_and_loaded(document)
    assert loaded.value == value
    expected = [1, MICROSECONDS] if kind is SwappedTuple else {"b": 1, "a": MICROSECONDS}
    assert stored_value(document) == expected
    assert plan_persist(loaded, NOW) is None


def test_edits_of_fields_with_swapped_stored_names() -> None:
    @dataclass
    class Counted:
        a: Annotated[lm.IncrCounter, lm.StoredName("b")] = 1
        b: Annotated[int, lm.StoredName("a")] = 1

    loaded = stored_and_loaded(holder(Counted)(value=Counted()))
    loaded.value.a, loaded.value.b = 3, 5
    plan = plan_persist(loaded, NOW)
    assert plan.update == {"$inc": {"value.b": 2}, "$set": {"value.a": 5}}  # type: ignore[union-attr]


class Shifted(BaseModel):
    a: int = Field(1, alias="b")
    b: int = Field(9, alias="c")


@pydantic_dataclasses.dataclass
class ShiftedDataclass:
    a: int = Field(1, alias="b")
    b: int = Field(9, alias="c")
    kind: Literal["x"] = field(default="x", init=False)


class ShiftedDict(TypedDict, total=False):
    a: Annotated[int, Field(alias="b")]
    b: Annotated[int, Field(alias="c")]


def test_arrays_from_before_a_named_tuple_had_its_last_fields() -> None:
    class Longer(NamedTuple):
        value: dt.timedelta
        added: int = 0

    model = holder(Longer)
    stored = {"_id": model(value=Longer(LONG)).id, "value": [MICROSECONDS]}
    assert hydrator(model).one(stored).value == Longer(LONG)


def test_absent_fields_do_not_get_the_values_of_others() -> None:
    model = create_model(
        "Holder",
        __base__=lm.PersistableBase,
        a=(Annotated[int, Field(alias="b")], 1),
        b=(Annotated[int, Field(alias="c")], 9),
        model=(Shifted, ...),
        record=(ShiftedDataclass, ...),
        entries=(ShiftedDict, ...),
    )
    stored = {"_id": lm.PersistableBase().id, "b": 5}
    document = {**stored, "model": {"b": 5}, "record": {"b": 5}, "entries": {"b": 5}}
    for loaded in (hydrator(model).many(encode_bson(document))[0], hydrator(model).one(document)):
        assert (loaded.a, loaded.b) == (5, 9)
        assert (loaded.model.a, loaded.model.b) == (5, 9)
        assert (loaded.record.a, loaded.record.b) == (5, 9)
        assert loaded.entries == {"a": 5}
