"""Workers that make random calls, cancel some of them, and report the outcomes to the oracle."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import loom_async as lm
from tests.worlds.cancellation import CANCELLED, CANCELLERS, Call, run_and_cancel
from tests.worlds.schedules.documents import Owned, Shared, State, edit, restore, state_of
from tests.worlds.schedules.oracle import Track
from tests.worlds.schedules.shares import Share

_DOCUMENTS = 12
#: The errors that calls may raise without faults, and those that faults may cause besides.
EXPECTED_ERRORS: tuple[type[lm.LoomError], ...] = (lm.TransactionAborted,)
FAULT_ERRORS = (lm.ConnectionFailed, lm.OperationTimeout, lm.OutcomeUnknown, lm.BulkError)


class Aborted(Exception):
    """Raised in a transaction to abort it."""


@dataclass
class Conditions:
    """What holds for all workers of an episode.

    Parameters:
        allowed: The errors that calls may raise.
        cancelled: The share of calls that are cancelled.
    """

    allowed: tuple[type[lm.LoomError], ...]
    cancelled: float = 0.3
    is_over: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def check_error(self, error: lm.LoomError) -> None:
        """Fail on an error that may not occur."""
        if not isinstance(error, self.allowed):
            raise AssertionError(f"an error that may not occur: {error!r}") from error
        self.counts[type(error).__name__] += 1


class Caller:
    """Makes calls, some of which it cancels at a random moment.

    Parameters:
        rng: The source of its random choices.
        conditions: Those of the episode.
    """

    def __init__(self, rng: random.Random, conditions: Conditions) -> None:
        self.rng = rng
        self.conditions = conditions

    async def attempt(self, call: Call) -> Any:
        """Return the result of a call, CANCELLED if it was cancelled, or the error it raised."""
        self.conditions.counts["calls"] += 1
        try:
            if self.rng.random() > self.conditions.cancelled:
                return await call()
            delay = self.rng.choice((self.rng.randrange(12), self.rng.random() * 0.004))
            result = await run_and_cancel(self.rng.choice(CANCELLERS), call, delay)
        except lm.LoomError as error:
            self.conditions.check_error(error)
            return error
        self.conditions.counts["cancelled"] += result is CANCELLED
        return result


def is_done(outcome: Any) -> bool:
    """Return whether a call has succeeded."""
    return outcome is not CANCELLED and not isinstance(outcome, Exception)


class Worker(Caller):
    """The only writer of some documents.

    Parameters:
        rng: The source of its random choices.
        conditions: Those of the episode.
        shares: Its parts of documents that other workers change as well.
    """

    def __init__(self, rng: random.Random, conditions: Conditions, shares: Iterable[Share]) -> None:
        super().__init__(rng, conditions)
        self.shares = list(shares)
        self.tracks = [Track(Owned()) for _ in range(_DOCUMENTS)]
        self.dropped: list[Track] = []

    async def run(self) -> None:
        """Make calls until the episode is over."""
        with lm.config_context(grouping=self.rng.random() < 0.7):
            while not self.conditions.is_over:
                await self._step()

    async def _step(self) -> None:
        steps = {
            self._save_one: 6,
            self._save_all: 3,
            self._save_many: 2,
            self._share: 4,
            self._transact: 1,
            self._abort: 1,
            self._reload_one: 1,
            self._load: 1,
            self._remove: 1,
        }
        (step,) = self.rng.choices([*steps], [*steps.values()])
        await step()

    async def _save_one(self) -> None:
        await self.save(self.rng.choice(self.tracks))

    async def _save_all(self) -> None:
        """Save all documents in one iteration of the event loop, so that calls may be grouped."""
        await asyncio.gather(*map(self.save, self.tracks))

    async def save(self, track: Track) -> None:
        """Edit a document and store it; delete one whose deletion was cancelled."""
        if track.is_deletion_pending:
            await self._delete(track)
            return
        self._edit(track)
        state = state_of(track.document)
        track.begin_call(state)
        outcome = await self.attempt(track.document.persist)
        track.note("persist", outcome)
        await self._record_outcome(track, state, outcome)

    def _edit(self, track: Track) -> None:
        earlier = track.possible[0]
        if earlier is not None and self.rng.random() < 0.3:
            restore(track.document, earlier, self.rng)
            track.note("restore", None)
        if earlier is None or self.rng.random() < 0.8:
            edit(track.document, self.rng)

    async def _record_outcome(self, track: Track, state: State, outcome: Any) -> None:
        if is_done(outcome):
            track.call_succeeded(state)
        elif isinstance(outcome, lm.OutcomeUnknown):
            await self._reload(track)

    async def _save_many(self) -> None:
        tracks = [t for t in self.rng.sample(self.tracks, 5) if not t.is_deletion_pending]
        new = [Track(Owned()) for _ in range(self.rng.choice((0, 0, 2)))]
        self._replace(new)
        tracks += new
        for track in tracks:
            self._edit(track)
        states = [state_of(track.document) for track in tracks]
        for track, state in zip(tracks, states, strict=True):
            track.begin_call(state)
        documents = [track.document for track in tracks]
        outcome = await self.attempt(lambda: Owned.persist_many(documents))
        failed: dict[int, lm.LoomError] = {}
        if isinstance(outcome, lm.BulkError):
            failed = {entry.index: lm.OutcomeUnknown(entry.reason) for entry in outcome.entries}
            outcome = None
        for number, (track, state) in enumerate(zip(tracks, states, strict=True)):
            own = failed.get(number, outcome)
            track.note("persist_many", own)
            await self._record_outcome(track, state, own)

    def _replace(self, new: list[Track]) -> None:
        """Exchange as many known documents as there are new ones."""
        settled = [track for track in self.tracks if track.is_known][: len(new)]
        self.dropped += settled
        self.tracks = [track for track in self.tracks if track not in settled] + new

    async def _transact(self) -> None:
        await self._in_transaction(is_committed=True)

    async def _abort(self) -> None:
        await self._in_transaction(is_committed=False)

    async def _in_transaction(self, *, is_committed: bool) -> None:
        known = [track for track in self.tracks if track.is_known]
        tracks = self.rng.sample(known, min(3, len(known)))
        states: dict[Track, State] = {}

        async def block() -> None:
            async with lm.transaction():
                for track in tracks:
                    edit(track.document, self.rng)
                    states[track] = state_of(track.document)
                    if is_committed:
                        track.begin_call(states[track])
                    await track.document.persist()
                if not is_committed:
                    raise Aborted

        try:
            outcome = await self.attempt(block)
        except Aborted:
            outcome = CANCELLED
        for track in tracks:
            track.note("transaction" if is_committed else "aborted transaction", outcome)
            if is_done(outcome):
                track.call_succeeded(states[track])

    async def _reload_one(self) -> None:
        track = self.rng.choice(self.tracks)
        if not track.is_deletion_pending and not track.is_gone:
            await self._reload(track)

    async def _reload(self, track: Track) -> None:
        """Reload until it succeeds, or finds that the document was never stored."""
        outcome: Any = CANCELLED
        while not is_done(outcome):
            try:
                outcome = await self.attempt(track.document.reload)
            except AssertionError as failed:
                if not isinstance(failed.__cause__, lm.DocumentNotFound):
                    raise
                track.note("reload", failed.__cause__)
                track.loaded(None)
                self._drop(track)
                return
            track.note("reload", outcome)
        track.loaded(state_of(track.document))

    async def _load(self) -> None:
        """Replace the object of a document whose state is known by a loaded one."""
        known = [track for track in self.tracks if track.is_known]
        if known:
            track = self.rng.choice(known)
            found = await self.attempt(lambda: Owned.from_id(track.document.id))
            track.note("from_id", found)
            if is_done(found):
                track.loaded(None if found is None else state_of(found))
                track.document = found

    async def _remove(self) -> None:
        await self._delete(self.rng.choice(self.tracks))

    async def _delete(self, track: Track) -> None:
        track.is_deletion_pending = True
        track.begin_call(None)
        outcome = await self.attempt(track.document.delete)
        track.note("delete", outcome)
        if is_done(outcome):
            track.call_succeeded(None)
            track.is_deletion_pending = False
            if self.rng.random() < 0.5:
                self._drop(track)

    def _drop(self, track: Track) -> None:
        """Exchange a document that does not exist for a new one."""
        self.dropped.append(track)
        self.tracks[self.tracks.index(track)] = Track(Owned())

    async def _share(self) -> None:
        share = self.rng.choice(self.shares)
        share.edit(self.rng)
        await self.save_share(share)

    async def save_share(self, share: Share) -> None:
        """Store the edits of a shared document; reload it if the outcome stays unknown."""
        share.begin_call()
        outcome = await self.attempt(share.document.persist)
        if is_done(outcome):
            share.call_succeeded()
        while isinstance(outcome, lm.OutcomeUnknown):
            outcome = await self.attempt(share.document.reload)
            if is_done(outcome):
                share.reload_succeeded()
            elif outcome is CANCELLED or not isinstance(outcome, lm.OutcomeUnknown):
                outcome = lm.OutcomeUnknown("reload again")

    async def finish(self) -> None:
        """Store everything once more, now that nothing fails: each call succeeds."""
        self.conditions.cancelled = 0.0
        for share in self.shares:
            await self.save_share(share)
        for track in self.tracks:
            await self._finish(track)

    async def _finish(self, track: Track) -> None:
        if track.is_deletion_pending:
            await self._delete(track)
            return
        state = state_of(track.document)
        track.begin_call(state)
        outcome = await self.attempt(track.document.persist)
        track.note("last persist", outcome)
        await self._record_outcome(track, state, outcome)
        if not is_done(outcome):
            assert isinstance(outcome, lm.OutcomeUnknown), track.report(f"{outcome!r}", state)
            return
        before = state_of(track.document)
        await track.document.reload()
        found = state_of(track.document)
        assert found == before, track.report("the reload differs", found, before)


class Companion(Caller):
    """One of several tasks that change and store the same object.

    Parameters:
        rng: The source of its random choices.
        conditions: Those of the episode.
        shares: The parts of all tasks, its own first.
    """

    def __init__(self, rng: random.Random, conditions: Conditions, shares: list[Share]) -> None:
        super().__init__(rng, conditions)
        self.own, self.shares = shares[0], shares

    async def run(self) -> None:
        """Make calls until the episode is over."""
        while not self.conditions.is_over:
            self.own.edit(self.rng)
            await self.save()
            await asyncio.sleep(self.rng.random() * 0.02)

    async def save(self) -> None:
        """Store the object; reload it for all tasks if the outcome is unknown."""
        outcome = await self.attempt(self.own.document.persist)
        if is_done(outcome):
            self.own.call_succeeded()
        elif isinstance(outcome, lm.OutcomeUnknown):
            await self._reload()

    async def _reload(self) -> None:
        try:
            # No other task may edit the object between the reload and its evaluation: nothing is
            # awaited in between.
            document: Shared = await self.own.document.reload()
        except lm.LoomError as error:
            self.conditions.check_error(error)
            return
        assert document is self.own.document
        for share in self.shares:
            share.reload_succeeded()
