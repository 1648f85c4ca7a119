"""The primitives in which asyncio and threads differ; `loom_async` has the same names."""

from loom_sync._concurrency.batching import BatchedCalls
from loom_sync._concurrency.byte_source import Source, read_chunks
from loom_sync._concurrency.cancellation import await_reply, shielded
from loom_sync._concurrency.object_lock import ObjectLock
from loom_sync._concurrency.pending_call import PendingCall
from loom_sync._concurrency.prefetch import prefetch
from loom_sync._concurrency.primitives import (
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
from loom_sync._concurrency.side_work import run_beside

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
