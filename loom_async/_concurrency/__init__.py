"""The primitives in which asyncio and threads differ; `loom_sync` has the same names."""

from . import driver_patch as driver_patch
from .batching import BatchedCalls
from .byte_source import Source, read_chunks
from .cancellation import await_reply, shielded
from .object_lock import ObjectLock
from .pending_call import PendingCall
from .prefetch import prefetch
from .primitives import (
    WAITING_BLOCKS_THE_THREAD,
    Lock,
    at_scope_end,
    client_scope,
    in_thread,
    in_worker,
    is_script,
    maybe_await,
    sleep,
)
from .side_work import run_beside

__all__ = [
    "WAITING_BLOCKS_THE_THREAD",
    "BatchedCalls",
    "Lock",
    "ObjectLock",
    "PendingCall",
    "Source",
    "at_scope_end",
    "await_reply",
    "client_scope",
    "in_thread",
    "in_worker",
    "is_script",
    "maybe_await",
    "prefetch",
    "read_chunks",
    "run_beside",
    "shielded",
    "sleep",
]
