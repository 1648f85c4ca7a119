"""The same random calls, joined and each by itself, have the same results and errors.

A schedule is a list of rounds. The calls of a round begin in one turn of the event loop, and all
end before the next round. What the order within a round decides, such as which of two tasks finds
a revision stale, is compared without regard to which of them it was.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from pydantic import Field, PrivateAttr

import loom_async as lm

_ROUNDS, _NUMBERS, _TENANTS = 8, 7, 2
_FIELDS = ("a", "b", "c", "d")


class Base(lm.PersistableBase):
    a: str = ""
    b: str = ""
    c: str = ""
    d: str = ""
    count: lm.IncrCounter = 0
    log: list[str] = []


@lm.declare_persist_db("same_outcomes", "items")
class Item(Base):
    pass


@lm.declare_persist_db("same_outcomes", "counted")
class Counted(Base):
    revision: lm.Revision = 0


@lm.declare_persist_db("same_outcomes", "hooked")
class Hooked(Base):
    _hooks: list[str] = PrivateAttr(default_factory=list)

    def before_persist(self) -> None:
        self._hooks.append("before")

    async def after_persist(self) -> None:
        self._hooks.append("after")


@lm.declare_persist_db("same_outcomes", "unique", index=[lm.Index("d", unique=True)])
class Unique(Base):
    d: str = Field(default_factory=lambda: uuid4().hex)


MODELS: tuple[type[Any], ...] = (Item, Counted, Hooked, Unique)


class Subject(NamedTuple):
    """A document, by its model and its number in the database of a tenant."""

    tenant: int
    model: type[Any]
    number: int


class Turn(NamedTuple):
    """What happens to a document in a round.

    `edits` are those of the two objects of the document; None where one is not stored. `contested`
    are the fields whose value depends on the order of the calls. `turns` says after how many turns
    of the loop the call of the first object is cancelled.
    """

    kind: str
    edits: tuple[dict[str, Any] | None, dict[str, Any] | None]
    contested: frozenset[str] = frozenset()
    turns: int | None = None


Schedule = list[dict[Subject, Turn]]


def schedule(dice: random.Random) -> Schedule:
    subjects = [
        Subject(tenant, model, number)
        for tenant in range(_TENANTS)
        for model in MODELS
        for number in range(_NUMBERS)
    ]
    return [{subject: _turn(dice, subject, n) for subject in subjects} for n in range(_ROUNDS)]


def _turn(dice: random.Random, subject: Subject, number: int) -> Turn:
    one, other = dice.sample(_FIELDS[:3], 2)
    value = f"{subject.number}, {number}"
    kind = dice.choice(["one", "two", "same", "count", "gone", "unchanged", "cancelled"])
    if subject.model is Unique and dice.random() < 0.5:
        # Whichever objects of the tenant take the value in this round, one of them has it.
        return Turn("taken", ({"d": f"round {number}"}, None))
    is_counted = subject.model is Counted
    match kind:
        case "one" | "gone":
            return Turn(kind, ({one: value}, None))
        case "two":
            contested = frozenset((one, other) if is_counted else ())
            return Turn(kind, ({one: value}, {other: value}), contested)
        case "same":
            return Turn(kind, ({one: f"{value}!"}, {one: f"{value}?"}), frozenset((one,)))
        case "count":
            contested = frozenset(("count", "log") if is_counted else ())
            return Turn(kind, ({"count": 1, "log": value}, {"count": 2}), contested)
        case "unchanged":
            return Turn(kind, ({}, {}))
        case _:
            return Turn(kind, ({one: value}, None), turns=dice.randrange(10))


@dataclass
class World:
    """The documents of a schedule, with two objects of each."""

    name: str
    objects: dict[Subject, list[Any]] = field(default_factory=dict)

    def inside(self, subject: Subject) -> Any:
        """Return the block in which a tenant's calls are made."""
        return lm.using(database=f"{self.name}_{subject.tenant}")

    async def make(self, subject: Subject) -> None:
        with self.inside(subject):
            first = subject.model()
            await first.persist()
            self.objects[subject] = [first, await subject.model.from_id(first.id)]

    async def play(self, turns: dict[Subject, Turn]) -> dict[Subject, Any]:
        """Make the calls of a round; return what became of each document and its calls."""
        for subject, turn in turns.items():
            if turn.kind == "gone":
                with self.inside(subject):
                    await subject.model.filter(lm.fld["id"] == self._id(subject)).delete()
        calls = {
            subject: [
                asyncio.ensure_future(self._call(subject, copy, edits, turn))
                for copy, edits in enumerate(turn.edits)
                if edits is not None
            ]
            for subject, turn in turns.items()
        }
        await asyncio.wait([task for tasks in calls.values() for task in tasks])
        settling = (
            self._settled(subject, turn, [task.result() for task in calls[subject]])
            for subject, turn in turns.items()
        )
        settled = await asyncio.gather(*settling)
        return {s: (turns[s].kind, *one) for s, one in zip(turns, settled, strict=True)}

    def _id(self, subject: Subject) -> Any:
        return self.objects[subject][0].id

    async def _call(
        self, subject: Subject, copy: int, edits: dict[str, Any], turn: Turn
    ) -> str | None:
        """Return a text that tells the outcome; None for a call that was to be cancelled."""
        document = self.objects[subject][copy]
        for name, value in edits.items():
            _EDITS.get(name, setattr)(document, name, value)
        with self.inside(subject):
            if turn.turns is not None:
                await _cancelled(document.persist, turn.turns)
                return None
            try:
                result: Any = await document.persist()
            except lm.LoomError as error:
                result = re.sub(r"[0-9a-f]{24}", "(id)", f"{error!r}")
            return f"{result} {getattr(document, '_hooks', '')}"

    async def _settled(
        self, subject: Subject, turn: Turn, results: list[str | None]
    ) -> tuple[list[str | None], Any]:
        """Bring both objects in step with the database, and return what can be compared."""
        with self.inside(subject):
            if turn.turns is not None:
                await self.objects[subject][0].persist()
            found = await subject.model.from_id(self._id(subject))
            if found is None:
                await self.make(subject)
                return sorted(map(str, results)), None
            for document in self.objects[subject]:
                await document.reload()
            state = self._compared(subject, turn)
            await self._decide(subject, turn)
            return sorted(map(str, results)), state

    def _compared(self, subject: Subject, turn: Turn) -> dict[str, Any]:
        hidden = {"id", "revision"} | ({"d"} if subject.model is Unique else set())
        state: dict[str, Any] = self.objects[subject][0].model_dump(exclude=hidden)
        return state | dict.fromkeys(turn.contested, "contested")

    async def _decide(self, subject: Subject, turn: Turn) -> None:
        """Give contested fields the same values in every run."""
        first, second = self.objects[subject]
        if turn.contested:
            for name in turn.contested:
                setattr(first, name, _DECIDED.get(name, "decided"))
            await first.persist()
            await second.reload()
        for document in (first, second):
            if isinstance(document, Hooked):
                document._hooks.clear()


