"""`PagedQuery`: queries whose results can be loaded page by page."""

from __future__ import annotations

from typing import TypeVar

from .._core.argument_checks import check_count
from .._core.model.declaration import declaration_of
from .._core.model.hydration import decode_raw_batch, split_raw_batch
from .._core.model.valid_objects import readable
from .._core.query.paging import Page, page_spec, page_token, sort_values
from .._core.query.view import projection_of
from .object_query import ObjectQuery

M = TypeVar("M")


class PagedQuery(ObjectQuery[M]):
    """A query of filters and sort keys, whose results may be loaded page by page."""

    __slots__ = ()

    async def page(self, size: int, after: str | None = None) -> Page[M]:
        """Return one page of the results, and the token for the next page.

        A page starts after the sort values and the `_id` of the last object of the previous page,
        so inserting or deleting a document moves no other to another page. With the option
        `on_invalid="skip"`, a page has fewer objects where documents are left out.

        Parameters:
            size: The largest number of objects on a page.
            after: `next` of the previous page; None for the first page.

        Raises:
            QueryError: The token belongs to another query, or the query skips, limits, samples or
                sorts by an array.
            InvalidDocument: A document does not fit the model.

        Example:
            >>> import loom_async as lm
            >>> async def walk(model: type[lm.Persistable]) -> None:
            ...     page = await model.filter().sort("created_at").page(20)
            ...     while page.next is not None:
            ...         page = await model.filter().sort("created_at").page(20, page.next)
        """
        check_count("page", size, 1)
        collection = declaration_of(self._model).collection_name
        first_page = page_spec(self._spec, None, collection)
        # One document more than the page has, to find out whether it is the last.
        spec = page_spec(self._spec, after, collection).with_limit(size + 1)
        if spec.projection is not None:
            sorted_by = (path for path, _ in spec.sort)
            spec = spec._replace(projection=projection_of([*spec.projection, *sorted_by]))
        raws: list[bytes] = []
        async with await self._with_spec(spec)._batches() as batches:
            async for batch in batches:
                raws += split_raw_batch(batch)
        if self._spec.options.skips_invalid:
            documents = [readable(raw) for raw in raws]
        else:
            documents = decode_raw_batch(b"".join(raws))
        for document in documents:
            sort_values(first_page, document)  # refuses values that no filter can compare
        token = None
        if len(documents) > size:
            token = page_token(first_page, documents[size - 1], collection)
        objects = self._reader(b"".join(raws[:size]))
        return Page(list(await self._loaded(objects)), token)
