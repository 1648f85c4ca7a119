"""What is edited after a save of which nothing is known: the next save is exact, or says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.worlds.losing import (
    WAYS,
    Call,
    Line,
    Way,
    cancelled,
    connected,
    cut_off,
    line_to,
    options_for,
    reachable,
    unanswered,
)

DATABASE = "worlds_unknown_outcomes"


class Inner(BaseModel):
    is_on: bool = False
    count: lm.IncrCounter = 0


class Switch(lm.Persistable):
    mark: str = ""
    is_on: bool = False
    count: lm.IncrCounter = 0
    items: list[str] = ["first"]
    tags: set[str] = {"first"}
    entries: dict[str, str] = {"first": "1"}
    inner: Inner = Inner()


@lm.declare_persist_db("worlds", "switches")
class Plain(Switch):
    pass


@lm.declare_persist_db("worlds", "counted_switches")
class Counted(Switch):
    revision: lm.Revision = 0


COLLECTIONS: dict[Any, str] = {Plain: "switches", Counted: "counted_switches"}


class Case(NamedTuple):
    """An edit that is lost, and one that follows.

    `is_set` says whether both only set values, which may be sent as often as one likes.
    """

    name: str
    lost: Callable[[Any], object]
    next: Callable[[Any], object]
    is_set: bool


def _assign(**values: Any) -> Callable[[Any], None]:
    def assign(document: Any) -> None:
        for name, value in values.items():
            setattr(document, name, value)

    return assign


def _turn(state: bool) -> Callable[[Any], None]:
    return lambda d: setattr(d.inner, "is_on", state)


def _add(number: int) -> Callable[[Any], None]:
    return lambda d: setattr(d, "count", d.count + number)


def _add_inside(number: int) -> Callable[[Any], None]:
    return lambda d: setattr(d.inner, "count", d.inner.count + number)


def _leave(document: Any) -> None:
    """Edit nothing."""


CASES = (
    Case("a flag back", _assign(is_on=True), _assign(is_on=False), True),
    Case("a flag again", _assign(is_on=True), _leave, True),
    Case("a flag inside back", _turn(True), _turn(False), True),
    Case(
        "a key back",
        lambda d: d.entries.update(second="2"),
        lambda d: d.entries.pop("second"),
        True,
    ),
    Case(
        "a removed key back",
        lambda d: d.entries.pop("first"),
        lambda d: d.entries.update(first="1"),
        True,
    ),
    Case("a tag back", lambda d: d.tags.add("new"), lambda d: d.tags.remove("new"), True),
    Case("another field", _assign(is_on=True), _assign(entries={}), True),
    Case("a count back", _add(5), _add(-5), False),
    Case("a count again", _add(5), _leave, False),
    Case("a further count", _add(5), _add(2), False),
    Case("a count inside back", _add_inside(5), _add_inside(-5), False),
    Case("a flag after a count", _add(5), _assign(is_on=True), False),
    Case("an item back", lambda d: d.items.append("new"), lambda d: d.items.pop(), False),
    Case("an item again", lambda d: d.items.append("new"), _leave, False),
    Case(
        "a further item",
        lambda d: d.items.append("new"),
        lambda d: d.items.append("newer"),
        False,
    ),
)


def by_themselves(documents: Sequence[Any]) -> list[Call]:
    return [document.persist for document in documents]


def in_one_call(documents: Sequence[Any]) -> list[Call]:
    return [lambda: type(documents[0]).persist_many(documents)]


@pytest.fixture
async def line(mongo_uri: str) -> AsyncIterator[Line]:
    async with line_to(mongo_uri, DATABASE) as opened:
        yield opened


def content(document: Any) -> dict[str, Any]:
    return document.model_dump(exclude={"created_at", "updated_time", "revision"})


def expected(document: Any, case: Case) -> dict[str, Any]:
    fresh = type(document)(id=document.id, mark="lost")
    case.lost(fresh)
    case.next(fresh)
    return content(fresh)


async def settle(case: Case, document: Any, *, many: bool) -> str | None:
    """Store the next edit; return what is wrong with the outcome."""
    case.next(document)
    try:
        if many:
            await type(document).persist_many([document])
        else:
            await document.persist()
    except (lm.OutcomeUnknown, lm.BulkError) as error:
        # Whatever only sets values can be stored in any case.
        return f"{case.name}: {error!r}" if case.is_set else None
    except lm.LoomError as error:
        return f"{case.name}: {error!r}"
    stored = await type(document).from_id(document.id)
    found, wanted = content(stored), expected(document, case)
    wrong = {name: value for name, value in found.items() if value != wanted[name]}
    return f"{case.name}: wrong are {wrong}" if wrong else None


# A save that counts revisions is never joined with others.
_PLAIN = [(Plain, store, way) for store in ("joined", "single", "many") for way in WAYS]
_COUNTED = [
    (Counted, store, way)
    for store in ("single", "many")
    for way in (cancelled, unanswered, cut_off)
]


@pytest.mark.parametrize(("model", "store", "way"), _PLAIN + _COUNTED)
async def test_the_next_save_is_exact(line: Line, model: Any, store: str, way: Way) -> None:
    raw = line.direct[DATABASE][COLLECTIONS[model]]
    pairs = [(case, model()) for case in (*CASES, *CASES)]
    count = 1 if store == "many" else len(pairs)
    with lm.config_context(grouping=store == "joined"):
        async with connected(line, count, **options_for(way)):
            documents = [document for _, document in pairs]
            await model.persist_many(documents)
            for case, document in pairs:
                case.lost(document)
                document.mark = "lost"

            async def is_stored() -> bool:
                return await raw.count_documents({"mark": "lost"}) == len(pairs)

            calls = in_one_call(documents) if store == "many" else by_themselves(documents)
            await way(line.proxy, calls, is_stored)
            await reachable()
            problems = [await settle(*pair, many=store == "many") for pair in pairs]
            wrong = "\n".join(filter(None, problems))
            assert not wrong, wrong
