# Generated from tests/aio/watching.py by `nox -s sync`: edit that file.
"""Changes of a change stream, a few at a time, and its cursors on the server."""

from __future__ import annotations

from typing import Any

from tests.cursors import open_cursors
from tests.sync.shop import User


def taken(changes: Any, count: int) -> list[Any]:
    return [next(changes) for _ in range(count)]


def operations(changes: Any, count: int) -> list[tuple[str, str | None]]:
    return [
        (change.operation, change.document and change.document.name)
        for change in taken(changes, count)
    ]


def cursors(client: Any, db: str) -> list[Any]:
    return client.admin.aggregate(open_cursors(db)).to_list()


def is_closed(client: Any, db: str) -> bool:
    tries = 0
    while tries < 500 and cursors(client, db):
        tries += 1
    return tries < 500


def token_now() -> str:
    """Return the resume token of a change stream that begins now."""
    with User.watch() as changes:
        assert changes.token is not None
        return changes.token
