"""Bytes from a file, an iterable or memory, in chunks of one size."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from .._core.byte_source import checked_bytes, is_bytes, iterated_bytes
from .primitives import in_thread, maybe_await

Source: TypeAlias = bytes | bytearray | Path | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]


async def read_chunks(source: Source, size: int) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a source in chunks; the last chunk may be shorter.

    Files are read in a thread.

    Parameters:
        source: Bytes, a path, a binary file, or an iterable of bytes, asynchronous or not.
        size: The bytes of a chunk.

    Raises:
        TypeError: The source is none of these, or yields something other than bytes.
    """
    if isinstance(source, Path):
        with await in_thread(source.open, "rb") as file:
            while chunk := await in_thread(file.read, size):
                yield chunk
        return
    rest = bytearray()
    async with aclosing(_parts(source, size)) as parts:
        async for part in parts:
            rest += checked_bytes(part)
            while len(rest) >= size:
                yield bytes(rest[:size])
                del rest[:size]
    if rest:
        yield bytes(rest)


async def _parts(source: Any, size: int) -> AsyncGenerator[object, None]:
    if is_bytes(source):
        for start in range(0, len(source), size):
            yield bytes(source[start : start + size])
    elif (read := getattr(source, "read", None)) is not None:
        while part := await maybe_await(await in_thread(read, size)):
            yield part
    elif isinstance(source, AsyncIterable):
        iterable = cast("AsyncIterable[object]", source)
        try:
            async for part in iterable:
                yield part
        finally:
            # The garbage collector would close a generator, but perhaps much later.
            if (close := getattr(iterable, "aclose", None)) is not None:
                await close()
    else:
        end = object()
        parts = iterated_bytes(source)
        while (part := await in_thread(next, parts, end)) is not end:
            yield part
