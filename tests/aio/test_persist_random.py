"""Random edits: the stored document equals the object, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import loom_async as lm
from loom_async import fld
from tests.aio._concurrency import gathered

pytestmark = pytest.mark.usefixtures("db")

keys = st.sampled_from(["a", "b", "c.d", "$e", "", "0", "é"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
    | st.decimals(-1000, 1000, places=2)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


class Part(BaseModel):
    name: str = ""
    price: Decimal = Decimal(0)
    notes: dict[str, Any] = {}


@lm.declare_persist_db("shop", "machines")
class Machine(lm.Persistable):
    meta: dict[str, Any] = {}
    main: Part = Part()
    spare: Part | None = None
    parts: list[Part] = []
    tags: set[str] = set()
    groups: dict[str, list[int]] = {}
    runs: lm.IncrCounter = 0


Edit = Callable[[Machine], Any]


def edit_meta(key: str, value: Any) -> Edit:
    return lambda m: m.meta.__setitem__(key, value)


def edit_deep(outer: str, inner: str, value: Any) -> Edit:
    def edit(m: Machine) -> None:
        container = m.meta.get(outer)
        if isinstance(container, dict):
            container[inner] = value
        elif isinstance(container, list):
            container.append(value)
        else:
            m.meta[outer] = {inner: value}

    return edit


def edit_part(index: int, name: str) -> Edit:
    def edit(m: Machine) -> None:
        if m.parts:
            m.parts[index % len(m.parts)].name = name

    return edit


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
parts = st.builds(Part, name=names, notes=st.dictionaries(keys, scalars, max_size=2))
machines = st.fixed_dictionaries(
    {
        "meta": st.dictionaries(keys, values, max_size=3),
        "main": parts,
        "spare": st.none() | parts,
        "parts": st.lists(parts, max_size=2),
        "tags": st.sets(names, max_size=3),
        "groups": st.dictionaries(keys, st.lists(st.integers(0, 9), max_size=3), max_size=2),
        "runs": st.integers(0, 99),
    }
)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(edit_meta, keys, values),
    st.builds(edit_deep, keys, keys, values),
    st.builds(edit_part, st.integers(0, 5), names),
    st.builds(lambda key: lambda m: m.meta.pop(key, None), keys),
    st.builds(lambda name: lambda m: setattr(m.main, "name", name), names),
    st.builds(lambda k, v: lambda m: m.main.notes.__setitem__(k, v), keys, scalars),
    st.builds(lambda part: lambda m: setattr(m, "spare", part), st.none() | parts),
    st.builds(lambda part: lambda m: m.parts.append(part), parts),
    st.builds(lambda: lambda m: m.parts.clear()),
    st.builds(lambda tag: lambda m: m.tags.add(tag), names),
    st.builds(lambda tag: lambda m: m.tags.discard(tag), names),
    st.builds(lambda k, n: lambda m: m.groups.setdefault(k, []).append(n), keys, st.integers(0, 9)),
    st.builds(lambda n: lambda m: setattr(m, "runs", m.runs + n), st.integers(-5, 5)),
)
hundred_examples = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


twenty_examples = settings(hundred_examples, max_examples=20)


@hundred_examples
@given(machines, st.lists(edits, max_size=6), st.booleans())
async def test_stored_document_equals_the_model(
    start: dict[str, Any], chosen_edits: list[Edit], in_bulk: bool
) -> None:
    machine = Machine(**start)
    await machine.persist()
    loaded = await Machine.from_id(machine.id)
    assert loaded is not None
    assert loaded == machine
    assert await loaded.persist() is False
    for edit in chosen_edits:
        edit(loaded)
    before = loaded.model_copy(deep=True)
    dumped = loaded.dump_doc()
    if in_bulk:
        await Machine.persist_many([loaded])
    else:
        await loaded.persist()
    assert loaded.model_dump(exclude={"updated_time"}) == before.model_dump(
        exclude={"updated_time"}
    )
    found = await Machine.from_id(machine.id)
    assert found == loaded
    assert await loaded.persist() is False
    assert loaded.dump_doc() == dumped | {"updated_time": loaded.updated_time}


@hundred_examples
@given(machines, st.lists(edits, max_size=4), st.text("xyz", min_size=1, max_size=3))
async def test_only_the_edits_are_written(
    start: dict[str, Any], chosen_edits: list[Edit], other: str
) -> None:
    machine = Machine(**start)
    await machine.persist()
    ours, theirs = await Machine.from_id(machine.id), await Machine.from_id(machine.id)
    assert ours is not None
    assert theirs is not None
    theirs.meta["theirs"] = other
    theirs.main.price += 1
    theirs.runs += 10
    await theirs.persist()
    for edit in chosen_edits:
        edit(ours)
    expected_runs = ours.runs + 10
    await ours.persist()
    found = (await Machine.filter(fld["id"] == machine.id).load_docs())[0]
    assert found["meta"]["theirs"] == other
    assert found["runs"] == expected_runs
    assert str(found["main"]["price"]) == str(machine.main.price + 1)


@twenty_examples
@given(st.lists(st.tuples(machines, st.lists(edits, max_size=3)), min_size=8, max_size=12))
async def test_concurrent_saves_equal_single_saves(
    cases: list[tuple[dict[str, Any], list[Edit]]],
) -> None:
    created = [Machine(**start) for start, _ in cases]
    await Machine.persist_many(created)

    def load_call(machine: Machine) -> Any:
        async def load() -> Machine | None:
            return await Machine.from_id(machine.id)

        return load

    loaded: list[Any] = await gathered(*map(load_call, created))
    assert loaded == created
    for machine, (_, chosen_edits) in zip(loaded, cases, strict=True):
        for edit in chosen_edits:
            edit(machine)
    before = [machine.model_dump(exclude={"updated_time"}) for machine in loaded]
    await gathered(*(machine.persist for machine in loaded))
    assert [machine.model_dump(exclude={"updated_time"}) for machine in loaded] == before
    assert await gathered(*map(load_call, created)) == loaded
    assert not any(await gathered(*(machine.persist for machine in loaded)))
