"""Events of change streams, as users get them."""

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
def test_tokens_are_text_and_back(token: dict[str, Any]) -> None:
    text = token_text(RawBSONDocument(bson.encode(token), RAW))
    assert token_text(token) == text
    assert token_document(text) == token


def test_a_plain_token_is_its_digits() -> None:
    assert token_text({"_data": "8263F0"}) == "8263F0"


@pytest.mark.parametrize("value", ["", "x", "{", "{5", None, 5, {"_data": "82"}])
def test_what_is_no_token_is_refused(value: Any) -> None:
    with pytest.raises(lm.QueryError, match="is no token of a change"):
        token_document(value)


def test_an_update_says_what_changed() -> None:
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


def test_older_servers_say_when_by_the_clock_of_the_cluster() -> None:
    when = event(operationType="drop", clusterTime=Timestamp(1, 2))
    assert change_of(Item, when).at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert change_of(Item, event(operationType="drop")).at is None


def test_a_deletion_has_an_id_of_the_models_type() -> None:
    gone = event(operationType="delete", documentKey={"_id": 5})
    assert (change_of(Item, gone).id, change_of(Item, gone).document) == (5, None)
    odd = event(operationType="delete", documentKey={"_id": {"k": "x"}})
    with pytest.raises(lm.InvalidDocument, match="does not fit Item") as caught:
        change_of(Item, odd)
    assert caught.value.id == {"k": "x"}
    assert "watch(resume_after='82AA')" in caught.value.__notes__[0]


def test_what_python_cannot_hold_is_named_with_the_place_after_it() -> None:
    far = bson.encode({"name": "x", "when": datetime(2000, 1, 1)})
    far = far.replace((946684800000).to_bytes(8, "little"), (2**60).to_bytes(8, "little"))
    odd = event(
        operationType="insert", documentKey={"_id": 1}, fullDocument=RawBSONDocument(far, RAW)
    )
    with pytest.raises(lm.InvalidDocument, match="cannot be read") as caught:
        change_of(Item, odd)
    assert "82AA" in caught.value.__notes__[0]
