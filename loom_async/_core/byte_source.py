"""Type checks of the sources that bytes are read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard, cast


def is_bytes(source: object) -> TypeGuard[bytes]:
    """Say whether a value is bytes, a bytearray or a memoryview."""
    return isinstance(source, bytes | bytearray | memoryview)


def checked_bytes(part: object) -> bytes:
    """Return an item that a source has yielded.

    Raises:
        TypeError: The item is not bytes.
    """
    if is_bytes(part):
        return part
    raise TypeError(
        f"the source yields {type(part).__name__}, not bytes: open files in binary mode, encode "
        "text"
    )


def iterated_bytes(source: Any) -> Iterator[object]:
    """Return an iterator over the items of a source.

    Raises:
        TypeError: The source is not iterable, or is a string.
    """
    if isinstance(source, Iterable) and not isinstance(source, str):
        return iter(cast("Iterable[object]", source))
    raise TypeError(
        f"bytes cannot be read from {type(source).__name__}: pass bytes, a pathlib.Path, a binary "
        "file or an iterable of bytes"
    )
