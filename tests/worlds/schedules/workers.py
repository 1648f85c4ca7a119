"""Workers that make random calls, give some of them up, and tell the oracle the outcomes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import loom_async as lm
from tests.worlds.giving_up import CUT, WAYS, Call, given_up
from tests.worlds.schedules.documents import Owned, Shared, State, edit, set_back, state_of
from tests.worlds.schedules.oracle import Track
from tests.worlds.schedules.shares import Share

_DOCUMENTS = 12
#: The errors that calls may end in while all is well, and what faults may cause besides.
OBSTACLES: tuple[type[lm.LoomError], ...] = (lm.TransactionAborted,)
FAULTS = (lm.ConnectionFailed, lm.OperationTimeout, lm.OutcomeUnknown, lm.BulkError)


class Undone(Exception):
    """Raised in a transaction that is to leave nothing behind."""


@dataclass
class Conditions:
    """What holds for all workers of an episode.

    Parameters:
        allowed: The errors that calls may end in.
        cut: The share of calls that are given up.
    """

    allowed: tuple[type[lm.LoomError], ...]
    cut: float = 0.3
    is_over: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def judge(self, error: lm.LoomError) -> None:
        """Raise an error that may not occur."""
        if not isinstance(error, self.allowed):
            raise AssertionError(f"an error that may not occur: {error!r}") from error
        self.counts[type(error).__name__] += 1


class Caller:
    """Makes calls of which some are given up at a random moment.

    Parameters:
        dice: Where its choices come from.
        conditions: Of the episode.
    """

    def __init__(self, dice: random.Random, conditions: Conditions) -> None:
        self.dice = dice
        self.conditions = conditions

    async def attempt(self, call: Call) -> Any:
        """Return the result of a call, CUT if it was given up, or the error it ended in."""
        self.conditions.counts["calls"] += 1
        try:
            if self.dice.random() > self.conditions.cut:
                return await call()
            after = self.dice.choice((self.dice.randrange(12), self.dice.random() * 0.004))
            result = await given_up(self.dice.choice(WAYS), call, after)
        except lm.LoomError as error:
            self.conditions.judge(error)
            return error
        self.conditions.counts["given up"] += result is CUT
        return result


def is_done(outcome: Any) -> bool:
    """Say whether a call has succeeded."""
    return outcome is not CUT and not isinstance(outcome, Exception)


class Worker(Caller):
    """The one writer of some documents.

    Parameters:
        dice: Where its choices come from.
        conditions: Of the episode.
        shares: Its parts in documents that other workers change as well.
    """

    def __init__(
        self, dice: random.Random, conditions: Conditions, shares: Iterable[Share]
    ) -> None:
        super().__init__(dice, conditions)
        self.shares = list(shares)
        self.tracks = [Track(Owned()) for _ in range(_DOCUMENTS)]
        self.gone: list[Track] = []

    async def run(self) -> None:
        """Work until the episode is over."""
        with lm.config_context(grouping=self.dice.random() < 0.7):
            while not self.conditions.is_over:
                await self._step()

    async def _step(self) -> None:
        steps = {
            self._save_one: 6,
            self._save_all: 3,
            self._save_many: 2,
            self._share: 4,
            self._transact: 1,
            self._undo: 1,
            self._look: 1,
            self._load: 1,
            self._remove: 1,
        }
        (step,) = self.dice.choices([*steps], [*steps.values()])
        await step()

    async def _save_one(self) -> None:
        await self.save(self.dice.choice(self.tracks))

    async def _save_all(self) -> None:
        """Save all documents in one turn of the loop, so that the calls may be joined."""
        await asyncio.gather(*map(self.save, self.tracks))

    async def save(self, track: Track) -> None:
        """Change a document and store it; delete one whose deletion was given up."""
        if track.is_leaving:
            await self._delete(track)
            return
        self._edit(track)
        state = state_of(track.document)
        track.trying(state)
        outcome = await self.attempt(track.document.persist)
        track.note("persist", outcome)
        await self._judge(track, state, outcome)

    def _edit(self, track: Track) -> None:
        earlier = track.possible[0]
        if earlier is not None and self.dice.random() < 0.3:
            set_back(track.document, earlier, self.dice)
            track.note("set back", None)
        if earlier is None or self.dice.random() < 0.8:
            edit(track.document, self.dice)

    async def _judge(self, track: Track, state: State, outcome: Any) -> None:
        if is_done(outcome):
            track.stored(state)
        elif isinstance(outcome, lm.OutcomeUnknown):
            await self._reload(track)

    async def _save_many(self) -> None:
        tracks = [t for t in self.dice.sample(self.tracks, 5) if not t.is_leaving]
        new = [Track(Owned()) for _ in range(self.dice.choice((0, 0, 2)))]
        self._replace(new)
        tracks += new
        for track in tracks:
            self._edit(track)
        states = [state_of(track.document) for track in tracks]
        for track, state in zip(tracks, states, strict=True):
            track.trying(state)
        documents = [track.document for track in tracks]
        outcome = await self.attempt(lambda: Owned.persist_many(documents))
        refused: dict[int, lm.LoomError] = {}
        if isinstance(outcome, lm.BulkError):
            refused = {entry.index: lm.OutcomeUnknown(entry.reason) for entry in outcome.entries}
            outcome = None
        for number, (track, state) in enumerate(zip(tracks, states, strict=True)):
            mine = refused.get(number, outcome)
            track.note("persist_many", mine)
            await self._judge(track, state, mine)

    def _replace(self, new: list[Track]) -> None:
        """Work on new documents, and leave as many of the others as they are."""
        settled = [track for track in self.tracks if track.is_known][: len(new)]
        self.gone += settled
        self.tracks = [track for track in self.tracks if track not in settled] + new

    async def _transact(self) -> None:
        await self._in_transaction(is_kept=True)

    async def _undo(self) -> None:
        await self._in_transaction(is_kept=False)

    async def _in_transaction(self, *, is_kept: bool) -> None:
        known = [track for track in self.tracks if track.is_known]
        tracks = self.dice.sample(known, min(3, len(known)))
        states: dict[Track, State] = {}

        async def block() -> None:
            async with lm.transaction():
                for track in tracks:
                    edit(track.document, self.dice)
                    states[track] = state_of(track.document)
                    if is_kept:
                        track.trying(states[track])
                    await track.document.persist()
                if not is_kept:
                    raise Undone

        try:
            outcome = await self.attempt(block)
        except Undone:
            outcome = CUT
        for track in tracks:
            track.note("transaction" if is_kept else "undone transaction", outcome)
            if is_done(outcome):
                track.stored(states[track])

    async def _look(self) -> None:
        track = self.dice.choice(self.tracks)
        if not track.is_leaving and not track.is_gone:
            await self._reload(track)

    async def _reload(self, track: Track) -> None:
        """Reload until it succeeds or cannot; a document that was never stored has no state."""
        outcome: Any = CUT
        while not is_done(outcome):
            try:
                outcome = await self.attempt(track.document.reload)
            except AssertionError as refused:
                if not isinstance(refused.__cause__, lm.DocumentNotFound):
                    raise
                track.note("reload", refused.__cause__)
                track.seen(None)
                self._drop(track)
                return
            track.note("reload", outcome)
        track.seen(state_of(track.document))

    async def _load(self) -> None:
        """Go on with another object of a document, whose state is known."""
        known = [track for track in self.tracks if track.is_known]
        if known:
            track = self.dice.choice(known)
            found = await self.attempt(lambda: Owned.from_id(track.document.id))
            track.note("from_id", found)
            if is_done(found):
                track.seen(None if found is None else state_of(found))
                track.document = found

    async def _remove(self) -> None:
        await self._delete(self.dice.choice(self.tracks))

    async def _delete(self, track: Track) -> None:
        track.is_leaving = True
        track.trying(None)
        outcome = await self.attempt(track.document.delete)
        track.note("delete", outcome)
        if is_done(outcome):
            track.stored(None)
            track.is_leaving = False
            if self.dice.random() < 0.5:
                self._drop(track)

    def _drop(self, track: Track) -> None:
        """Leave a document that is not there, and work on a new one."""
        self.gone.append(track)
        self.tracks[self.tracks.index(track)] = Track(Owned())

    async def _share(self) -> None:
        share = self.dice.choice(self.shares)
        share.edit(self.dice)
        await self.save_share(share)

    async def save_share(self, share: Share) -> None:
        """Store a part of a shared document; reload it where its outcome stays unknown."""
        share.trying()
        outcome = await self.attempt(share.document.persist)
        if is_done(outcome):
            share.stored()
        while isinstance(outcome, lm.OutcomeUnknown):
            outcome = await self.attempt(share.document.reload)
            if is_done(outcome):
                share.reloaded()
            elif outcome is CUT or not isinstance(outcome, lm.OutcomeUnknown):
                outcome = lm.OutcomeUnknown("asked again")

    async def finish(self) -> None:
        """Store everything once more, now that nothing fails: each call succeeds."""
        self.conditions.cut = 0.0
        for share in self.shares:
            await self.save_share(share)
        for track in self.tracks:
            await self._finish(track)

    async def _finish(self, track: Track) -> None:
        if track.is_leaving:
            await self._delete(track)
            return
        state = state_of(track.document)
        track.trying(state)
        outcome = await self.attempt(track.document.persist)
        track.note("last persist", outcome)
        await self._judge(track, state, outcome)
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
        dice: Where its choices come from.
        conditions: Of the episode.
        shares: The parts of all tasks, of which the first is its own.
    """

    def __init__(self, dice: random.Random, conditions: Conditions, shares: list[Share]) -> None:
        super().__init__(dice, conditions)
        self.mine, self.all = shares[0], shares

    async def run(self) -> None:
        """Work until the episode is over."""
        while not self.conditions.is_over:
            self.mine.edit(self.dice)
            await self.save()
            await asyncio.sleep(self.dice.random() * 0.02)

    async def save(self) -> None:
        """Store the object; what becomes of an unknown outcome is seen by all."""
        outcome = await self.attempt(self.mine.document.persist)
        if is_done(outcome):
            self.mine.stored()
        elif isinstance(outcome, lm.OutcomeUnknown):
            await self._reload()

    async def _reload(self) -> None:
        try:
            # In this very turn, so that no task edits between the reload and its judgement.
            document: Shared = await self.mine.document.reload()
        except lm.LoomError as error:
            self.conditions.judge(error)
            return
        assert document is self.mine.document
        for share in self.all:
            share.reloaded()
