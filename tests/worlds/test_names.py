"""Both packages say the same: names, signatures, twins; and what is pure is one thing."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import loom_async
import loom_sync
from loom_sync._generator.names import IDENTIFIERS, KEPT_FUNCTIONS

CLASSES = [name for name in loom_async.__all__ if inspect.isclass(getattr(loom_async, name))]
# Classes that do I/O are there twice; everything else is the same object.
DOUBLE = {
    "Aggregation",
    "BlobModel",
    "Changes",
    "LedgerModel",
    "LoadDirective",
    "Persistable",
    "PersistableBase",
    "TimeSeriesLedgerModel",
}
CONNECTING = {"close", "connect", "embedded", "open", "open_embedded", "using", *KEPT_FUNCTIONS}
TRANSACTIONS = {"in_transaction", "transaction", "transactional"}


def signature(function: Any) -> str:
    """Return a signature in the words of the synchronous package."""
    text = str(inspect.signature(function, eval_str=False))
    text = re.sub(
        "|".join(rf"\b{name}\b" for name in IDENTIFIERS), lambda m: IDENTIFIERS[m[0]], text
    )
    text = re.sub(r"Coroutine\[Any, Any, (\w+)\]", r"\1", text)
    return text.replace("loom_async", "loom_sync")


def methods(kind: type) -> dict[str, Any]:
    """Return the public functions that a class adds to pydantic's and Python's."""
    return {
        name: getattr(kind, name)
        for base in kind.__mro__
        if base.__module__.startswith("loom_")
        for name, value in vars(base).items()
        if not name.startswith("_")
        and isinstance(value, classmethod | staticmethod | type(signature))
    }


def test_public_names_are_the_same() -> None:
    renamed = {IDENTIFIERS.get(name, name) for name in loom_async.__all__}
    assert set(loom_sync.__all__) == renamed | set(KEPT_FUNCTIONS)
    assert len(loom_sync.__all__) == len(set(loom_sync.__all__))


@pytest.mark.parametrize("name", sorted(set(loom_async.__all__) - CONNECTING - TRANSACTIONS))
def test_what_is_pure_is_shared(name: str) -> None:
    shared = getattr(loom_async, name) is getattr(loom_sync, name)
    assert shared == (name not in DOUBLE)


@pytest.mark.parametrize("name", KEPT_FUNCTIONS)
def test_asynchronous_clients_are_in_both(name: str) -> None:
    assert getattr(loom_async, name) is getattr(loom_sync, name)


@pytest.mark.parametrize("name", sorted(CONNECTING | TRANSACTIONS))
def test_signatures_of_functions(name: str) -> None:
    twin = getattr(loom_sync, IDENTIFIERS.get(name, name))
    assert signature(getattr(loom_async, name)) == signature(twin)


@pytest.mark.parametrize("name", sorted(DOUBLE))
def test_signatures_of_methods(name: str) -> None:
    there, here = methods(getattr(loom_async, name)), methods(getattr(loom_sync, name))
    twins = {method for method in here if method.endswith("_async")}
    assert here.keys() - twins == there.keys()
    for method, function in there.items():
        assert signature(function) == signature(here[method]), method


@pytest.mark.parametrize("name", sorted(DOUBLE))
def test_every_io_method_has_a_twin(name: str) -> None:
    there, here = methods(getattr(loom_async, name)), methods(getattr(loom_sync, name))
    for method, function in there.items():
        returns = str(inspect.signature(function).return_annotation)
        used_later = ("AsyncIterator", "AbstractAsyncContextManager", "Changes")
        waits = returns.startswith(used_later) or inspect.iscoroutinefunction(function)
        assert (f"{method}_async" in here) == waits, method
        if waits:
            ours, theirs = here[f"{method}_async"], inspect.signature(function)
            assert list(inspect.signature(ours).parameters.values()) == list(
                theirs.parameters.values()
            ), method
            twins = str(inspect.signature(ours).return_annotation)
            assert twins.removeprefix("async_change_stream.") == returns


def test_each_contract_twin_is_there() -> None:
    model = "persist persist_many from_id reload delete watch"
    query = (
        "load_one load_many load_latest load_top load_docs load_aggregate stream count exists "
        "distinct update delete explain merge_into watch"
    )
    assert all(hasattr(loom_sync.Persistable, f"{name}_async") for name in model.split())
    assert all(hasattr(loom_sync.LoadDirective, f"{name}_async") for name in query.split())


def test_the_synchronous_package_waits_for_nothing() -> None:
    """Apart from the twins, no function of `loom_sync` is asynchronous."""
    for name in DOUBLE:
        for method, function in methods(getattr(loom_sync, name)).items():
            if not method.endswith("_async"):
                assert not inspect.iscoroutinefunction(function)
                assert not inspect.isasyncgenfunction(function)
