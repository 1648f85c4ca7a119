"""Edits after a save with an unknown outcome: the next save is exact or raises an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.worlds.lost_replies import (
    LOSSES,
    Call,
    Connection,
    Loss,
    cancel_before_reply,
    connected,
    cut_before_reply,
    open_connection,
    options_for,
    time_out,
    wait_until_reachable,
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
    """An edit whose outcome is unknown, and the next edit.

    `is_idempotent` is true if both only set values, so that they may be sent more than once.
    """

    name: str
    lost: Callable[[Any], object]
    next: Callable[[Any], object]
    is_idempotent: bool


def _assign(**values: Any) -> Callable[[Any], None]:
    def assign(document: Any) -> None:
        for name, value in values.items():
            setattr(document, name, value)

    return assign


def _set_inner_flag(state: bool) -> Callable[[Any], None]:
    return lambda d: setattr(d.inner, "is_on", state)


def _add(number: int) -> Callable[[Any], None]:
    return lambda d: setattr(d, "count", d.count + number)


def _add_inside(number: int) -> Callable[[Any], None]:
    return lambda d: setattr(d.inner, "count", d.inner.count + number)


def _no_edit(document: Any) -> None:
    """Edit nothing."""


CASES = (
    Case("flag reset", _assign(is_on=True), _assign(is_on=False), True),
    Case("flag, no further edit", _assign(is_on=True), _no_edit, True),
    Case("nested flag reset", _set_inner_flag(True), _set_inner_flag(False), True),
    Case(
        "key removed again",
        lambda d: d.entries.update(second="2"),
        lambda d: d.entries.pop("second"),
        True,
    ),
    Case(
        "removed key added again",
        lambda d: d.entries.pop("first"),
        lambda d: d.entries.update(first="1"),
        True,
    ),
    Case("tag removed again", lambda d: d.tags.add("new"), lambda d: d.tags.remove("new"), True),
    Case("another field", _assign(is_on=True), _assign(entries={}), True),
    Case("counter decremented again", _add(5), _add(-5), False),
    Case("counter, no further edit", _add(5), _no_edit, False),
    Case("counter incremented again", _add(5), _add(2), False),
    Case("nested counter decremented again", _add_inside(5), _add_inside(-5), False),
    Case("flag after counter", _add(5), _assign(is_on=True), False),
    Case("item removed again", lambda d: d.items.append("new"), lambda d: d.items.pop(), False),
    Case("item, no further edit", lambda d: d.items.append("new"), _no_edit, False),
    Case(
        "another item",
        lambda d: d.items.append("new"),
        lambda d: d.items.append("newer"),
        False,
    ),
)


def single_calls(documents: Sequence[Any]) -> list[Call]:
    return [document.persist for document in documents]


def bulk_call(documents: Sequence[Any]) -> list[Call]:
    return [lambda: type(documents[0]).persist_many(documents)]


@pytest.fixture
async def connection(mongo_uri: str) -> AsyncIterator[Connection]:
    async with open_connection(mongo_uri, DATABASE) as opened:
        yield opened


def content(document: Any) -> dict[str, Any]:
    return document.model_dump(exclude={"created_at", "updated_time", "revision"})


def expected(document: Any, case: Case) -> dict[str, Any]:
    fresh = type(document)(id=document.id, mark="lost")
    case.lost(fresh)
    case.next(fresh)
    return content(fresh)


async def save_next_edit(case: Case, document: Any, *, many: bool) -> str | None:
    """Make and store the next edit; describe the outcome if it is wrong."""
    case.next(document)
    try:
        if many:
            await type(document).persist_many([document])
        else:
            await document.persist()
    except (lm.OutcomeUnknown, lm.BulkError) as error:
        # Only edits that are not idempotent may raise these errors.
        return f"{case.name}: {error!r}" if case.is_idempotent else None
    except lm.LoomError as error:
        return f"{case.name}: {error!r}"
    stored = await type(document).from_id(document.id)
    found, wanted = content(stored), expected(document, case)
    wrong = {name: value for name, value in found.items() if value != wanted[name]}
    return f"{case.name}: wrong are {wrong}" if wrong else None


# A save of a document with a revision is never grouped.
_PLAIN = [(Plain, store, loss) for store in ("grouped", "single", "many") for loss in LOSSES]
_COUNTED = [
    (Counted, store, loss)
    for store in ("single", "many")
    for loss in (cancel_before_reply, time_out, cut_before_reply)
]


@pytest.mark.parametrize(("model", "store", "loss"), _PLAIN + _COUNTED)
async def test_the_next_save_is_exact(
    connection: Connection, model: Any, store: str, loss: Loss
) -> None:
    raw = connection.direct[DATABASE][COLLECTIONS[model]]
    pairs = [(case, model()) for case in (*CASES, *CASES)]
    count = 1 if store == "many" else len(pairs)
    with lm.config_context(grouping=store == "grouped"):
        async with connected(connection, count, **options_for(loss)):
            documents = [document for _, document in pairs]
            await model.persist_many(documents)
            for case, document in pairs:
                case.lost(document)
                document.mark = "lost"

            async def is_stored() -> bool:
                return await raw.count_documents({"mark": "lost"}) == len(pairs)

            calls = bulk_call(documents) if store == "many" else single_calls(documents)
            await loss(connection.proxy, calls, is_stored)
            await wait_until_reachable()
            problems = [await save_next_edit(*pair, many=store == "many") for pair in pairs]
            wrong = "\n".join(filter(None, problems))
            assert not wrong, wrong
