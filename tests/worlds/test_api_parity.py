"""Both packages have the same API: names, signatures, twins, and shared pure code."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import loom_async
import loom_sync
from loom_sync._generator.names import IDENTIFIERS, KEPT_FUNCTIONS

CLASSES = [name for name in loom_async.__all__ if inspect.isclass(getattr(loom_async, name))]
# Classes that do I/O exist in both packages; everything else is the same object.
IO_CLASSES = {
    "Aggregation",
    "BlobModel",
    "Changes",
    "LedgerModel",
    "LoadDirective",
    "Persistable",
    "PersistableBase",
    "TimeSeriesLedgerModel",
    "ViewQuery",
}
CONNECTION_FUNCTIONS = {
    "close",
    "connect",
    "embedded",
    "open",
    "open_embedded",
    "using",
    *KEPT_FUNCTIONS,
}
TRANSACTION_FUNCTIONS = {"in_transaction", "transaction", "transactional"}


def signature(function: Any) -> str:
    """Return a signature with the names of the synchronous package."""
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


def test_both_packages_export_the_same_names() -> None:
    renamed = {IDENTIFIERS.get(name, name) for name in loom_async.__all__}
    assert set(loom_sync.__all__) == renamed | set(KEPT_FUNCTIONS)
    assert len(loom_sync.__all__) == len(set(loom_sync.__all__))


@pytest.mark.parametrize(
    "name", sorted(set(loom_async.__all__) - CONNECTION_FUNCTIONS - TRANSACTION_FUNCTIONS)
)
def test_everything_without_io_is_the_same_object(name: str) -> None:
    shared = getattr(loom_async, name) is getattr(loom_sync, name)
    assert shared == (name not in IO_CLASSES)


@pytest.mark.parametrize("name", KEPT_FUNCTIONS)
def test_functions_that_return_async_clients_are_in_both_packages(name: str) -> None:
    assert getattr(loom_async, name) is getattr(loom_sync, name)


@pytest.mark.parametrize("name", sorted(CONNECTION_FUNCTIONS | TRANSACTION_FUNCTIONS))
def test_functions_have_the_same_signatures(name: str) -> None:
    twin = getattr(loom_sync, IDENTIFIERS.get(name, name))
    assert signature(getattr(loom_async, name)) == signature(twin)


@pytest.mark.parametrize("name", sorted(IO_CLASSES))
def test_methods_have_the_same_signatures(name: str) -> None:
    async_methods, sync_methods = (
        methods(getattr(loom_async, name)),
        methods(getattr(loom_sync, name)),
    )
    twins = {method for method in sync_methods if method.endswith("_async")}
    assert sync_methods.keys() - twins == async_methods.keys()
    for method, function in async_methods.items():
        assert signature(function) == signature(sync_methods[method]), method


@pytest.mark.parametrize("name", sorted(IO_CLASSES))
def test_each_io_method_has_a_twin(name: str) -> None:
    async_methods, sync_methods = (
        methods(getattr(loom_async, name)),
        methods(getattr(loom_sync, name)),
    )
    for method, function in async_methods.items():
        returns = str(inspect.signature(function).return_annotation)
        lazy = ("AsyncIterator", "AbstractAsyncContextManager", "Changes")
        does_io = returns.startswith(lazy) or inspect.iscoroutinefunction(function)
        assert (f"{method}_async" in sync_methods) == does_io, method
        if does_io:
            twin, original = sync_methods[f"{method}_async"], inspect.signature(function)
            assert list(inspect.signature(twin).parameters.values()) == list(
                original.parameters.values()
            ), method
            annotation = str(inspect.signature(twin).return_annotation)
            assert annotation.removeprefix("async_change_stream.") == returns


def test_twins_of_the_main_methods_exist() -> None:
    model = "persist persist_many from_id reload delete watch"
    query = (
        "load_one load_many load_latest load_top load_docs load_aggregate stream count exists "
        "distinct update delete explain merge_into watch"
    )
    assert all(hasattr(loom_sync.Persistable, f"{name}_async") for name in model.split())
    assert all(hasattr(loom_sync.LoadDirective, f"{name}_async") for name in query.split())


def test_only_twins_of_the_sync_package_are_asynchronous() -> None:
    """Apart from the twins, no function of `loom_sync` is asynchronous."""
    for name in IO_CLASSES:
        for method, function in methods(getattr(loom_sync, name)).items():
            if not method.endswith("_async"):
                assert not inspect.iscoroutinefunction(function)
                assert not inspect.isasyncgenfunction(function)
