"""Cancelled calls of blobs: the document agrees with its versions, and these are complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.worlds.cancellation_models import CancellationCase, File

_CHUNK = 255 * 1024


async def write_case() -> CancellationCase:
    file = File()
    await file.write_from(b"first")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(_CHUNK)
            await asyncio.sleep(0)

    async def call() -> None:
        await file.write_from(chunks())

    return CancellationCase(call, lambda: check_file(file), lambda: check_file(file))


async def check_file(file: File) -> None:
    """Compare the document with its versions, and these with their bytes."""
    versions = await file.versions()
    latest = (versions[-1].number, versions[-1].length)
    stored = await File.from_id(file.id)
    assert stored is not None
    assert (stored.version, stored.length) == latest
    assert (file.version, file.length) == latest
    for version in versions[-2:]:
        async with file.open_read(version.number) as opened:
            assert len(await opened.read()) == version.length


async def make_file(versions: int = 1) -> File:
    file = File()
    for number in range(versions):
        await file.write_from(bytes((number + 1) * _CHUNK))
    return file


async def read_case() -> CancellationCase:
    file = await make_file(3)

    async def call() -> None:
        async with file.open_read() as opened:
            assert len(await opened.read()) == 3 * _CHUNK

    return CancellationCase(call, lambda: check_file(file))


async def versions_case() -> CancellationCase:
    file = await make_file(3)
    return CancellationCase(file.versions, lambda: check_file(file))


async def delete_version_case() -> CancellationCase:
    file = await make_file(1)

    async def call() -> None:
        version = await file.write_from(b"more")
        await file.delete_version(version.number)

    return CancellationCase(call, lambda: check_file(file))
