"""The calls of blobs, given up: a document says what its versions are, and these are whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.worlds.called_models import File, Work

_PIECE = 255 * 1024


async def writing_bytes() -> Work:
    file = File()
    await file.write_from(b"first")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(_PIECE)
            await asyncio.sleep(0)

    async def call() -> None:
        await file.write_from(pieces())

    return Work(call, lambda: whole_file(file), lambda: whole_file(file))


async def whole_file(file: File) -> None:
    """Compare what the document says with its versions, and these with their bytes."""
    versions = await file.versions()
    newest = (versions[-1].number, versions[-1].length)
    stored = await File.from_id(file.id)
    assert stored is not None
    assert (stored.version, stored.length) == newest
    assert (file.version, file.length) == newest
    for version in versions[-2:]:
        async with file.open_read(version.number) as opened:
            assert len(await opened.read()) == version.length


async def a_file(versions: int = 1) -> File:
    file = File()
    for number in range(versions):
        await file.write_from(bytes((number + 1) * _PIECE))
    return file


async def reading_bytes() -> Work:
    file = await a_file(3)

    async def call() -> None:
        async with file.open_read() as opened:
            assert len(await opened.read()) == 3 * _PIECE

    return Work(call, lambda: whole_file(file))


async def listing_versions() -> Work:
    file = await a_file(3)
    return Work(file.versions, lambda: whole_file(file))


async def deleting_versions() -> Work:
    file = await a_file(1)

    async def call() -> None:
        version = await file.write_from(b"more")
        await file.delete_version(version.number)

    return Work(call, lambda: whole_file(file))
