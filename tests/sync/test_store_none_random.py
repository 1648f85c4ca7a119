# Generated from tests/aio/test_store_none_random.py by `nox -s sync`: edit that file.
"""Random edits with `store_none=False`: objects are as those of a model that stores None."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, RootModel

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("db")


@dataclasses.dataclass
class Size:
    width: int | None
    height: int | None = None
    depth: int | None = 3


class Mark(BaseModel):
    model_config = ConfigDict(frozen=True)

    text: str | None = None
    rank: int | None = None


class Part(BaseModel):
    name: str | None
    note: str | None = None
    five: int | None = 5
    size: Size | None = None
    price: Decimal | None = None
    at: datetime | None = None


class Oil(BaseModel):
    kind: str | None = None


class Gas(BaseModel):
    kind: str | None = None
    cubic: int | None = None


class Box(RootModel[Part | None]):
    pass


class MachineFields(lm.Persistable):
    title: str | None
    five: int | None = 5
    main: Part
    spare: Part | None = None
    parts: list[Part | None] = []
    by_key: dict[str, Part | None] = {}
    marks: set[Mark] = set()
    fuel: Oil | Gas | None = None
    box: Box | None = None
    runs: lm.IncrCounter | None = None
    tags: list[str] | None = None
    free: Any = None


@lm.declare_persist_db("shop", "full")
class Full(MachineFields):
    pass


@lm.declare_persist_db("shop", "sparse", store_none=False)
class Sparse(MachineFields):
    pass


Edit = Callable[[MachineFields], Any]

texts, numbers = st.none() | st.sampled_from("ab"), st.none() | st.integers(0, 3)
keys = st.sampled_from(["a", "c.d", ""])
sizes = st.builds(Size, numbers, numbers, numbers)
prices = st.none() | st.sampled_from([Decimal("1.50"), Decimal(0)])
times = st.none() | st.just(datetime(2024, 1, 1, 1, 2, 3, 456789, UTC))
parts = st.builds(
    Part, name=texts, note=texts, five=numbers, size=st.none() | sizes, price=prices, at=times
)
marks = st.builds(Mark, text=texts, rank=numbers)
fuels = st.none() | st.builds(Oil, kind=texts) | st.builds(Gas, kind=texts, cubic=numbers)
optional_parts = st.none() | parts
field_values: dict[str, st.SearchStrategy[Any]] = {
    "title": texts,
    "five": numbers,
    "main": parts,
    "spare": optional_parts,
    "parts": st.lists(optional_parts, max_size=2),
    "by_key": st.dictionaries(keys, optional_parts, max_size=2),
    "marks": st.sets(marks, max_size=2),
    "fuel": fuels,
    "box": st.none() | st.builds(Box, parts),
    "runs": numbers,
    "tags": st.none() | st.lists(st.sampled_from("ab"), max_size=2),
    "free": st.none() | st.lists(st.none(), max_size=1),
}


def edit_of(name: str) -> st.SearchStrategy[Edit]:
    return st.builds(lambda value: lambda m: setattr(m, name, deepcopy(value)), field_values[name])


def add_tag(m: MachineFields) -> None:
    m.tags = [*(m.tags or ()), "z"]


def edit_part(index: int, name: str, value: Any) -> Edit:
    def edit(m: MachineFields) -> None:
        found = [p for p in (m.main, m.spare, *m.parts, *m.by_key.values()) if p is not None]
        setattr(found[index % len(found)], name, deepcopy(value))

    return edit


edits: st.SearchStrategy[Edit] = st.one_of(
    st.sampled_from(sorted(field_values)).flatmap(edit_of),
    st.builds(edit_part, st.integers(0, 5), st.sampled_from(["name", "note"]), texts),
    st.builds(edit_part, st.integers(0, 5), st.just("five"), numbers),
    st.builds(edit_part, st.integers(0, 5), st.just("size"), st.none() | sizes),
    st.just(add_tag),
    st.builds(lambda part: lambda m: m.parts.append(deepcopy(part)), optional_parts),
    st.builds(lambda mark: lambda m: m.marks.add(mark), marks),
    st.builds(lambda mark: lambda m: m.marks.discard(mark), marks),
)
forty_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def values_of(machine: MachineFields) -> dict[str, Any]:
    # As text: equal sets may have another order.
    found = {name: getattr(machine, name) for name in field_values}
    return found | {"fuel": repr(machine.fuel), "set": machine.model_fields_set >= found.keys()}


def holds_null(document: Any, names: tuple[str, ...]) -> bool:
    if isinstance(document, list):
        return any(holds_null(item, names) for item in document)
    if not isinstance(document, dict):
        return False
    return any(
        (value is None and key in names) or (key != "fuel" and holds_null(value, names))
        for key, value in document.items()
    )


LEFT_OUT = ("title", "spare", "fuel", "box", "tags", "free", "name", "note", "size", "price", "at")
LEFT_OUT += ("width", "height", "text", "rank")


@forty_examples
@given(
    st.fixed_dictionaries(field_values),
    st.lists(st.lists(edits, min_size=1, max_size=4), max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_objects_are_as_those_of_a_model_that_stores_none(
    start: dict[str, Any], steps: list[list[Edit]], in_bulk: bool, begins_full: bool
) -> None:
    ours: list[MachineFields] = []
    for model in (Full, Sparse):
        machine = model.model_validate(start).model_copy(deep=True)
        if begins_full:  # with nulls, as from before the change of the declaration
            document = Full.model_validate(vars(machine)).dump_doc()
            model.get_db_collection().insert_one(document)
            found = model.from_id(document["_id"])
            assert found is not None
            assert found.persist() is False
            machine = found
        else:
            machine.persist()
        ours.append(machine)
    for step in [[], *steps]:
        outcomes: list[Any] = []
        for machine in ours:
            for edit in step:
                edit(machine)
            if in_bulk:
                outcomes.append(type(machine).persist_many([machine]).updated > 0)
            else:
                outcomes.append(machine.persist())
        assert outcomes[0] == outcomes[1]
        full, sparse = ours
        assert values_of(full) == values_of(sparse)
        loaded = [Full.from_id(full.id), Sparse.from_id(sparse.id)]
        assert loaded[0] is not None
        assert loaded[1] is not None
        assert values_of(loaded[0]) == values_of(loaded[1])
        assert loaded[1].persist() is sparse.persist() is False
        (document,) = Sparse.filter(fld["id"] == sparse.id).load_docs()
        assert sparse.dump_doc() == document
        assert begins_full or not holds_null(document, LEFT_OUT)


@forty_examples
@given(
    st.fixed_dictionaries(field_values), st.lists(edits, max_size=4), st.lists(edits, max_size=4)
)
def test_two_writers_have_the_same_result_as_with_stored_nulls(
    start: dict[str, Any], mine: list[Edit], theirs: list[Edit]
) -> None:
    results: list[Any] = []
    for model in (Full, Sparse):
        machine = model.model_validate(start).model_copy(deep=True)
        machine.persist()
        one, two = model.from_id(machine.id), model.from_id(machine.id)
        assert one is not None
        assert two is not None
        error = None
        for holder, chosen in ((two, theirs), (one, mine)):
            for edit in chosen:
                edit(holder)
            try:
                holder.persist()
            except lm.LoomError as conflict:  # the other has set a part to None
                error = type(conflict)
        found = model.from_id(machine.id)
        assert found is not None
        results.append((values_of(found), values_of(one), values_of(two), error))
    assert results[0] == results[1]
