"""Clients that prefer secondaries which lag: the reads of a write go to the primary."""

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


class Replicated(NamedTuple):
    """Objects whose documents are replicated to all members."""

    note: Note
    counted: Counted
    file: File


@pytest.fixture
async def lagging(replica_set: ReplicaSet) -> AsyncIterator[Replicated]:
    """Objects in a replica set whose secondaries have stopped replication."""
    replica_set.wait_until_healthy()
    with lm.using(database=DATABASE):
        async with lm.connect(f"{replica_set.uri}&w=3") as client:
            await client.drop_database(DATABASE)
            await (note := Note(text="old")).persist()
            await (counted := Counted(text="old")).persist()
            await (file := File()).persist()
            await file.write_from(b"old")
        async with lm.connect(f"{replica_set.uri}&w=1&readPreference=secondary"):
            with replica_set.lagging():
                yield Replicated(note, counted, file)


async def test_persist_many_reads_back_from_the_primary(lagging: Replicated) -> None:
    note = lagging.note
    await (created := Note(text="fresh")).persist()
    created.text, note.text = "changed", "new"
    note.count += 1
    assert await Note.persist_many([note, created]) == lm.PersistResult(0, 2, 0)
    assert (note.text, note.count, created.text) == ("new", 1, "changed")
    # The client prefers secondaries, which do not have the document yet.
    assert await Note.from_id(created.id) is None


async def test_reload_reads_from_the_primary(lagging: Replicated) -> None:
    note = lagging.note
    copy = note.model_copy(deep=True)
    note.count += 1
    await note.persist()
    assert (await copy.reload()).count == 1


async def test_stale_documents_are_not_reported_as_missing(lagging: Replicated) -> None:
    counted = lagging.counted
    copies = [counted.model_copy(deep=True) for _ in range(2)]
    counted.text = "new"
    await counted.persist()
    copies[0].text = "other"
    for write in (copies[0].persist, copies[1].delete):
        with pytest.raises(lm.StaleDocument) as caught:
            await write()
        assert caught.value.revision == counted.revision
    await (created := Counted()).persist()
    copy = created.model_copy(deep=True)
    created.text, copy.text = "first", "second"
    await created.persist()
    with pytest.raises(lm.StaleDocument):
        await copy.persist()


async def test_blob_versions_are_read_from_the_primary(lagging: Replicated) -> None:
    file = lagging.file
    for number in (2, 3):
        assert (await file.write_from(b"x" * number)).number == number
    async with file.open_read() as stream:
        assert await stream.read() == b"xxx"
    await file.delete_version(3)
    assert [version.number for version in await file.versions()] == [1, 2]
    assert await file.delete()
    assert await File.filter().delete() == 0


async def test_grouped_saves_with_read_concern_majority(
    lagging: Replicated, replica_set: ReplicaSet
) -> None:
    """Grouped saves read the documents back even if a majority does not have them yet."""
    async with lm.connect(f"{replica_set.uri}&w=1&readConcernLevel=majority"):
        notes = [Note() for _ in range(20)]
        await Note.persist_many(notes)
        for number, note in enumerate(notes):
            note.text = f"new {number}"
        assert all(await gathered(*(note.persist for note in notes)))
        assert [note.text for note in notes] == [f"new {number}" for number in range(20)]
        assert (await notes[0].reload()).text == "new 0"
