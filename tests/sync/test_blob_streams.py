# Generated from tests/aio/test_blob_streams.py by `nox -s sync`: edit that file.
"""Streams of blobs raise Loom's errors, and leave those of the caller's code unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson.errors import InvalidBSON, InvalidDocument
from pymongo.errors import AutoReconnect, OperationFailure

import loom_sync as lm
from loom_async._core.model.blob import CHUNK_SIZE


@lm.declare_persist_db("shop", "reports")
class Report(lm.BlobModel):
    title: str = ""


@pytest.mark.parametrize(
    "error",
    [
        ValueError("own"),
        OverflowError("own"),
        UnicodeEncodeError("ascii", "ä", 0, 1, "own"),
        AutoReconnect("own"),
        OperationFailure("own", 11000),
        InvalidDocument("own"),
        InvalidBSON("own"),
        lm.QueryError("own"),
        KeyboardInterrupt("own"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.usefixtures("db")
def test_errors_of_the_caller_are_unchanged(error: BaseException) -> None:
    report = Report()
    report.write_from(bytes(3 * CHUNK_SIZE))

    def reading() -> None:
        with report.open_read() as stream:
            stream.read(5)
            raise error

    def source() -> Iterator[bytes]:
        yield bytes(3 * CHUNK_SIZE)
        raise error

    for failing in (reading, lambda: report.write_from(source())):
        with pytest.raises(type(error)) as caught:
            failing()
        assert caught.value is error
        assert error.__cause__ is None


def read_lines(stream: Any) -> None:
    for _ in stream:
        pass


def read_chunks(stream: Any) -> None:
    while stream.readchunk():
        pass


READERS: list[Any] = [
    lambda stream: stream.read(),
    lambda stream: stream.read(3 * CHUNK_SIZE - 1),
    lambda stream: stream.readline(),
    lambda stream: stream.readlines(),
    read_lines,
    read_chunks,
]


@pytest.mark.parametrize("way", range(len(READERS)))
def test_errors_of_every_method_are_translated(way: int, client: Any, db: str) -> None:
    report = Report()
    report.write_from(bytes(3 * CHUNK_SIZE))
    client[db]["reports.chunks"].delete_one({"n": 1})
    with report.open_read() as stream:
        with pytest.raises(lm.OperationFailed, match="read Report"):
            READERS[way](stream)
        stream.seek(0)
        assert stream.read(5) == bytes(5)
