"""What has been dropped through Loom's clients: each of them forgets what it knew of it.

All clients of the process are told, of both packages and of all event loops: a client that has
dropped nothing itself would otherwise take the indexes for made.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

#: Takes a client, and the names of a database and of a collection; None for all collections.
Forget: TypeAlias = Callable[[Any, str, str | None], None]

_clients: dict[int, tuple[weakref.ref[Any], Forget]] = {}
_count = 0


def register(client: object, forget: Forget) -> None:
    """Have a function called for a client, as long as that lives, when something is dropped."""
    key = id(client)

    def remove(_: object) -> None:
        _clients.pop(key, None)

    _clients[key] = weakref.ref(client, remove), forget


def tell(database: str, collection: str | None = None) -> None:
    """Have all clients forget a database or one of its collections."""
    global _count
    _count += 1
    for reference, forget in list(_clients.values()):
        client = reference()
        if client is not None:
            forget(client, database, collection)


def count() -> int:
    """Return how many drops there have been: what was found out before the last may be outdated."""
    return _count
