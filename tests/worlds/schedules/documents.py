"""The documents of random schedules, and the edits that are made to them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

import loom_async as lm

_KEYS = ("plain", "with.dot", "$dollar", "other")
_LONGEST = 30

State = dict[str, Any] | None


class Inner(BaseModel):
    left: str = ""
    right: str = ""


@lm.declare_persist_db("schedules", "owned")
class Owned(lm.Persistable):
    """A document that only one worker writes."""

    name: str = ""
    text: str = ""
    inner: Inner = Inner()
    entries: dict[str, str] = {}
    count: lm.IncrCounter = 0
    log: list[str] = []
    tags: set[str] = set()


@lm.declare_persist_db("schedules", "shared")
class Shared(lm.Persistable):
    """A document that all workers write; each has an entry of its own in `fields`."""

    fields: dict[str, str] = {}
    count: lm.IncrCounter = 0
    log: list[str] = []
    tags: set[str] = set()


def state_of(document: Owned) -> State:
    """Return the state that is stored of a document, without the auto fields."""
    return document.model_dump(exclude={"created_at", "updated_time"})


_numbers = itertools.count()


def new_value() -> str:
    """Return a unique value, so that a stored value identifies the attempt that wrote it."""
    return f"m{next(_numbers)}"


def _set_name(document: Owned, rng: random.Random) -> None:
    document.name = new_value()


def _set_text(document: Owned, rng: random.Random) -> None:
    document.text = new_value() * rng.choice((1, 50))


def _set_nested(document: Owned, rng: random.Random) -> None:
    setattr(document.inner, rng.choice(("left", "right")), new_value())


def _replace_nested(document: Owned, rng: random.Random) -> None:
    document.inner = Inner(left=new_value(), right=document.inner.right)


def _add_entry(document: Owned, rng: random.Random) -> None:
    document.entries[rng.choice(_KEYS)] = new_value()


def _remove_entry(document: Owned, rng: random.Random) -> None:
    document.entries.pop(rng.choice(_KEYS), None)


def _count(document: Owned, rng: random.Random) -> None:
    document.count += rng.choice((1, 2, 5))


def _count_down(document: Owned, rng: random.Random) -> None:
    document.count -= rng.choice((1, 3))


def _append(document: Owned, rng: random.Random) -> None:
    document.log.append(new_value())
    if len(document.log) > _LONGEST:
        del document.log[: _LONGEST // 2]


def _add_tag(document: Owned, rng: random.Random) -> None:
    document.tags.add(new_value())
    if len(document.tags) > _LONGEST:
        document.tags.clear()


EDITS: tuple[Callable[[Owned, random.Random], None], ...] = (
    *(_set_name, _set_text, _set_nested, _replace_nested, _add_entry, _remove_entry),
    *(_count, _count_down, _append, _add_tag),
)


def edit(document: Owned, rng: random.Random) -> None:
    """Make one to three random edits."""
    for make_edit in rng.sample(EDITS, rng.choice((1, 1, 2, 3))):
        make_edit(document, rng)


def restore(document: Owned, state: dict[str, Any], rng: random.Random) -> None:
    """Restore some or all fields to an earlier state."""
    names = [name for name in state if name != "id"]
    for name in rng.sample(names, rng.choice((1, 2, len(names)))):
        value = Inner(**state[name]) if name == "inner" else state[name]
        setattr(document, name, value.copy() if isinstance(value, list | set | dict) else value)
