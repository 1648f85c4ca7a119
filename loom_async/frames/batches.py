"""Query results as raw batches of 10,000 documents, without a Python object for any of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from .._core.query.query_spec import QuerySpec
from ..operations import raw_cursors
from ..operations.target import Target

#: The documents of a batch. With documents of 300 bytes, decoding it holds the GIL for 10 to 20 ms.
BATCH_SIZE = 10_000


async def raw_batches(
    target: Target, spec: QuerySpec, *, action: str = "load batches"
) -> AsyncGenerator[bytes, None]:
    """Yield the results of a query as raw batches.

    Parameters:
        target: The collection and session of the query.
        spec: The query.
        action: As for `Target.call`.
    """
    client = target.collection.database.client
    if spec.limit != 0 and client.topology_description.topology_type_name == "Unknown":
        await client.admin.command("ping")  # only a known server is read by commands
    size = spec.options.batch_size or BATCH_SIZE
    async with raw_cursors.raw_batches(target, spec, size, action) as batches:
        async for raw in batches:
            yield raw
