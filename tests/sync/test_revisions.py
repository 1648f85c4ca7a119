# Generated from tests/aio/test_revisions.py by `nox -s sync`: edit that file.
"""Revisions: every call refuses a write that is based on an earlier revision."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa
import pytest
from pydantic import Field

import loom_sync as lm
from loom_sync.collections.find import collection_of
from tests.sync import _concurrency

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "pages")
class Wiki(lm.Persistable):
    title: str
    text: str = ""
    links: lm.IncrCounter = 0
    revision: lm.Revision = Field(default=cast("Any", None))


def load_twice(title: str = "a") -> tuple[Wiki, Wiki]:
    first = Wiki(title=title)
    first.persist()
    second = Wiki.from_id(first.id)
    assert second is not None
    return first, second


def test_each_write_increments_the_revision() -> None:
    page, _ = load_twice()
    assert page.revision == 1
    page.text = "more"
    assert page.persist()
    assert page.revision == 2
    assert not page.persist()
    assert page.revision == 2
    Wiki.filter().update(text="all")
    assert page.reload().revision == 3


def test_a_stale_write_raises() -> None:
    first, second = load_twice()
    first.text = "mine"
    first.persist()
    second.title = "theirs"
    second.links += 1
    with pytest.raises(lm.StaleDocument, match="revision 2, and was loaded with 1") as caught:
        second.persist()
    assert (caught.value.revision, caught.value.loaded, caught.value.id) == (2, 1, first.id)
    assert second.title == "theirs"
    second.reload()
    second.links += 1
    assert second.persist()
    assert (second.revision, second.text, second.links) == (3, "mine", 1)
    with pytest.raises(lm.StaleDocument):
        first.delete()
    first.reload()
    assert first.delete()
    second.text = "gone"
    with pytest.raises(lm.DocumentNotFound):
        second.persist()


def test_a_stale_write_does_not_abort_a_transaction() -> None:
    first, second = load_twice()
    first.text = "mine"
    first.persist()
    second.text = "theirs"
    with lm.transaction():
        with pytest.raises(lm.StaleDocument):
            second.persist()
        second.reload()
        second.text += " and theirs"
        second.persist()
    assert first.reload().text == "mine and theirs"


def test_retries_of_stale_writes_lose_no_edit() -> None:
    page, _ = load_twice()

    def append(word: str) -> None:
        while True:
            copy = Wiki.from_id(page.id)
            assert copy is not None
            copy.text += word
            try:
                copy.persist()
            except lm.StaleDocument:
                continue
            return

    _concurrency.together(*((lambda n=n: append(f"<{n}>")) for n in range(8)))
    page.reload()
    assert sorted(page.text[1:-1].split("><")) == [str(n) for n in range(8)]
    assert page.revision == 9


def test_stale_objects_in_persist_many() -> None:
    pairs = [load_twice(str(n)) for n in range(3)]
    pairs[1][0].text = "first"
    pairs[1][0].persist()
    stale = [second for _, second in pairs]
    for page in stale:
        page.text = "bulk"
    new = Wiki(title="new")
    with pytest.raises(lm.BulkError) as caught:
        Wiki.persist_many([*stale, new])
    (entry,) = caught.value.entries
    assert entry.index == 1
    assert "revision 2" in entry.reason
    assert (caught.value.inserted, caught.value.updated) == (1, 2)
    assert [page.revision for page in (*stale, new)] == [2, 1, 2, 1]
    stale[1].reload()
    for page in stale:
        page.text = "again"
    assert Wiki.persist_many(stale) == lm.PersistResult(0, 3, 0)
    assert [page.revision for page in stale] == [3, 3, 3]


def test_a_new_object_does_not_replace_a_stored_document() -> None:
    page, _ = load_twice()
    with pytest.raises(lm.DuplicateKey):
        Wiki(id=page.id, title="other").persist()
    assert page.reload().title == "a"


def test_documents_without_a_revision() -> None:
    collection = collection_of(Wiki)
    collection.insert_one({"title": "old"})
    (page,) = Wiki.filter().load_many()
    page.text = "new"
    assert page.persist()
    assert page.revision == 1


def test_frames_and_revisions() -> None:
    table: Any = pa.table({"title": ["x", "y"]})
    Wiki.insert_dataframe(table)
    Wiki.insert_dataframe(table.slice(0, 1), validate=False)
    assert Wiki.filter().distinct("revision") == [1]
    before = Wiki.filter(lm.fld["title"] == "y").load_one()
    assert before is not None
    Wiki.update_dataframe(pa.table({"title": ["y"], "text": ["t"]}), on=["title"])
    before.text = "stale"
    with pytest.raises(lm.StaleDocument):
        before.persist()
    with pytest.raises(lm.FrameError, match="counts the writes"):
        Wiki.update_dataframe(pa.table({"title": ["y"], "revision": [9]}), on=["title"])


def test_an_assigned_revision_is_ignored() -> None:
    page, _ = load_twice()
    page.revision = 40
    page.text = "x"
    assert page.persist()
    assert page.revision == 2
    with pytest.raises(lm.QueryError, match="counts the writes"):
        Wiki.filter().update(revision=3)


def test_two_revision_fields_raise() -> None:
    @lm.declare_persist_db("shop", "twice")
    class Twice(lm.PersistableBase):
        first: lm.Revision
        second: lm.Revision

    with pytest.raises(lm.ConfigurationError, match="more than one Revision"):
        Twice(first=1, second=1).persist()


def test_writes_that_would_skip_the_revision_raise() -> None:
    page, _ = load_twice()
    frame: Any = pa.table({"_id": [str(page.id)], "title": ["frame"]})
    with pytest.raises(lm.ConfigurationError, match="from 1"):
        Wiki.insert_dataframe(frame, on_duplicate="replace")
    with pytest.raises(lm.QueryError, match="without counting"):
        Wiki.filter().merge_into(Wiki)
    with pytest.raises(lm.QueryError, match="without counting"):
        Wiki.filter().out(Wiki)
    Wiki.filter().merge_into(Wiki, when_matched="keepExisting")
    page.text = "x"
    assert page.persist()


def test_documents_with_unknown_fields_are_not_stale() -> None:
    collection = collection_of(Wiki)
    collection.insert_many([{"title": str(n), "revision": 1, "unknown": n} for n in range(3)])
    pages = Wiki.filter().sort("title").load_many()
    Wiki.filter(lm.fld["title"] == "1").update(text="by another")
    for page in pages:
        page.title += "!"
    with pytest.raises(lm.BulkError) as caught:
        Wiki.persist_many(pages)
    assert [entry.index for entry in caught.value.entries] == [1]
    assert caught.value.updated == 2
    pages[0].text = "again"
    assert pages[0].persist()
