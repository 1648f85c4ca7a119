# Generated from tests/aio/watching.py by `nox -s sync`: edit that file.
"""What a change stream gives, a few changes at a time."""

from __future__ import annotations

from typing import Any


def taken(changes: Any, count: int) -> list[Any]:
    return [next(changes) for _ in range(count)]


def operations(changes: Any, count: int) -> list[tuple[str, str | None]]:
    return [
        (change.operation, change.document and change.document.name)
        for change in taken(changes, count)
    ]
