"""Random calls have the same results and errors with and without grouping.

A schedule is a list of rounds. The calls of a round begin in one iteration of the event loop, and
all end before the next round. What depends on the order within a round, such as which of two tasks
finds a revision stale, is compared regardless of the order.
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
    """A document, identified by its tenant, its model and its number."""

    tenant: int
    model: type[Any]
    number: int


class Step(NamedTuple):
    """What happens to a document in a round.

    `edits` has the edits of the two objects of the document; None for an object that is not stored.
    `contested` are the fields whose value depends on the order of the calls. `cancel_after` is the
    number of iterations of the event loop after which the call of the first object is cancelled.
    """

    kind: str
    edits: tuple[dict[str, Any] | None, dict[str, Any] | None]
    contested: frozenset[str] = frozenset()
    cancel_after: int | None = None


Schedule = list[dict[Subject, Step]]


def random_schedule(rng: random.Random) -> Schedule:
    subjects = [
        Subject(tenant, model, number)
        for tenant in range(_TENANTS)
        for model in MODELS
        for number in range(_NUMBERS)
    ]
    return [
        {subject: _random_step(rng, subject, n) for subject in subjects} for n in range(_ROUNDS)
    ]


def _random_step(rng: random.Random, subject: Subject, number: int) -> Step:
    first_field, second_field = rng.sample(_FIELDS[:3], 2)
    value = f"{subject.number}, {number}"
    kind = rng.choice(["one", "two", "same", "count", "deleted", "unchanged", "cancelled"])
    if subject.model is Unique and rng.random() < 0.5:
        # One of the objects of the tenant that are given this value in this round gets it.
        return Step("unique", ({"d": f"round {number}"}, None))
    is_counted = subject.model is Counted
    match kind:
        case "one" | "deleted":
            return Step(kind, ({first_field: value}, None))
        case "two":
            contested = frozenset((first_field, second_field) if is_counted else ())
            return Step(kind, ({first_field: value}, {second_field: value}), contested)
        case "same":
            return Step(
                kind,
                ({first_field: f"{value}!"}, {first_field: f"{value}?"}),
                frozenset((first_field,)),
            )
        case "count":
            contested = frozenset(("count", "log") if is_counted else ())
            return Step(kind, ({"count": 1, "log": value}, {"count": 2}), contested)
        case "unchanged":
            return Step(kind, ({}, {}))
        case _:
            return Step(kind, ({first_field: value}, None), cancel_after=rng.randrange(10))


@dataclass
class Documents:
    """The documents of a schedule, with two objects of each."""

    name: str
    objects: dict[Subject, list[Any]] = field(default_factory=dict)

    def tenant_database(self, subject: Subject) -> Any:
        """Return the block in which a tenant's calls are made."""
        return lm.using(database=f"{self.name}_{subject.tenant}")

    async def create(self, subject: Subject) -> None:
        with self.tenant_database(subject):
            first = subject.model()
            await first.persist()
            self.objects[subject] = [first, await subject.model.from_id(first.id)]

    async def run_round(self, steps: dict[Subject, Step]) -> dict[Subject, Any]:
        """Make the calls of a round; return the outcomes and the state of each document."""
        for subject, step in steps.items():
            if step.kind == "deleted":
                with self.tenant_database(subject):
                    await subject.model.filter(lm.fld["id"] == self._id(subject)).delete()
        calls = {
            subject: [
                asyncio.ensure_future(self._call(subject, index, edits, step))
                for index, edits in enumerate(step.edits)
                if edits is not None
            ]
            for subject, step in steps.items()
        }
        await asyncio.wait([task for tasks in calls.values() for task in tasks])
        synchronizing = (
            self._synchronize(subject, step, [task.result() for task in calls[subject]])
            for subject, step in steps.items()
        )
        states = await asyncio.gather(*synchronizing)
        return {s: (steps[s].kind, *state) for s, state in zip(steps, states, strict=True)}

    def _id(self, subject: Subject) -> Any:
        return self.objects[subject][0].id

    async def _call(
        self, subject: Subject, index: int, edits: dict[str, Any], step: Step
    ) -> str | None:
        """Return the outcome as a string; None for a call that is cancelled."""
        document = self.objects[subject][index]
        for name, value in edits.items():
            _EDITS.get(name, setattr)(document, name, value)
        with self.tenant_database(subject):
            if step.cancel_after is not None:
                await _call_and_cancel(document.persist, step.cancel_after)
                return None
            try:
                result: Any = await document.persist()
            except lm.LoomError as error:
                result = re.sub(r"[0-9a-f]{24}", "(id)", f"{error!r}")
            return f"{result} {getattr(document, '_hooks', '')}"

    async def _synchronize(
        self, subject: Subject, step: Step, results: list[str | None]
    ) -> tuple[list[str | None], Any]:
        """Reload both objects; return the outcomes of the calls and the comparable state."""
        with self.tenant_database(subject):
            if step.cancel_after is not None:
                await self.objects[subject][0].persist()
            found = await subject.model.from_id(self._id(subject))
            if found is None:
                await self.create(subject)
                return sorted(map(str, results)), None
            for document in self.objects[subject]:
                await document.reload()
            state = self._comparable_state(subject, step)
            await self._resolve(subject, step)
            return sorted(map(str, results)), state

    def _comparable_state(self, subject: Subject, step: Step) -> dict[str, Any]:
        hidden = {"id", "revision"} | ({"d"} if subject.model is Unique else set())
        state: dict[str, Any] = self.objects[subject][0].model_dump(exclude=hidden)
        return state | dict.fromkeys(step.contested, "contested")

    async def _resolve(self, subject: Subject, step: Step) -> None:
        """Give contested fields the same values in every run."""
        first, second = self.objects[subject]
        if step.contested:
            for name in step.contested:
                setattr(first, name, _RESOLVED.get(name, "resolved"))
            await first.persist()
            await second.reload()
        for document in (first, second):
            if isinstance(document, Hooked):
                document._hooks.clear()


