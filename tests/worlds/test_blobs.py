"""Blobs in an event loop: cancelled writers, asynchronous files, the twins of both worlds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

import loom_async as lm
import loom_sync
from loom_async._core.model.blob import CHUNK_SIZE
from tests.worlds.partly_done import DATABASE, Client, fail


@lm.declare_persist_db("shop", "reports")
class Report(lm.BlobModel):
    title: str = ""


@lm.declare_persist_db("shop", "reports")
class SyncReport(loom_sync.BlobModel):
    title: str = ""


async def endless(begun: asyncio.Event) -> AsyncIterator[bytes]:
    yield bytes(20 * CHUNK_SIZE)
    begun.set()
    await asyncio.Event().wait()


async def test_cancelled_while_it_waits_for_bytes(client: Any, db: str) -> None:
    begun = asyncio.Event()
    report = Report()
    writer = asyncio.create_task(report.write_from(endless(begun)))
    await begun.wait()
    assert await client[db]["reports.chunks"].count_documents({}) > 0
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    assert await client[db]["reports.chunks"].count_documents({}) == 0
    assert await report.versions() == []
    assert not await Report.filter().exists()


@pytest.mark.usefixtures("db")
async def test_cancelled_at_any_time(client: Any, db: str) -> None:
    report = Report()
    await report.write_from(b"first")
    data = bytes(40 * CHUNK_SIZE)
    began = time.perf_counter()
    await report.write_from(data)
    whole = time.perf_counter() - began
    for n in range(20):
        writer = asyncio.create_task(report.write_from(data))
        await asyncio.sleep(whole * n / 16)
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


class _File:
    """A file as libraries for asyncio have them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, size: int) -> bytes:
        await asyncio.sleep(0)
        piece, self._data = self._data[:size], self._data[size:]
        return piece


@pytest.mark.usefixtures("db")
async def test_asynchronous_files_and_streams_are_sources() -> None:
    report: Any = Report()
    data = bytes(range(256)) * 3000
    await report.write_from(_File(data))
    async with report.open_read() as stream:
        await report.write_from(stream)
    async with report.open_read(2) as stream:
        assert await stream.read() == data


@pytest.mark.usefixtures("db")
async def test_a_slow_file_does_not_stop_the_loop() -> None:
    class Slow:
        left = 3

        def read(self, size: int) -> bytes:
            time.sleep(0.1)
            self.left -= 1
            return bytes(size) if self.left else b""

    report: Any = Report()
    writer = asyncio.create_task(report.write_from(Slow()))
    turns = 0
    while not writer.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 50


@pytest.mark.usefixtures("db")
async def test_twins() -> None:
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


async def test_a_source_that_fails_is_closed_at_once(db: str) -> None:
    closed: list[bool] = []

    async def source() -> AsyncIterator[Any]:
        try:
            yield b"x" * 10
            yield "no bytes"
        finally:
            closed.append(True)

    given = source()
    with pytest.raises(TypeError):
        await Report().write_from(given)
    assert closed == [True]


@lm.declare_persist_db(DATABASE, "papers")
class Paper(lm.BlobModel):
    title: str = ""


@pytest.mark.parametrize("has_happened", [True, False])
async def test_the_outcome_of_the_document_is_unknown(failing: Client, has_happened: bool) -> None:
    """The document may name the version, now or when it is persisted: its bytes stay."""
    await Paper.filter().delete()
    paper = Paper(title="one")
    await paper.write_from(b"first")
    if has_happened:
        lost: dict[str, Any] = {"writeConcernError": {"code": 91, "errmsg": "stopping"}}
    else:
        lost = {"closeConnection": True}
    await fail(failing, "findAndModify", lost, 1_000_000)
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


async def test_nothing_stays_of_a_broken_upload_beside_a_save(failing: Client) -> None:
    await Paper.filter().delete()
    paper = Paper(title="one")
    await paper.write_from(b"first")

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(20 * CHUNK_SIZE)
        paper.title = "two"
        await fail(failing, "findAndModify", {"blockConnection": True, "blockTimeMS": 300}, 1)
        saving.append(asyncio.create_task(paper.persist()))
        await asyncio.sleep(0.1)
        raise ValueError("broken")

    saving: list[asyncio.Task[bool]] = []
    with pytest.raises(ValueError, match="broken"):
        await paper.write_from(broken())
    assert await saving[0]
    assert await failing[DATABASE]["papers.chunks"].count_documents({}) == 1
