"""Random records inside one another: each value is loaded as it was stored, and so is its edit."""

import datetime as dt
import types
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist
from loom_async._core.types.equality import is_same
from tests.core.storing import NOW, stored_and_loaded

T = TypeVar("T")
Drawn = tuple[Any, st.SearchStrategy[Any]]


@dataclass
class Box(Generic[T]):
    # Its own, as pydantic refuses `init=False` in a model with `extra="allow"`.
    __pydantic_config__ = ConfigDict()

    a: Annotated[T, lm.StoredName("b")]
    b: Annotated[int, lm.StoredName("a")]
    later: list[T] = field(default_factory=list, init=False)


@pydantic_dataclasses.dataclass
class Crate(Generic[T]):
    a: list[T] = Field(alias="b")
    b: T | None = Field(None, alias="c")

    def __post_init__(self) -> None:
        self.a = [*self.a, *self.a]


class Entry(TypedDict, Generic[T], extra_items=T, total=False):
    a: Annotated[T, lm.StoredName("b")]
    b: Annotated[dict[str, T], lm.StoredName("c")]


class Pair(NamedTuple, Generic[T]):
    a: T
    b: T | None = None


class Open(BaseModel, Generic[T]):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, T]

    a: T = Field(alias="b")
    b: Annotated[int, lm.StoredName("a")] = Field(0, alias="c")


def boxes(kind: Any, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def make(a: Any, b: int, later: list[Any]) -> Any:
        made = kind(a, b)
        made.later = later
        return made

    return st.builds(make, values, st.integers(0, 9), st.lists(values, max_size=2))


def record_of(inner: Drawn) -> st.SearchStrategy[Drawn]:
    """Return the records with a type argument, and a subclass whose base has it."""
    annotation, values = inner
    some = st.lists(values, max_size=2)
    optional = {"a": values, "extra": values, "b": st.dictionaries(st.just("k"), values)}
    subclass: Any = dataclass(types.new_class("Subclass", (Box[annotation],)))
    return st.sampled_from(
        [
            (Box[annotation], boxes(Box, values)),
            (subclass, boxes(subclass, values)),
            (Crate[annotation], st.builds(lambda b, c: Crate(b=b, c=c), some, values)),
            (Entry[annotation], st.fixed_dictionaries({}, optional=optional)),
            (Pair[annotation], st.builds(Pair, values, st.none() | values)),
            (Open[annotation], st.builds(lambda a: Open[annotation](b=a, extra=a), values)),
            (list[annotation], some),
        ]
    )


SCALARS: st.SearchStrategy[Drawn] = st.sampled_from(
    [
        (dt.timedelta, st.timedeltas(dt.timedelta(0), dt.timedelta(days=9))),
        (dt.date, st.dates()),
        (str, st.text("ab.$", max_size=3)),
    ]
)
RECORDS = SCALARS.flatmap(record_of).flatmap(record_of).flatmap(record_of)


@st.composite
def documents(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return a document that holds records, and another value of its field."""
    annotation, values = draw(RECORDS)
    model = create_model("Holder", __base__=lm.PersistableBase, value=(annotation, ...))
    return model.model_construct(id=lm.PersistableBase().id, value=draw(values)), draw(values)


@settings(max_examples=150, deadline=None)
@given(documents())
def test_records_are_loaded_as_they_were_stored(drawn: tuple[Any, Any]) -> None:
    document, other = drawn
    expected = deepcopy(document.value)
    loaded = stored_and_loaded(document)
    assert is_same(loaded.value, expected)
    assert is_same(document.value, expected)
    assert plan_persist(loaded, NOW) is None
    vars(loaded)["value"] = other
    expected = deepcopy(other)
    plan = plan_persist(loaded, NOW)
    if plan is not None:
        stored = decode_bson(plan.expected)  # type: ignore[union-attr]
        assert is_same(hydrator(type(document)).one(stored).value, expected)
