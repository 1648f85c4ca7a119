"""Pickles and copies of errors keep their message and their attributes."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from bson import ObjectId

import loom_async
import loom_sync
from loom_async import BulkEntry, LoomError, RowError

_ID = ObjectId("64f8a0c2e1b2c3d4e5f60718")
# What the errors take besides their message, by parameter.
_FACTS: dict[str, Any] = {
    "code": 121,
    "key": {"email": "ann@example.org"},
    "value": {"$ne": None},
    "id": _ID,
    "revision": 3,
    "loaded": 2,
    "field": "age",
    "types": ["int", "string"],
    "fields": {"age": "not a number"},
    "path": "a.agee",
    "where": "User",
    "known": ["age", "name"],
    "entries": [BulkEntry(1, _ID, "taken")],
    "inserted": 4,
    "updated": 5,
    "errors": [RowError(0, "age", "not a number")],
    "columns": ["name"],
    "written": [range(3)],
    "hint": "mend it",
}
KINDS = sorted(
    {
        kind
        for package in (loom_async, loom_sync)
        for kind in map(package.__dict__.get, package.__all__)
        if inspect.isclass(kind) and issubclass(kind, LoomError)
    },
    key=lambda kind: kind.__name__,
)
COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def make(kind: type[LoomError]) -> LoomError:
    parameters = list(inspect.signature(kind).parameters)
    positional = [] if "path" in parameters[:1] else ["what went wrong"]
    names = parameters[len(positional) :]
    return kind(*positional, **{name: _FACTS[name] for name in names})


def facts(error: BaseException) -> dict[str, Any]:
    return {"args": error.args, "str": str(error), "repr": repr(error), **vars(error)}


def test_every_class_is_tested() -> None:
    def below(kind: type[LoomError]) -> set[type[LoomError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    own = {kind for kind in below(LoomError) if kind.__module__.startswith("loom_")}
    assert own == set(KINDS)


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(kind: type[LoomError], copied: Callable[[Any], Any]) -> None:
    error = make(kind)
    error.add_note("nothing was written")
    found = copied(error)
    assert found is not error
    assert type(found) is kind
    assert facts(found) == facts(error)
    assert facts(copied(found)) == facts(error)


class Stubborn:
    """Can be stored by pickle, but not loaded."""

    def __reduce__(self) -> Any:
        return int, ("not a number",)

    def __repr__(self) -> str:
        return "<stubborn>"


def test_values_that_cannot_be_pickled_become_their_repr() -> None:
    lock = threading.Lock()
    entries = [BulkEntry(0, lock, "taken"), BulkEntry(1, {"a": [lock, Stubborn()], "b": 2}, "odd")]
    error = loom_async.BulkError("refused", entries=entries, inserted=1, updated=0)
    found = pickle.loads(pickle.dumps(error))
    assert found.entries[0] == BulkEntry(0, repr(lock), "taken")
    assert found.entries[1] == BulkEntry(1, {"a": [repr(lock), "<stubborn>"], "b": 2}, "odd")
    assert (str(found), found.inserted) == (str(error), 1)


def test_a_value_that_contains_itself_becomes_its_repr() -> None:
    held: list[Any] = [threading.Lock()]
    held.append(held)
    found = pickle.loads(pickle.dumps(loom_async.InvalidId("odd", value=held)))
    assert found.value == repr(held)


def test_copies_keep_values_that_cannot_be_pickled() -> None:
    error = loom_async.InvalidId("odd", value=threading.Lock())
    assert copy.copy(error).value is error.value
    assert copy.deepcopy(error).value is error.value
    error = loom_async.InvalidId("odd", value=[1])
    assert copy.copy(error).value is error.value
    assert copy.deepcopy(error).value == [1]
    assert copy.deepcopy(error).value is not error.value


class OwnError(loom_async.LoomError, KeyError):
    """An error of a user, whose `__init__` takes other arguments."""

    def __init__(self, place: str, *, size: int) -> None:
        super().__init__(f"no room in {place}", hint="tidy up")
        self.size = size


def fail(name: str) -> None:
    if name == "OwnError":
        raise OwnError("the attic", size=3)
    raise make(getattr(loom_async, name)) from ValueError("the cause")


def test_errors_in_a_process_pool() -> None:
    kinds: list[type[LoomError]] = [*KINDS, OwnError]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        failures = [pool.submit(fail, kind.__name__) for kind in kinds]
        for kind, failure in zip(kinds, failures, strict=True):
            error = failure.exception(timeout=60)
            expected = OwnError("the attic", size=3) if kind is OwnError else make(kind)
            assert type(error) is kind
            assert facts(error) == facts(expected)
            assert "the cause" in str(error.__cause__) or kind is OwnError


def test_errors_in_a_pool_of_multiprocessing() -> None:
    with get_context("spawn").Pool(1) as pool:
        waiting = pool.map_async(fail, ["StaleDocument"])
        with pytest.raises(loom_async.StaleDocument):
            waiting.get(timeout=60)
