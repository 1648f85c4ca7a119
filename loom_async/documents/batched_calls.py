"""How a kind of call is batched (`Batching`), and the batched calls of each collection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from .. import _concurrency
from .._core.unbatched import Unbatched
from ..connection.client_cache import cache_of
from ..connection.driver_types import MongoCollection

R = TypeVar("R")
T = TypeVar("T")


class Batching(NamedTuple, Generic[T, R]):
    """How calls of one kind are batched.

    The functions have a collection as their first parameter, then the arguments of `batched_calls`,
    then an item or several. The fields are as for `BatchedCalls`.
    """

    single: Callable[..., Coroutine[Any, Any, R]]
    batch: Callable[..., Awaitable[Sequence[R | Unbatched | Exception]]]
    can_batch: Callable[..., bool]
    max_single: int
    min_batch: int


def batched_calls(
    batching: Batching[T, R], collection: MongoCollection, *arguments: object
) -> _concurrency.BatchedCalls[T, R]:
    """Return the batched calls of a collection, with the same arguments for all calls."""
    known = cache_of(collection.database.client).batched_calls
    key = (batching.batch, id(collection), *arguments)
    found = known.get(key)
    if found is None:
        found = known[key] = _concurrency.BatchedCalls(
            partial(batching.single, collection, *arguments),
            partial(batching.batch, collection, *arguments),
            partial(batching.can_batch, collection, *arguments),
            max_single=batching.max_single,
            min_batch=batching.min_batch,
        )
    return found
