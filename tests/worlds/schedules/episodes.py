"""Episodes: workers make calls while faults occur; what is stored in the end is checked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from tests.faults.proxy import Proxy
from tests.faults.replica_set import ReplicaSet
from tests.worlds.schedules.documents import Owned, Shared, state_of
from tests.worlds.schedules.shares import Share, check
from tests.worlds.schedules.workers import (
    EXPECTED_ERRORS,
    FAULT_ERRORS,
    Companion,
    Conditions,
    Worker,
)

_WORKERS, _SHARED, _COMPANIONS = 8, 4, 3
#: Seconds that an episode may take beyond its own: for an election, and for server selection.
_GRACE = 120.0

#: A block during which faults occur; they are repaired when it ends.
Fault = Callable[[random.Random], AbstractAsyncContextManager[None]]


class Episode:
    """Workers on a database of their own.

    Parameters:
        rng: The source of all random choices.
        fault: The faults that occur during the episode; None for none.
    """

    def __init__(self, rng: random.Random, fault: Fault | None) -> None:
        self._dice = rng
        self._fault = fault
        self.conditions = Conditions(EXPECTED_ERRORS + (FAULT_ERRORS if fault else ()))
        self.workers: list[Worker] = []
        self.companions: list[Companion] = []

    async def run(self, seconds: float) -> None:
        """Run all callers for some time, store everything once more, and check what is stored.

        Raises:
            AssertionError: What is stored contradicts the outcomes of the calls.
        """
        await self._begin()
        async with asyncio.timeout(seconds + _GRACE):
            async with self._faults(), asyncio.TaskGroup() as group:
                for caller in [*self.workers, *self.companions]:
                    group.create_task(caller.run())
                await asyncio.sleep(seconds)
                self.conditions.is_over = True
            await self._finish()
            await self._check()

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        if self._fault is None:
            yield
            return
        async with self._fault(self._dice):
            yield

    def _fork(self) -> random.Random:
        return random.Random(self._dice.random())

    async def _begin(self) -> None:
        shared = [Shared() for _ in range(_SHARED)]
        common = Shared()
        await Shared.persist_many([*shared, common])
        for number in range(_WORKERS):
            parts = [Share(f"w{number}", await _copy(document)) for document in shared]
            self.workers.append(Worker(self._fork(), self.conditions, parts))
        names = [f"c{number}" for number in range(_COMPANIONS)]
        parts = [Share(name, common, is_shared_object=True) for name in names]
        for number in range(_COMPANIONS):
            own_first = parts[number:] + parts[:number]
            self.companions.append(Companion(self._fork(), self.conditions, own_first))

    async def _finish(self) -> None:
        for worker in self.workers:
            await worker.finish()
        for companion in self.companions:
            await companion.save()

    async def _check(self) -> None:
        await self._check_owned()
        stored = {document.id: document for document in await Shared.filter().load_many()}
        parts = [share for worker in self.workers for share in worker.shares]
        parts += self.companions[0].shares
        for id, document in stored.items():
            check(document, [share for share in parts if share.document.id == id])

    async def _check_owned(self) -> None:
        stored = {document.id: document for document in await Owned.filter().load_many()}
        tracks = [t for worker in self.workers for t in [*worker.tracks, *worker.dropped]]
        for track in tracks:
            found = stored.pop(track.document.id, None)
            state = None if found is None else state_of(found)
            possible = track.possible
            assert state in possible, track.report("this is stored in the end", state, *possible)
        assert not stored, f"documents that no worker wrote: {list(stored)}"


async def _copy(document: Shared) -> Shared:
    found = await Shared.from_id(document.id)
    assert found is not None
    return found


@asynccontextmanager
async def _repeated(break_once: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Cause a fault again and again until the block ends; each call repairs what it broke."""
    is_over = asyncio.Event()

    async def repeat() -> None:
        while not is_over.is_set():
            await break_once()

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        is_over.set()
        await task


def killed_primaries(servers: ReplicaSet) -> Fault:
    """Kill the primary with SIGKILL from time to time."""

    def fault(rng: random.Random) -> Any:
        async def kill() -> None:
            await asyncio.sleep(1 + 2 * rng.random())
            await asyncio.to_thread(servers.replace_primary)

        return _repeated(kill)

    return fault


def cut_network(proxy: Proxy) -> Fault:
    """Break connections, sometimes while replies are held back."""

    def fault(rng: random.Random) -> Any:
        async def cut() -> None:
            await asyncio.sleep(rng.random())
            if rng.random() < 0.6:
                proxy.hold_replies()
                await asyncio.sleep(rng.random() * 0.3)
            if rng.random() < 0.7:
                proxy.cut()
                await asyncio.sleep(rng.choice((0, 0, 0.3, 1.5)))
                proxy.restore()
            proxy.thaw()

        return _repeated(cut)

    return fault
