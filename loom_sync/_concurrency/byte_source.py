"""Bytes from a file, an iterable or memory, in chunks of one size."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from loom_async._core.byte_source import checked_bytes, is_bytes, iterated_bytes

Source: TypeAlias = bytes | bytearray | Path | BinaryIO | Iterable[bytes]


def read_chunks(source: Source, size: int) -> Generator[bytes, None, None]:
    """Yield the bytes of a source in chunks; the last chunk may be shorter.

    Parameters:
        source: Bytes, a path, a binary file, or an iterable of bytes.
        size: The bytes of a chunk.

    Raises:
        TypeError: The source is none of these, or yields something other than bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            while chunk := file.read(size):
                yield chunk
        return
    rest = bytearray()
    for part in _parts(source, size):
        rest += checked_bytes(part)
        while len(rest) >= size:
            yield bytes(rest[:size])
            del rest[:size]
    if rest:
        yield bytes(rest)


def _parts(source: Any, size: int) -> Generator[object, None, None]:
    if is_bytes(source):
        for start in range(0, len(source), size):
            yield bytes(source[start : start + size])
    elif (read := getattr(source, "read", None)) is not None:
        while part := read(size):
            yield part
    else:
        yield from iterated_bytes(source)
