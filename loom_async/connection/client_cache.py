"""What is remembered of a client as long as it lives: its collections, and which are ready."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

from pymongo import _csot
from pymongo.asynchronous import client_session
from pymongo.asynchronous.client_session import AsyncClientSession

from .. import _concurrency
from .._core.model.declaration import Declaration
from .._core.settings import setting
from .driver_types import Client, MongoCollection


class WriteSession:
    """A session for one write command at a time, and the number of the last one.

    It is never ended: pymongo would use it for writes of its own, which count from another number.
    """

    __slots__ = ("client_session", "number")

    def __init__(self, client: Client) -> None:
        self.client_session: AsyncClientSession = client.start_session(causal_consistency=False)
        # Above every number that pymongo may have given to a session of its pool.
        self.number: int = 1 << 40


class ClientCache:
    """What is remembered of one client: its collections, and which have their indexes."""

    def __init__(self) -> None:
        self.locks: dict[tuple[str, str], _concurrency.Lock] = {}
        self.collections: dict[tuple[str, str], MongoCollection] = {}
        self.indexed: set[tuple[type, str, str]] = set()
        # The collections that need nothing more, by model and database of the place, each with
        # the declaration that it was found by.
        self.ready: dict[tuple[type, str | None], tuple[Declaration, MongoCollection]] = {}
        # Whether the servers remember write commands by their numbers; None until one was asked.
        self.has_numbers: bool | None = None
        self.write_sessions: list[WriteSession] = []
        # By the id of the collection, which lives as long.
        self.updates: dict[int, _concurrency.BatchedCalls[Any, Any]] = {}
        self.loads: dict[
            tuple[int, type], _concurrency.BatchedCalls[Any, dict[str, Any] | None]
        ] = {}


def is_batching_allowed() -> bool:
    """Say whether operations may be sent together here.

    Not in blocks of pymongo's that hold for a task's own operations: one that limits the time of
    each, or has them use a session. Neither has a public word to ask whether it is there.
    """
    return not is_bound() and not is_limited() and bool(setting("grouping"))


def is_bound() -> bool:
    """Say whether a block of pymongo's has operations use a session of its own here."""
    return _bound_session is not None and _bound_session.get() is not None


def is_limited() -> bool:
    """Say whether a block of pymongo's limits the time of operations here."""
    return _csot.get_timeout() is not None


def is_time_over() -> bool:
    """Say whether the time of such a block has passed."""
    remaining = _csot.remaining()
    return remaining is not None and remaining <= 0


# Older drivers have no sessions that are bound to a task.
_bound_session: ContextVar[object] | None = getattr(client_session, "_SESSION", None)


# Another thread may have held a lock of a state when the process was forked: a child has its own.
_attribute = ""


def _name_attribute() -> None:
    global _attribute
    _attribute = f"_loom_state_{os.getpid()}"


_name_attribute()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_name_attribute)


def cache_of(client: Client) -> ClientCache:
    """Return what is remembered of a client.

    It is an attribute of the client, since it holds collections, and these hold the client: kept
    anywhere else, neither would ever be freed.
    """
    attributes = vars(client)
    state: ClientCache | None = attributes.get(_attribute)
    return attributes.setdefault(_attribute, ClientCache()) if state is None else state