_DECIDED: dict[str, Any] = {"count": 100, "log": []}


def _add(document: Any, name: str, value: int) -> None:
    document.count += value


def _append(document: Any, name: str, value: str) -> None:
    document.log.append(value)


_EDITS: dict[str, Callable[[Any, str, Any], None]] = {"count": _add, "log": _append}


async def _cancelled(call: Callable[[], Any], turns: int) -> None:
    task = asyncio.ensure_future(call())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None, repr(task.exception())


def summary(turns: dict[Subject, Turn], outcomes: dict[Subject, Any]) -> dict[Any, Any]:
    """Return what two runs must have in common: by document, and by tenant what was taken."""
    common: dict[Any, Any] = {}
    for subject, outcome in outcomes.items():
        if turns[subject].kind == "taken":
            common[subject.tenant] = sorted([*common.get(subject.tenant, []), *outcome[1]])
        else:
            common[subject] = outcome
    return common


async def run(client: Any, rounds: Schedule, name: str, *, grouping: bool) -> list[dict[Any, Any]]:
    """Return the summaries of all rounds."""
    summaries: list[dict[Any, Any]] = []
    with lm.config_context(grouping=grouping):
        world = World(name)
        for subject in rounds[0]:
            await world.make(subject)
        for turns in rounds:
            summaries.append(summary(turns, await world.play(turns)))  # noqa: PERF401
    for tenant in range(_TENANTS):
        await client.drop_database(f"{name}_{tenant}")
    return summaries


_SEED = os.environ.get("LOOM_SEED")


@pytest.mark.parametrize("seed", [int(_SEED)] if _SEED else [1, 2, 3, None])
async def test_the_same_schedule(client: Any, db: str, seed: int | None) -> None:
    seed = seed or random.SystemRandom().randrange(1_000_000)
    print(f"LOOM_SEED={seed}")
    rounds = schedule(random.Random(seed))
    alone = await run(client, rounds, f"{db}_alone", grouping=False)
    joined = await run(client, rounds, f"{db}_joined", grouping=True)
    for number, (one, other) in enumerate(zip(alone, joined, strict=True)):
        different = [f"{key}: {one[key]}, {other[key]}" for key in one if one[key] != other[key]]
        assert not different, f"round {number}, alone and joined: " + "\n".join(different)
    assert "ConnectionFailed" not in str(alone)
