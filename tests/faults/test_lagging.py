"""Reads prefer secondaries that lag behind: what a write has to know is asked of the primary."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

import loom_async as lm
from tests.aio._concurrency import gathered
from tests.faults.replica_set import ReplicaSet

DATABASE = f"faults_{__name__.replace('.', '_')}"


@lm.declare_persist_db("faults", "notes")
class Note(lm.Persistable):
    text: str = ""
    count: lm.IncrCounter = 0


@lm.declare_persist_db("faults", "counted")
class Counted(lm.PersistableBase):
    text: str = ""
    revision: lm.Revision = 0


@lm.declare_persist_db("faults", "files")
class File(lm.BlobModel):
    pass


class Old(NamedTuple):
    """Objects that all members have as they are here."""

    note: Note
    counted: Counted
    file: File


@pytest.fixture
async def lagging(replica_set: ReplicaSet) -> AsyncIterator[Old]:
    """Objects in a set whose secondaries apply no more writes."""
    replica_set.wait_until_whole()
    with lm.using(database=DATABASE):
        async with lm.connect(f"{replica_set.uri}&w=3") as client:
            await client.drop_database(DATABASE)
            await (note := Note(text="old")).persist()
            await (counted := Counted(text="old")).persist()
            await (file := File()).persist()
            await file.write_from(b"old")
        async with lm.connect(f"{replica_set.uri}&w=1&readPreference=secondary"):
            with replica_set.lagging():
                yield Old(note, counted, file)


async def test_many_are_read_back_as_they_were_written(lagging: Old) -> None:
    note = lagging.note
    await (fresh := Note(text="fresh")).persist()
    fresh.text, note.text = "changed", "new"
    note.count += 1
    assert await Note.persist_many([note, fresh]) == lm.PersistResult(0, 2, 0)
    assert (note.text, note.count, fresh.text) == ("new", 1, "changed")
    assert await Note.from_id(fresh.id) is None  # which is as the user has chosen


async def test_reload_ends_a_doubt_by_what_is_stored(lagging: Old) -> None:
    note = lagging.note
    copy = note.model_copy(deep=True)
    note.count += 1
    await note.persist()
    assert (await copy.reload()).count == 1


async def test_a_stale_write_is_told_from_a_missing_document(lagging: Old) -> None:
    counted = lagging.counted
    copies = [counted.model_copy(deep=True) for _ in range(2)]
    counted.text = "new"
    await counted.persist()
    copies[0].text = "other"
    for write in (copies[0].persist, copies[1].delete):
        with pytest.raises(lm.StaleDocument) as caught:
            await write()
        assert caught.value.revision == counted.revision
    await (fresh := Counted()).persist()
    copy = fresh.model_copy(deep=True)
    fresh.text, copy.text = "first", "second"
    await fresh.persist()
    with pytest.raises(lm.StaleDocument):
        await copy.persist()


async def test_blobs_are_numbered_and_deleted(lagging: Old) -> None:
    file = lagging.file
    for number in (2, 3):
        assert (await file.write_from(b"x" * number)).number == number
    async with file.open_read() as stream:
        assert await stream.read() == b"xxx"
    await file.delete_version(3)
    assert [version.number for version in await file.versions()] == [1, 2]
    assert await file.delete()
    assert await File.filter().delete() == 0


async def test_what_most_members_lack_is_read_back(lagging: Old, replica_set: ReplicaSet) -> None:
    """Saved at once, each by a call of its own, where reads are of what most members have."""
    async with lm.connect(f"{replica_set.uri}&w=1&readConcernLevel=majority"):
        notes = [Note() for _ in range(20)]
        await Note.persist_many(notes)
        for number, note in enumerate(notes):
            note.text = f"new {number}"
        assert all(await gathered(*(note.persist for note in notes)))
        assert [note.text for note in notes] == [f"new {number}" for number in range(20)]
        assert (await notes[0].reload()).text == "new 0"
