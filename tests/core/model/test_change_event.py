"""Changes: the events of a change stream as callers get them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Timestamp
from bson.raw_bson import RawBSONDocument

import loom_async as lm
from loom_async._core.bson_codec import CODEC_OPTIONS
from loom_async._core.model.change_event import change_of, token_document, token_text
from loom_async._core.model.document import baseline

RAW: Any = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)


class Item(lm.PersistableBase):
    id: int  # type: ignore[assignment]
    name: str = ""


def event(**fields: Any) -> RawBSONDocument:
    return RawBSONDocument(bson.encode({"_id": {"_data": "82AA"}, **fields}), RAW)


@pytest.mark.parametrize(
    "token", [{"_data": "8263F0"}, {"_data": b"\x01"}, {"_data": "82", "_typeBits": b"\x82"}]
)
def test_resume_token_becomes_text_and_back(token: dict[str, Any]) -> None:
    text = token_text(RawBSONDocument(bson.encode(token), RAW))
    assert token_text(token) == text
    assert token_document(text) == token


def test_text_of_a_plain_token_is_its_digits() -> None:
    assert token_text({"_data": "8263F0"}) == "8263F0"


@pytest.mark.parametrize("value", ["", "x", "{", "{5", None, 5, {"_data": "82"}])
def test_other_values_are_refused_as_tokens(value: Any) -> None:
    with pytest.raises(lm.QueryError, match="is not the token of a change"):
        token_document(value)


def test_change_of_an_update_lists_the_changed_fields() -> None:
    change = change_of(
        Item,
        event(
            operationType="update",
            documentKey={"_id": 1},
            fullDocument={"_id": 1, "name": "x"},
            updateDescription={
                "updatedFields": {"a.b": 2},
                "removedFields": ["c"],
                "truncatedArrays": [{"field": "d", "newSize": 3}],
            },
            wallTime=datetime(2026, 1, 2, tzinfo=UTC),
        ),
    )
    assert (change.operation, change.id, change.token) == ("update", 1, "82AA")
    assert change.document == Item(id=1, name="x")
    assert baseline(change.document) == bson.encode({"_id": 1, "name": "x"})
    assert (change.updated, change.removed, change.truncated) == ({"a.b": 2}, ("c",), {"d": 3})
    assert change.at == datetime(2026, 1, 2, tzinfo=UTC)
    assert change.at.tzinfo is UTC


def test_time_of_an_event_without_wall_time_is_the_cluster_time() -> None:
    when = event(operationType="drop", clusterTime=Timestamp(1, 2))
    assert change_of(Item, when).at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert change_of(Item, event(operationType="drop")).at is None


def test_id_of_a_deleted_document_has_the_type_of_the_model() -> None:
    gone = event(operationType="delete", documentKey={"_id": 5})
    assert (change_of(Item, gone).id, change_of(Item, gone).document) == (5, None)
    odd = event(operationType="delete", documentKey={"_id": {"k": "x"}})
    with pytest.raises(lm.InvalidDocument, match="does not fit Item") as caught:
        change_of(Item, odd)
    assert caught.value.id == {"k": "x"}
    assert "watch(resume_after='82AA')" in caught.value.__notes__[0]


def test_error_of_an_unreadable_document_names_the_token_to_resume_after() -> None:
    far = bson.encode({"name": "x", "when": datetime(2000, 1, 1)})
    far = far.replace((946684800000).to_bytes(8, "little"), (2**60).to_bytes(8, "little"))
    odd = event(
        operationType="insert", documentKey={"_id": 1}, fullDocument=RawBSONDocument(far, RAW)
    )
    with pytest.raises(lm.InvalidDocument, match="cannot be read") as caught:
        change_of(Item, odd)
    assert "82AA" in caught.value.__notes__[0]
