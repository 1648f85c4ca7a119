"""Rows become documents, or errors with their row and column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
import pytest
from bson import Decimal128, ObjectId

from loom_async._core.frames.insert_rows import InsertPreparer, PreparedDocuments
from loom_async._core.frames.results import FrameError
from tests.core.frames.people import NOW, Person, Plain, chunk

IDS = [ObjectId(f"{n:024x}") for n in range(4)]


def documents_of(prepared: PreparedDocuments) -> list[dict[str, Any]]:
    return [bson.decode(statement.raw) for statement in prepared.statements]


def errors_of(prepared: PreparedDocuments) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in prepared.errors]


@pytest.mark.parametrize("validate", [True, False])
def test_documents_of_a_chunk(validate: bool) -> None:
    preparer = InsertPreparer(Person, validate=validate)
    columns = {"name": ["a", "b"], "years": [5, None], "address": [{"city": "Brno"}, None]}
    prepared = preparer.prepare(chunk(columns, 10), NOW)
    assert (prepared.count, prepared.rows, prepared.errors) == (2, [10, 11], [])
    assert prepared.has_given_ids is False
    naive = NOW.replace(tzinfo=None)
    assert documents_of(prepared) == [
        {"_id": id, "created_at": naive, "updated_time": naive, "name": name, "years": years,
         "address": address}
        for id, name, years, address in zip(
            prepared.ids, ["a", "b"], [5, None], [{"city": "Brno"}, None], strict=True
        )
    ]  # fmt: skip


@pytest.mark.parametrize("validate", [True, False])
def test_a_row_without_an_id_gets_one(validate: bool) -> None:
    prepared = InsertPreparer(Plain, validate=validate).prepare(
        chunk({"_id": [IDS[0], None], "n": [1, 2]}), NOW
    )
    assert prepared.has_given_ids
    assert prepared.ids[0] == IDS[0]
    assert isinstance(prepared.ids[1], ObjectId)


def test_rows_that_the_model_refuses() -> None:
    columns = {
        "name": ["a", 5, "c"],
        "years": [1, -1, 3],
        "address": [None, None, {"city": 7}],
    }
    prepared = InsertPreparer(Person, validate=True).prepare(chunk(columns, 100), NOW)
    assert errors_of(prepared) == [(101, "name"), (101, "years"), (102, "address.city")]
    assert (prepared.rows, len(prepared.ids), len(prepared.statements)) == ([100], 1, 1)


@pytest.mark.parametrize("validate", [True, False])
def test_values_that_bson_lacks(validate: bool) -> None:
    prepared = InsertPreparer(Plain, validate=validate).prepare(chunk({"n": [2**63, 1]}), NOW)
    assert errors_of(prepared) == [(0, "n")]
    assert prepared.rows == [1]


def test_values_are_stored_as_they_are_without_validation() -> None:
    columns = {"at": [dt.datetime(2020, 1, 1), "yesterday"], "n": ["text", Decimal128("1.5")]}
    prepared = InsertPreparer(Plain, validate=False).prepare(chunk(columns), NOW)
    assert prepared.errors == []
    assert [document["at"] for document in documents_of(prepared)] == columns["at"]
    assert documents_of(prepared)[0]["n"] == "text"


def test_missing_columns_stay_missing_without_validation() -> None:
    (document,) = documents_of(
        InsertPreparer(Plain, validate=False).prepare(chunk({"n": [1]}), NOW)
    )
    assert document.keys() == {"_id", "n"}


@pytest.mark.parametrize("validate", [True, False])
def test_repeated_ids_are_refused_across_chunks(validate: bool) -> None:
    preparer = InsertPreparer(Plain, validate=validate)
    first = preparer.prepare(chunk({"_id": [IDS[0], IDS[1], IDS[0]]}), NOW)
    second = preparer.prepare(chunk({"_id": [IDS[2], IDS[1]]}, 3), NOW)
    assert (first.rows, errors_of(first)) == ([0, 1], [(2, "_id")])
    assert (second.rows, errors_of(second)) == ([3], [(4, "_id")])
    assert second.errors[0].reason == f"row 1 has the id {IDS[1]!r} too"


def test_ids_that_cannot_be_stored_are_refused() -> None:
    prepared = InsertPreparer(Plain, validate=False).prepare(
        chunk({"_id": [["array"], IDS[0]], "n": [1, 2]}), NOW
    )
    assert (prepared.rows, errors_of(prepared)) == ([1], [(0, "_id")])


def test_columns_without_a_field_are_refused() -> None:
    with pytest.raises(FrameError, match="Person has no field for the column nmae") as caught:
        InsertPreparer(Person, validate=True).prepare(chunk({"nmae": ["a"]}), NOW)
    assert caught.value.hint == "rename it to name, or drop it"


def test_a_chunk_is_split_into_commands() -> None:
    columns: dict[str, list[Any]] = {"_id": list(IDS), "n": [1, 2**63, 3, 4]}
    prepared = InsertPreparer(Plain, validate=False).prepare(chunk(columns, 50), NOW)
    parts = list(prepared.split(2))
    assert [(part.rows, part.ids, part.errors) for part in parts] == [
        ([50, 52], [IDS[0], IDS[2]], []), ([53], [IDS[3]], []),
    ]  # fmt: skip
    assert all(part.has_given_ids for part in parts)
    assert [len(part.statements) for part in parts] == [2, 1]
