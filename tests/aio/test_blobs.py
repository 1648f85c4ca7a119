"""Blobs: their bytes are written and read as streams, in versions, whole or not at all."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.model.blob import CHUNK_SIZE
from loom_async.blobs import versions
from tests.aio import _concurrency
from tests.commands import commands_of


@lm.declare_persist_db("shop", "reports")
class Report(lm.BlobModel):
    title: str = ""


async def read(report: Report, version: int | None = None) -> bytes:
    async with report.open_read(version) as stream:
        return bytes(await stream.read())


async def stored(client: Any, db: str) -> tuple[int, int]:
    """Return how many versions and how many chunks are in the bucket."""
    database = client[db]
    return (
        await database["reports.files"].count_documents({}),
        await database["reports.chunks"].count_documents({}),
    )


async def in_parts(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def plain_parts(data: bytes) -> Iterator[bytes]:
    yield from (data[start : start + 1000] for start in range(0, len(data), 1000))


@pytest.mark.parametrize("length", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
@pytest.mark.usefixtures("db")
async def test_every_source(tmp_path: Path, length: int) -> None:
    data = bytes(n % 251 for n in range(length))
    path = tmp_path / "data"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources: list[Any] = [
            data,
            bytearray(data),
            memoryview(data),
            path,
            file,
            io.BytesIO(data),
            plain_parts(data),
            in_parts(data),
            [data],
        ]
        report = Report()
        for n, source in enumerate(sources, 1):
            version = await report.write_from(source)
            assert (version.number, version.length) == (n, length)
            assert (report.version, report.length) == (n, length)
            assert await read(report) == data
    assert await Report.from_id(report.id) == report


async def test_reading(client: Any, db: str) -> None:
    report = Report(title="x", content_type="text/plain")
    data = b"".join(b"line %d\n" % n for n in range(100_000))
    await report.write_from(data)
    async with report.open_read() as stream:
        assert await stream.readline() == b"line 0\n"
        assert await stream.read(4) == b"line"
        await stream.seek(0)
        assert len(await stream.readchunk()) == CHUNK_SIZE
        await stream.seek(-3, io.SEEK_END)
        assert await stream.read() == b"99\n"
        assert await stream.read() == b""
        await stream.seek(0)
        assert [line async for line in stream][-1] == b"line 99999\n"
    file = await client[db]["reports.files"].find_one()
    assert (file["filename"], file["metadata"]) == (
        str(report.id),
        {"version": 1, "document": report.id},
    )


async def test_versions(client: Any, db: str) -> None:
    report = Report()
    for text in (b"a", b"bb", b"ccc"):
        await report.write_from(text)
    found = await report.versions()
    assert [(v.number, v.length) for v in found] == [(1, 1), (2, 2), (3, 3)]
    assert found[0].uploaded_at <= found[2].uploaded_at
    assert found[0].uploaded_at.tzinfo is not None
    assert [await read(report, n) for n in (1, 2, 3, -1, -3, None)] == [
        b"a", b"bb", b"ccc", b"ccc", b"a", b"ccc",
    ]  # fmt: skip
    await report.delete_version(2)
    assert (report.version, report.length) == (3, 3)
    await report.delete_version(-1)
    assert (report.version, report.length) == (1, 1)
    assert await Report.from_id(report.id) == report
    assert [v.number for v in await report.versions()] == [1]
    assert await stored(client, db) == (1, 1)
    with pytest.raises(lm.DocumentNotFound, match="has no version 2"):
        await report.delete_version(2)


@pytest.mark.usefixtures("db")
async def test_missing_versions_are_a_clear_error() -> None:
    report = Report()
    for version, message in [(None, "no bytes"), (0, "no version 0"), (-1, "no version -1")]:
        with pytest.raises(lm.DocumentNotFound, match=message) as caught:
            await read(report, version)
        assert caught.value.id == report.id
    assert await report.versions() == []


async def test_documents_have_bytes_of_their_own(client: Any, db: str) -> None:
    one, other = Report(), Report()
    await one.write_from(b"1")
    await other.write_from(b"2")
    assert await one.delete() is True
    assert await stored(client, db) == (1, 1)
    assert await read(other) == b"2"
    assert await one.delete() is False
    with lm.using(database=f"{db}_other"):
        assert await other.versions() == []
        await Report().write_from(b"3")
        assert await stored(client, f"{db}_other") == (1, 1)
    await client.drop_database(f"{db}_other")


async def test_a_query_deletes_blobs_with_their_bytes(
    client: Any, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_BLOBS_AT_ONCE", 2)
    for n in range(6):
        report = Report(title=str(n))
        for version in range(n % 3):
            await report.write_from([bytes([version])])
        await report.persist()
    assert await stored(client, db) == (6, 6)
    assert await Report.filter(lm.fld["title"] != "5").delete() == 5
    assert await stored(client, db) == (2, 2)
    assert await read(report) == b"\1"
    assert await Report.filter().delete() == 1
    assert await stored(client, db) == (0, 0)
    assert await Report.filter().delete() == 0


class Broken(Exception):
    pass


def breaking() -> Iterator[bytes]:
    yield bytes(3 * CHUNK_SIZE)
    raise Broken


@pytest.mark.parametrize("source", ["text", 3, None, [b"a", "b"], io.StringIO("text")], ids=type)
async def test_only_bytes_are_written(client: Any, db: str, source: Any) -> None:
    with pytest.raises(TypeError, match="bytes"):
        await Report().write_from(source)
    assert await stored(client, db) == (0, 0)
    assert not await Report.filter().exists()


async def test_a_failure_leaves_nothing(client: Any, db: str) -> None:
    report = Report()
    await report.write_from(b"good")
    with pytest.raises(Broken):
        await report.write_from(breaking())
    with pytest.raises(FileNotFoundError):
        await report.write_from(Path("/nowhere"))
    assert await stored(client, db) == (1, 1)
    assert (report.version, report.length) == (1, 4)
    assert await read(report) == b"good"
    # The document is gone, so no bytes are stored for it.
    await client[db]["reports"].delete_many({})
    with pytest.raises(lm.DocumentNotFound):
        await report.write_from(b"more")
    assert await stored(client, db) == (1, 1)
    assert (report.version, report.length) == (1, 4)


async def test_writers_at_once_each_get_a_version(client: Any, db: str) -> None:
    report = Report()
    await report.persist()
    copies = [await Report.from_id(report.id) for _ in range(5)]
    written = await _concurrency.gathered(
        *(lambda c=copy, n=n: c.write_from(bytes(n)) for n, copy in enumerate(copies, 1))
    )
    assert sorted(version.number for version in written) == [1, 2, 3, 4, 5]
    assert [(v.number, v.length) for v in await report.versions()] == sorted(
        (v.number, v.length) for v in written
    )
    await report.reload()
    assert (report.version, report.length) == (5, (await report.versions())[-1].length)
    await _concurrency.gathered(*(lambda n=n: report.write_from(bytes(n)) for n in range(3)))
    assert report.version == 8
    assert await Report.from_id(report.id) == report


async def test_not_inside_a_transaction(client: Any, db: str) -> None:
    report = Report()
    await report.write_from(b"x")

    async def opened() -> None:
        async with report.open_read():
            pass

    calls: list[Any] = [
        lambda: report.write_from(b"y"),
        lambda: report.delete_version(1),
        report.versions,
        report.delete,
        Report.filter().delete,
        opened,
    ]
    for call in calls:
        with commands_of(client) as sent, pytest.raises(lm.TransactionError, match="bytes of"):
            async with lm.transaction():
                await call()
        assert sent == []
    async with lm.transaction():
        report.title = "new"
        await report.persist()
    assert await read(report) == b"x"


async def test_errors_of_the_driver_are_looms(client: Any, db: str) -> None:
    report = Report()
    await report.write_from(bytes(3 * CHUNK_SIZE))
    await client[db]["reports.chunks"].delete_one({"n": 1})
    with pytest.raises(lm.OperationFailed, match="read Report"):
        await read(report)


@pytest.mark.usefixtures("db")
async def test_sixty_megabytes_need_less_memory(mongo_uri: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for _ in range(60):
            file.write(block)
    report = Report()
    async with lm.connect(mongo_uri):  # a client without a listener that keeps commands
        tracemalloc.start()
        try:
            await report.write_from(path)
            written = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            async with report.open_read() as stream:
                count = 0
                while piece := await stream.readchunk():
                    assert piece[:256] == block[count % 256 :][:256] + block[: count % 256]
                    count += len(piece)
            read_back = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == report.length == len(block) * 60
    # The driver reads in batches of 16 MB, and writes the chunks of one call.
    assert written < 30_000_000
    assert read_back < 50_000_000
