"""Edits below a value that another writer has removed, set to null, or created meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import cycle
from typing import Any

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.aio._concurrency import gathered
from tests.aio.ways_of_saving import WAYS, Save

pytestmark = pytest.mark.usefixtures("db")

#: So many objects are saved at once that their updates are batched.
MANY = 16
KEYS = ("k", "x.y", "$x", "")


class Part(BaseModel):
    name: str = ""
    notes: dict[str, Any] = {}
    counts: dict[str, lm.IncrCounter] = {}
    logs: dict[str, list[int]] | None = {}


@lm.declare_persist_db("shop", "wholes")
class Whole(lm.PersistableBase):
    part: Part | None = None
    notes: dict[str, Any] | None = {}
    logs: dict[str, list[int]] | None = {}
    counts: dict[str, lm.IncrCounter] | None = {}
    parts: dict[str, Part | None] = {}
    deep: dict[str, dict[str, lm.IncrCounter]] = {}
    total: lm.IncrCounter | None = None
    tags: list[str] | None = []
    marks: set[str] | None = set()


Edit = Callable[[Whole, str], Any]

# The parent of an edit, and the edit.
EDITS: dict[str, tuple[str, Edit]] = {
    "field of a model": ("part", lambda w, _: setattr(w.part, "name", "new")),
    "key of a dict": ("notes", lambda w, key: w.notes.update({key: "new"})),  # type: ignore[union-attr]
    "append in a dict": ("logs", lambda w, key: w.logs[key].append(2)),  # type: ignore[index]
    "counter in a dict": ("counts", lambda w, key: w.counts.update({key: 5})),  # type: ignore[union-attr]
    "key of a dict of a model": ("part", lambda w, key: w.part.notes.update({key: "new"})),  # type: ignore[union-attr]
    "append two levels deep": ("part.logs", lambda w, key: w.part.logs[key].append(2)),  # type: ignore[union-attr, index]
    "counter two levels deep": ("part.counts", lambda w, key: w.part.counts.update({key: 5})),  # type: ignore[union-attr]
    "model in a dict": ("parts.a", lambda w, key: w.parts["a"].notes.update({key: 1})),  # type: ignore[union-attr]
    "new key and removed key": (
        "notes",
        lambda w, key: (w.notes.pop("old"), w.notes.update({key: [1]})),  # type: ignore[union-attr]
    ),
}


def whole() -> Whole:
    logs = {key: [1] for key in KEYS}
    part = Part(counts=dict.fromkeys(KEYS, 1), logs=logs)
    return Whole(
        part=part,
        notes={"old": 1},
        logs=logs,
        counts=dict.fromkeys(KEYS, 1),
        parts={"a": part.model_copy(deep=True)},
    )


async def loaded(count: int = MANY) -> list[Whole]:
    """Return loaded objects of new documents."""
    created = [whole() for _ in range(count)]
    await Whole.persist_many(created)
    return await reloaded(created)


async def reloaded(objects: Sequence[Whole]) -> list[Whole]:
    """Return other objects of the same documents."""
    found = [await Whole.from_id(document.id) for document in objects]
    return [document for document in found if document is not None]


async def change_all(update: dict[str, Any]) -> None:
    """Change all documents as another program does."""
    await (await Whole.get_db_collection()).update_many({}, update)


async def stored() -> list[dict[str, Any]]:
    return await (await Whole.get_db_collection()).find().sort("_id").to_list()


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("name", EDITS)
async def test_a_parent_that_is_gone_is_sent_whole(name: str, save: Save) -> None:
    objects = await loaded()
    parent, edit = EDITS[name]
    await change_all({"$unset": {parent: ""}, "$set": {"other": 1}})
    for document, key in zip(objects, cycle(KEYS)):
        edit(document, key)
    expected = [document.model_dump() for document in objects]
    await save(objects)
    assert [document.model_dump() for document in objects] == expected
    assert [document.model_dump() for document in await reloaded(objects)] == expected
    assert all(document["other"] == 1 for document in await stored())


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("name", EDITS)
async def test_a_parent_that_is_null_raises_and_stores_nothing(name: str, save: Save) -> None:
    objects = await loaded()
    parent, edit = EDITS[name]
    originals = await stored()
    await change_all({"$set": {parent: None}})
    before = await stored()
    for document, key in zip(objects, cycle(KEYS)):
        edit(document, key)
    expected = [document.model_dump() for document in objects]
    with pytest.raises(lm.LoomError) as raised:
        await save(objects)
    assert raised.value.hint
    assert "is None by now" in str(raised.value)
    assert await stored() == before
    assert [document.model_dump() for document in objects] == expected
    collection = await Whole.get_db_collection()
    for document in originals:  # the edits are still there to be stored
        await collection.replace_one({"_id": document["_id"]}, document)
    await save(objects)
    assert [document.model_dump() for document in await reloaded(objects)] == expected


@pytest.mark.parametrize("save", WAYS)
async def test_nothing_is_left_to_remove(save: Save) -> None:
    objects = await loaded()
    await change_all({"$set": {"parts.a.notes": dict.fromkeys(KEYS, 1)}})
    objects = await reloaded(objects)
    await change_all({"$unset": {"parts.a": ""}})
    before = await stored()
    for document, key in zip(objects, cycle(KEYS)):
        document.parts["a"].notes.pop(key)  # type: ignore[union-attr]
    await save(objects)
    assert await stored() == before
    assert [document.parts for document in objects] == [{}] * MANY


@pytest.mark.parametrize(
    ("field", "edit"),
    [
        ("tags", lambda w: w.tags.append("x")),
        ("marks", lambda w: w.marks.add("x")),
        ("total", lambda w: setattr(w, "total", w.total + 1)),
        ("logs.k", lambda w: w.logs["k"].append(1)),
        ("logs.$x", lambda w: w.logs["$x"].append(1)),
        ("logs.", lambda w: w.logs[""].append(1)),
    ],
)
@pytest.mark.parametrize("save", WAYS[:4])
async def test_a_list_or_counter_that_is_null_by_now(field: str, edit: Any, save: Save) -> None:
    objects = await loaded()
    await change_all({"$set": {"total": 1}})
    objects = await reloaded(objects)
    first, *rest = field.split(".")
    collection = await Whole.get_db_collection()
    for document in await stored():
        holder = document if not rest else document[first]
        holder[rest[0] if rest else first] = None
        await collection.replace_one({"_id": document["_id"]}, document)
    before = await stored()
    for document in objects:
        edit(document)
    with pytest.raises(lm.LoomError, match="is None by now"):
        await save(objects)
    assert await stored() == before


async def load_and_change(id: Any, change: Callable[[Whole], Any]) -> None:
    document = await Whole.from_id(id)
    assert document is not None
    change(document)
    await document.persist()


def add_to_total(document: Whole) -> None:
    document.total = (document.total or 0) + 1


def add_to_deep(key: str) -> Callable[[Whole], None]:
    def change(document: Whole) -> None:
        counts = document.deep.setdefault(key, {})
        counts[key] = counts.get(key, 0) + 1

    return change


def add_to_part(document: Whole) -> None:
    part = document.part or Part()
    part.counts["k"] = part.counts.get("k", 0) + 1
    document.part = part


def add_to_count(key: str) -> Callable[[Whole], None]:
    def change(document: Whole) -> None:
        counts = document.counts or {}
        document.counts = counts | {key: counts.get(key, 0) + 1}

    return change


def sum_of(document: Whole) -> int:
    counts = [document.counts or {}, *document.deep.values()]
    counts.append(document.part.counts if document.part else {})
    return sum(sum(each.values()) for each in counts) + (document.total or 0)


@pytest.mark.parametrize(
    "start", [{}, {"counts": {}, "deep": {}, "part": Part()}, {"counts": None}]
)
@pytest.mark.parametrize(
    "change",
    [
        *(add_to_count(key) for key in KEYS),
        *(add_to_deep(key) for key in KEYS),
        add_to_part,
        add_to_total,
    ],
)
async def test_counters_of_writers_that_start_from_nothing(start: Any, change: Any) -> None:
    document = Whole(**deepcopy(start))
    await document.persist()
    if not start:
        unset = {"counts": "", "deep": "", "total": "", "part": ""}
        await change_all({"$unset": unset})

    objects = [await Whole.from_id(document.id) for _ in range(40)]
    for writer in objects:
        change(writer)
    await gathered(*(writer.persist for writer in objects if writer is not None))
    found = await Whole.from_id(document.id)
    assert found is not None
    assert sum_of(found) == 40

    def add() -> Any:
        async def call() -> None:
            await load_and_change(document.id, change)

        return call

    await gathered(*(add() for _ in range(20)))
    await document.reload()
    assert sum_of(document) == 60


@pytest.mark.parametrize("key", KEYS)
async def test_writers_that_send_a_missing_parent_at_once(key: str) -> None:
    (document,) = await loaded(1)
    objects = [each for _ in range(20) if (each := await Whole.from_id(document.id)) is not None]
    await gathered(*(writer.reload for writer in objects))  # opens the connections
    await change_all({"$unset": {"notes": ""}})
    for number, writer in enumerate(objects):
        assert writer.notes is not None
        writer.notes[f"{key}{number}"] = number
    await gathered(*(writer.persist for writer in objects))
    await document.reload()
    assert document.notes is not None
    assert document.notes.items() >= {f"{key}{number}": number for number in range(20)}.items()
