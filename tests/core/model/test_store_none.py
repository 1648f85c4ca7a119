"""Edits during an update of a model with `store_none=False`, and which fields are left out."""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.absorb import absorb_modification
from loom_async._core.model.codecs import codec_of, model_codec
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Modification, plan_persist
from loom_async._core.types.sparse import is_left_out
from tests.core.model.update_interpreter import applied
from tests.core.storing import NOW, stored_and_loaded


class Mark(BaseModel):
    model_config = ConfigDict(frozen=True)

    text: str | None = None
    rank: int | None


@dataclasses.dataclass
class Size:
    width: int | None
    height: int | None = None
    depth: int | None = 3


class Part(BaseModel):
    name: str | None
    size: Size
    marks: set[Mark] = set()


class Fields(lm.PersistableBase):
    title: str | None
    nick: str | None = "x"
    main: Part
    marks: set[Mark] = set()
    parts: list[Part] = []


@lm.declare_persist_db("shop", "full")
class Full(Fields):
    pass


@lm.declare_persist_db("shop", "sparse", store_none=False)
class Sparse(Fields):
    pass


texts, numbers = st.none() | st.sampled_from("ab"), st.none() | st.integers(0, 2)
marks = st.sets(st.builds(Mark, text=texts, rank=numbers), max_size=2)
parts = st.builds(Part, name=texts, size=st.builds(Size, numbers, numbers, numbers), marks=marks)
all_fields: dict[str, Any] = {"title": texts, "nick": texts, "main": parts, "marks": marks}
assignments = st.fixed_dictionaries({}, optional=all_fields)


def assign(document: Fields, values: dict[str, Any]) -> None:
    for name, value in deepcopy(values).items():
        if name == "main":  # in place
            for below in ("name", "size", "marks"):
                setattr(document.main, below, getattr(value, below))
        else:
            setattr(document, name, value)


def values_of(document: Fields) -> dict[str, Any]:
    return {name: deepcopy(getattr(document, name)) for name in all_fields}


@given(st.fixed_dictionaries(all_fields), assignments, assignments, assignments)
def test_edits_during_an_update_have_the_result_of_a_model_that_stores_none(
    origin: dict[str, Any], edits: dict[str, Any], theirs: dict[str, Any], since: dict[str, Any]
) -> None:
    results: list[Any] = []
    for model in (Full, Sparse):
        document = stored_and_loaded(model.model_validate(deepcopy(origin)))
        another = deepcopy(document)
        assign(document, edits)
        plan = plan_persist(document, NOW)
        if not isinstance(plan, Modification):
            results.append(None)
            continue
        assign(document, since)
        assign(another, theirs)
        stored = applied(plan.update, another.dump_doc())
        absorb_modification(document, plan, encode_bson(stored))
        now = values_of(document)
        following = plan_persist(document, NOW)
        if following is not None:
            assert isinstance(following, Modification)
            stored = applied(following.update, stored)
        results.append((now, values_of(hydrator(model).one(stored))))
    assert results[0] == results[1]


class Entry(TypedDict):
    a: int | None


class Pair(NamedTuple):
    a: int | None


class Inner(BaseModel):
    a: int | None = None


class One(RootModel[Inner]):
    pass


class Kinds(BaseModel):
    required: int | None
    none: int | None = None
    anything: Any = None
    renamed: int | None = Field(None, validation_alias="other")
    other_default: int | None = 5
    made: int | None = Field(default_factory=lambda: None)
    changed: Annotated[int | None, BeforeValidator(lambda value: value or 0)] = None
    counter: lm.IncrCounter | None = None
    time: lm.TimeInserted = None
    inner: Inner = Inner()
    root: One = One(Inner())
    optional_list: Inner | list[int] = Inner()
    two: Inner | Mark = Inner()
    items: list[Inner] = []
    entries: dict[str, list[Inner]] = {}
    record: Size = Size(1)
    typed: Entry = {"a": 1}
    pair: Pair = Pair(1)


LEFT_OUT = """required none anything renamed other inner.a root.a optional_list.a items.0.a
    items.$[x].a entries.k.1.a record.width record.height"""
STORED = """other_default made changed counter time two.a two.rank items.0 entries.k record.depth
    typed.a pair.a pair.0 unknown inner.b"""


@pytest.mark.parametrize("path", LEFT_OUT.split())
def test_fields_that_are_left_out(path: str) -> None:
    assert is_left_out(model_codec(Kinds).sparse, path.split("."))


@pytest.mark.parametrize("path", STORED.split())
def test_fields_that_are_stored_as_null(path: str) -> None:
    assert not is_left_out(model_codec(Kinds).sparse, path.split("."))


@given(parts, st.lists(st.none() | parts, max_size=2))
def test_to_fill_what_was_left_out_gives_the_same_value(one: Part, many: list[Part | None]) -> None:
    for annotation, value in (
        (Part, one),
        (One, One(Inner())),
        (list[Part | None], many),
        (dict[str, list[Part | None]], {"a": many, "b": []}),
    ):
        codec = codec_of(annotation)
        encoded, sparse = codec.encode(value), codec.sparse
        assert sparse is not None
        assert sparse.fill(sparse.thin(encoded)) == encoded
