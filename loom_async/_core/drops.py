"""Reports each drop of a database or a collection to all clients of the process.

These are the clients of both packages and of all event loops: a client that dropped nothing itself
would otherwise assume that the indexes still exist.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

#: Takes a client, the name of a database, and that of a collection; None for all collections.
Forget: TypeAlias = Callable[[Any, str, str | None], None]

_clients: dict[int, tuple[weakref.ref[Any], Forget]] = {}
_count = 0


def register(client: object, forget: Forget) -> None:
    """Have `forget` called with a client on each drop, as long as the client lives."""
    key = id(client)

    def remove(_: object) -> None:
        _clients.pop(key, None)

    _clients[key] = weakref.ref(client, remove), forget


def report(database: str, collection: str | None = None) -> None:
    """Report the drop of a collection to all clients; None for all collections of a database."""
    global _count
    _count += 1
    for reference, forget in list(_clients.values()):
        client = reference()
        if client is not None:
            forget(client, database, collection)


def count() -> int:
    """Return the number of drops; if it has changed, what was found out before may be outdated."""
    return _count
