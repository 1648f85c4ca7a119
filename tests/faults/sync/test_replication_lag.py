# Generated from tests/faults/test_replication_lag.py by `nox -s sync`: edit that file.
"""Clients that prefer secondaries which lag: the reads of a write go to the primary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

import loom_sync as lm
from tests.faults.replica_set import ReplicaSet
from tests.sync._concurrency import gathered

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
def lagging(replica_set: ReplicaSet) -> Iterator[Replicated]:
    """Objects in a replica set whose secondaries have stopped replication."""
    replica_set.wait_until_healthy()
    with lm.using(database=DATABASE):
        with lm.connect(f"{replica_set.uri}&w=3") as client:
            client.drop_database(DATABASE)
            (note := Note(text="old")).persist()
            (counted := Counted(text="old")).persist()
            (file := File()).persist()
            file.write_from(b"old")
        with lm.connect(f"{replica_set.uri}&w=1&readPreference=secondary"):
            with replica_set.lagging():
                yield Replicated(note, counted, file)


def test_persist_many_reads_back_from_the_primary(lagging: Replicated) -> None:
    note = lagging.note
    (created := Note(text="fresh")).persist()
    created.text, note.text = "changed", "new"
    note.count += 1
    assert Note.persist_many([note, created]) == lm.PersistResult(0, 2, 0)
    assert (note.text, note.count, created.text) == ("new", 1, "changed")
    # The client prefers secondaries, which do not have the document yet.
    assert Note.from_id(created.id) is None


def test_reload_reads_from_the_primary(lagging: Replicated) -> None:
    note = lagging.note
    copy = note.model_copy(deep=True)
    note.count += 1
    note.persist()
    assert copy.reload().count == 1


def test_stale_documents_are_not_reported_as_missing(lagging: Replicated) -> None:
    counted = lagging.counted
    copies = [counted.model_copy(deep=True) for _ in range(2)]
    counted.text = "new"
    counted.persist()
    copies[0].text = "other"
    for write in (copies[0].persist, copies[1].delete):
        with pytest.raises(lm.StaleDocument) as caught:
            write()
        assert caught.value.revision == counted.revision
    (created := Counted()).persist()
    copy = created.model_copy(deep=True)
    created.text, copy.text = "first", "second"
    created.persist()
    with pytest.raises(lm.StaleDocument):
        copy.persist()


def test_blob_versions_are_read_from_the_primary(lagging: Replicated) -> None:
    file = lagging.file
    for number in (2, 3):
        assert file.write_from(b"x" * number).number == number
    with file.open_read() as stream:
        assert stream.read() == b"xxx"
    file.delete_version(3)
    assert [version.number for version in file.versions()] == [1, 2]
    assert file.delete()
    assert File.filter().delete() == 0


def test_grouped_saves_with_read_concern_majority(
    lagging: Replicated, replica_set: ReplicaSet
) -> None:
    """Grouped saves read the documents back even if a majority does not have them yet."""
    with lm.connect(f"{replica_set.uri}&w=1&readConcernLevel=majority"):
        notes = [Note() for _ in range(20)]
        Note.persist_many(notes)
        for number, note in enumerate(notes):
            note.text = f"new {number}"
        assert all(gathered(*(note.persist for note in notes)))
        assert [note.text for note in notes] == [f"new {number}" for number in range(20)]
        assert notes[0].reload().text == "new 0"
