# Generated from loom_async/connection/pymongo_blocks.py by `nox -s sync`: edit that file.
"""Blocks of pymongo's around an operation: those that limit its time or give it a session."""

from __future__ import annotations

from contextvars import ContextVar

from pymongo import _csot
from pymongo.synchronous import client_session

from loom_async._core.settings import setting

# Older drivers have no sessions that are bound to a thread.
_bound_session: ContextVar[object] | None = getattr(client_session, "_SESSION", None)


def is_batching_allowed() -> bool:
    """Say whether operations of several threads may be sent as one batch here.

    They may not inside these blocks, which apply to the operations of one thread. pymongo has no
    public function that tells whether an operation is inside one.
    """
    return not has_bound_session() and not has_time_limit() and bool(setting("grouping"))


def has_bound_session() -> bool:
    """Say whether a block of pymongo's gives its own session to operations here."""
    return _bound_session is not None and _bound_session.get() is not None


def has_time_limit() -> bool:
    """Say whether a block of pymongo's limits the time of operations here."""
    return _csot.get_timeout() is not None


def is_time_over() -> bool:
    """Say whether the time limit of such a block has passed."""
    remaining = _csot.remaining()
    return remaining is not None and remaining <= 0
