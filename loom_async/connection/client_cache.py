"""What Loom keeps for each client: its collections, sessions for writes, and batched calls."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from pymongo.asynchronous.client_session import AsyncClientSession

from .. import _concurrency
from .._core.model.declaration import Declaration
from .driver_types import Client, MongoCollection


class WriteSession:
    """A session for one write command at a time, and the number of its last command.

    It is never ended: pymongo would reuse it for its own writes, with lower numbers.
    """

    __slots__ = ("client_session", "number")

    def __init__(self, client: Client) -> None:
        self.client_session: AsyncClientSession = client.start_session(causal_consistency=False)
        # Above every number that pymongo may have given to a session of its pool.
        self.number: int = 1 << 40


class ReadyCollection(NamedTuple):
    """A collection that exists with its indexes, and the declaration that says so."""

    declaration: Declaration
    collection: MongoCollection


class ClientCache:
    """What Loom keeps for one client."""

    def __init__(self) -> None:
        #: The collections of each namespace, and the locks under which they are set up.
        self.collections: dict[tuple[str, str], MongoCollection] = {}
        self.locks: dict[tuple[str, str], _concurrency.Lock] = {}
        #: The models and namespaces whose collection and indexes have been created.
        self.set_up: set[tuple[type, str, str]] = set()
        #: The collections that need no setup any more, by model and the context's database.
        self.ready: dict[tuple[type, str | None], ReadyCollection] = {}
        #: Whether the servers remember write commands by their numbers; None before the first.
        self.has_numbers: bool | None = None
        self.write_sessions: list[WriteSession] = []
        #: By kind of call, by the id of the collection, which lives as long, and by arguments.
        self.batched_calls: dict[tuple[object, ...], _concurrency.BatchedCalls[Any, Any]] = {}

    def forget(self, database: str, collection: str | None) -> None:
        """Have a collection set up again on next use; None for all collections of the database."""
        for entry in list(self.set_up):
            if entry[1] == database and collection in (None, entry[2]):
                self.set_up.discard(entry)
        for key, (_, known) in list(self.ready.items()):
            if known.database.name == database and collection in (None, known.name):
                self.ready.pop(key, None)


# A child by fork needs a cache of its own: another thread of its parent may have held a lock.
_attribute = ""


def _name_attribute() -> None:
    global _attribute
    _attribute = f"_loom_cache_{os.getpid()}"


_name_attribute()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_name_attribute)


def cache_of(client: Client) -> ClientCache:
    """Return the cache of a client.

    It is an attribute of the client, because its collections refer to the client: in a mapping,
    even one of weak references, neither would ever be freed.
    """
    attributes = vars(client)
    cache: ClientCache | None = attributes.get(_attribute)
    return attributes.setdefault(_attribute, ClientCache()) if cache is None else cache
