"""Blobs in an event loop: cancelled writers, asynchronous files, the async twins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

import loom_async as lm
import loom_sync
from loom_async._core.model.blob import CHUNK_SIZE
from tests.worlds.failing_server import DATABASE, Client, fail


@lm.declare_persist_db("shop", "reports")
class Report(lm.BlobModel):
    title: str = ""


@lm.declare_persist_db("shop", "reports")
class SyncReport(loom_sync.BlobModel):
    title: str = ""


async def endless_source(started: asyncio.Event) -> AsyncIterator[bytes]:
    yield bytes(20 * CHUNK_SIZE)
    started.set()
    await asyncio.Event().wait()


async def test_a_writer_cancelled_while_it_waits_for_bytes(client: Any, db: str) -> None:
    started = asyncio.Event()
    report = Report()
    writer = asyncio.create_task(report.write_from(endless_source(started)))
    await started.wait()
    assert await client[db]["reports.chunks"].count_documents({}) > 0
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    assert await client[db]["reports.chunks"].count_documents({}) == 0
    assert await report.versions() == []
    assert not await Report.filter().exists()


@pytest.mark.usefixtures("db")
async def test_a_writer_cancelled_at_any_time(client: Any, db: str) -> None:
    report = Report()
    await report.write_from(b"first")
    data = bytes(40 * CHUNK_SIZE)
    start = time.perf_counter()
    await report.write_from(data)
    seconds = time.perf_counter() - start
    for n in range(20):
        writer = asyncio.create_task(report.write_from(data))
        await asyncio.sleep(seconds * n / 16)
        writer.cancel()
        await asyncio.wait([writer])
        versions = await report.versions()
        files = await client[db]["reports.files"].distinct("_id")
        assert set(await client[db]["reports.chunks"].distinct("files_id")) == set(files)
        stored = await Report.from_id(report.id)
        assert stored is not None
        assert (stored.version, stored.length) == (versions[-1].number, versions[-1].length)
        assert stored == report
    assert await client[db]["reports.chunks"].count_documents({}) == 1 + 40 * (len(versions) - 1)


class _AsyncFile:
    """A file with an asynchronous `read`, like those of aiofiles."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, size: int) -> bytes:
        await asyncio.sleep(0)
        chunk, self._data = self._data[:size], self._data[size:]
        return chunk


@pytest.mark.usefixtures("db")
async def test_writing_from_asynchronous_files_and_streams() -> None:
    report: Any = Report()
    data = bytes(range(256)) * 3000
    await report.write_from(_AsyncFile(data))
    async with report.open_read() as stream:
        await report.write_from(stream)
    async with report.open_read(2) as stream:
        assert await stream.read() == data


@pytest.mark.usefixtures("db")
async def test_a_slow_file_does_not_block_the_event_loop() -> None:
    class Slow:
        left = 3

        def read(self, size: int) -> bytes:
            time.sleep(0.1)
            self.left -= 1
            return bytes(size) if self.left else b""

    report: Any = Report()
    writer = asyncio.create_task(report.write_from(Slow()))
    iterations = 0
    while not writer.done():
        await asyncio.sleep(0.001)
        iterations += 1
    assert iterations > 50


@pytest.mark.usefixtures("db")
async def test_async_twins_of_the_sync_package() -> None:
    report = SyncReport()
    await report.write_from_async(b"abc")
    async with report.open_read_async() as stream:
        assert await stream.read() == b"abc"
    assert len(await report.versions_async()) == 1
    await report.write_from_async(b"de")
    await report.delete_version_async(1)
    assert (report.version, report.length) == (2, 2)
    assert await report.delete_async()
    assert await report.versions_async() == []


async def test_a_source_of_wrong_values_is_closed(db: str) -> None:
    closed: list[bool] = []

    async def source() -> AsyncIterator[Any]:
        try:
            yield b"x" * 10
            yield "no bytes"
        finally:
            closed.append(True)

    chunks = source()
    with pytest.raises(TypeError):
        await Report().write_from(chunks)
    assert closed == [True]


@lm.declare_persist_db(DATABASE, "papers")
class Paper(lm.BlobModel):
    title: str = ""


@pytest.mark.parametrize("is_executed", [True, False])
async def test_the_update_of_the_document_has_an_unknown_outcome(
    failing: Client, is_executed: bool
) -> None:
    """The document may refer to the new version, now or once it is persisted: its chunks stay."""
    await Paper.filter().delete()
    paper = Paper(title="one")
    await paper.write_from(b"first")
    if is_executed:
        failure: dict[str, Any] = {"writeConcernError": {"code": 91, "errmsg": "stopping"}}
    else:
        failure = {"closeConnection": True}
    await fail(failing, "findAndModify", failure, 1_000_000)
    with lm.config_context(server_timeout=0.5), pytest.raises(lm.LoomError):
        await paper.write_from(b"second")
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    await paper.persist()
    newest = (await paper.versions())[-1]
    assert (paper.version, paper.length) == (newest.number, newest.length) == (2, 6)
    stored = await Paper.from_id(paper.id)
    assert stored is not None
    async with stored.open_read() as stream:
        assert await stream.read() == b"second"


async def test_a_failed_upload_during_a_save_leaves_no_chunks(failing: Client) -> None:
    await Paper.filter().delete()
    paper = Paper(title="one")
    await paper.write_from(b"first")

    async def failing_source() -> AsyncIterator[bytes]:
        yield bytes(20 * CHUNK_SIZE)
        paper.title = "two"
        await fail(failing, "findAndModify", {"blockConnection": True, "blockTimeMS": 300}, 1)
        saving.append(asyncio.create_task(paper.persist()))
        await asyncio.sleep(0.1)
        raise ValueError("broken")

    saving: list[asyncio.Task[bool]] = []
    with pytest.raises(ValueError, match="broken"):
        await paper.write_from(failing_source())
    assert await saving[0]
    assert await failing[DATABASE]["papers.chunks"].count_documents({}) == 1
