"""What may be written as bytes, and what may not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard, cast


def is_bytes(source: object) -> TypeGuard[bytes]:
    """Say whether a value is bytes, or as good as bytes."""
    return isinstance(source, bytes | bytearray | memoryview)


def checked_bytes(part: object) -> bytes:
    """Return a part of a source if it is bytes.

    Raises:
        TypeError: It is something else.
    """
    if is_bytes(part):
        return part
    raise TypeError(
        f"bytes are written, and the source gives a {type(part).__name__}: "
        "open a file in binary mode, encode text"
    )


def iterated_bytes(source: Any) -> Iterator[object]:
    """Return an iterator over the parts of a source.

    Raises:
        TypeError: It is nothing that gives bytes.
    """
    if isinstance(source, Iterable) and not isinstance(source, str):
        return iter(cast("Iterable[object]", source))
    raise TypeError(
        f"bytes cannot be written from a {type(source).__name__}: give bytes, a pathlib.Path, "
        "a binary file or an iterable of bytes"
    )