_RESOLVED: dict[str, Any] = {"count": 100, "log": []}


def _add(document: Any, name: str, value: int) -> None:
    document.count += value


def _append(document: Any, name: str, value: str) -> None:
    document.log.append(value)


_EDITS: dict[str, Callable[[Any, str, Any], None]] = {"count": _add, "log": _append}


async def _call_and_cancel(call: Callable[[], Any], iterations: int) -> None:
    task = asyncio.ensure_future(call())
    for _ in range(iterations):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None, repr(task.exception())


def summary(steps: dict[Subject, Step], outcomes: dict[Subject, Any]) -> dict[Any, Any]:
    """Return what two runs must have in common: outcomes by document, unique values by tenant."""
    common: dict[Any, Any] = {}
    for subject, outcome in outcomes.items():
        if steps[subject].kind == "unique":
            common[subject.tenant] = sorted([*common.get(subject.tenant, []), *outcome[1]])
        else:
            common[subject] = outcome
    return common


async def run(client: Any, rounds: Schedule, name: str, *, grouping: bool) -> list[dict[Any, Any]]:
    """Return the summaries of all rounds."""
    summaries: list[dict[Any, Any]] = []
    with lm.config_context(grouping=grouping):
        documents = Documents(name)
        for subject in rounds[0]:
            await documents.create(subject)
        for steps in rounds:
            summaries.append(summary(steps, await documents.run_round(steps)))  # noqa: PERF401
    for tenant in range(_TENANTS):
        await client.drop_database(f"{name}_{tenant}")
    return summaries


_SEED = os.environ.get("LOOM_SEED")


@pytest.mark.parametrize("seed", [int(_SEED)] if _SEED else [1, 2, 3, None])
async def test_a_schedule_has_the_same_outcomes_with_and_without_grouping(
    client: Any, db: str, seed: int | None
) -> None:
    seed = seed or random.SystemRandom().randrange(1_000_000)
    print(f"LOOM_SEED={seed}")
    rounds = random_schedule(random.Random(seed))
    single = await run(client, rounds, f"{db}_single", grouping=False)
    grouped = await run(client, rounds, f"{db}_grouped", grouping=True)
    for number, (one, other) in enumerate(zip(single, grouped, strict=True)):
        different = [f"{key}: {one[key]}, {other[key]}" for key in one if one[key] != other[key]]
        assert not different, f"round {number}, single and grouped: " + "\n".join(different)
    assert "ConnectionFailed" not in str(single)
