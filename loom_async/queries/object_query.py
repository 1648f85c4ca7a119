"""`ObjectQuery`: queries that load their results as objects, or as rows of one kind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from typing import Any, TypeVar

from .._core.context import OperationContext, current_context
from .._core.errors import InvalidDocument
from .._core.model.hydration import split_raw_batch
from .._core.model.valid_objects import skipping
from .query import Query

M = TypeVar("M")

# Documents per batch while a valid one is looked for.
_FEW = 100


class ObjectQuery(Query[M]):
    """A query whose results are objects; subclasses say how documents become objects."""

    __slots__ = ()

    async def load_many(self) -> list[M]:
        """Return all results.

        Raises:
            InvalidDocument: A document does not fit the class of the results.
        """
        if self._spec.is_for_one_id:
            found = await self.load_one()
            return [] if found is None else [found]
        objects: list[M] = []
        read = self._reader
        async with await self._batches() as batches:
            async for batch in batches:
                objects.extend(await self._loaded(read(batch)))
        return objects

    async def load_one(self) -> M | None:
        """Return the first result, or None.

        Raises:
            InvalidDocument: The document does not fit the class of the results.
        """
        try:
            document = await self._first()
            if document is None:
                return None
            loaded = self._read_one(document)
        except InvalidDocument:
            if not self._spec.options.skips_invalid:
                raise
            return await self._first_valid()
        await self._loaded((loaded,))
        return loaded

    def stream(self) -> AsyncIterator[M]:
        """Yield the results, holding one batch in memory at a time.

        Raises:
            InvalidDocument: A document does not fit the class of the results.
        """
        return self._objects(current_context())

    async def _objects(self, context: OperationContext) -> AsyncGenerator[M, None]:
        read = self._reader
        async with await self._batches(context) as batches:
            async for batch in batches:
                for loaded in await self._loaded(read(batch)):
                    yield loaded

    async def _first_valid(self) -> M | None:
        few = self._with_spec(self._spec.with_options({"batch_size": _FEW}))
        read = self._reader
        async with await few._batches() as batches:
            async for batch in batches:
                for raw in split_raw_batch(batch):
                    for loaded in await self._loaded(read(raw)):
                        return loaded
        return None

    @property
    def _reader(self) -> Callable[[bytes], Sequence[M]]:
        """Return what makes objects of a raw batch, as the option `on_invalid` says."""
        if self._spec.options.skips_invalid:
            return skipping(self._result_type, self._read)
        return self._read

    @property
    def _result_type(self) -> type[Any]:
        """The class of the results, for messages."""
        return self._model

    def _read(self, batch: bytes) -> Sequence[M]:
        """Return the objects of a raw batch.

        Raises:
            InvalidDocument: A document does not fit the class of the results.
        """
        raise NotImplementedError  # a subclass knows the class of its results

    def _read_one(self, document: dict[str, Any]) -> M:
        """Return the object of a document.

        Raises:
            InvalidDocument: It does not fit the class of the results.
        """
        raise NotImplementedError  # as for `_read`

    async def _loaded(self, objects: Sequence[M]) -> Iterable[M]:
        """Return objects after what is to be done with each loaded one."""
        return objects
