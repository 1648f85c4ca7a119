"""The cursor of a query that is read by commands, whose replies stay bytes.

The driver's own cursors make a Python object of each document.
"""

from __future__ import annotations

from typing import Any, Self

from bson.int64 import Int64

from .. import _concurrency
from .._core.cursor_replies import RAW, parse_cursor_reply
from .._core.query.query_spec import QuerySpec
from .._core.traced_call import TracedCall
from .query_session import QuerySession, end, kill
from .read_commands import send_read
from .target import Target

# A server has started a call by then, as a rule.
_SECONDS_TO_START = 0.02


class CommandCursor:
    """The raw batches of a query; see `raw_batches`.

    A call is awaited in the caller's task, which takes a tenth of the time of a small query less
    than a task of its own. If the caller is cancelled, the driver closes the connection, and the
    end of the block ends the call at the server.

    Parameters:
        target: The target of the query, which reads by commands.
        spec: The query.
        size: The largest number of documents in a batch.
        action: What the query does, for errors and the trace.
    """

    __slots__ = ("_action", "_collection", "_command", "_id", "_session", "_size")

    def __init__(self, target: Target, spec: QuerySpec, size: int, action: str) -> None:
        self._collection = target.collection
        self._size = size
        self._action = action
        self._session = QuerySession(target.collection.database.client)
        self._command: dict[str, Any] = spec.command(target.collection.name)
        if spec.stages:
            self._command["cursor"] = {"batchSize": size}
        else:
            self._command["batchSize"] = size
        #: The server's name of the open cursor; 0 after the last batch, None before the first.
        self._id: int | None = 0 if spec.limit == 0 else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while self._id != 0:
            batch, self._id = parse_cursor_reply(await self._reply())
            if batch:
                return batch
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._id or self._session.is_running:
            await _concurrency.shielded(self._abandon)
        else:
            await self._session.driver.end_session()

    async def _reply(self) -> bytes:
        session = self._session
        session.is_running = True
        try:
            with TracedCall(self._action):
                if self._id is None:
                    reply = await send_read(self._collection, self._command, RAW, session.driver)
                else:
                    reply = await self._collection.database.command(
                        self._get_more(self._id), codec_options=RAW, session=session.driver
                    )
        except Exception:
            session.is_running = False
            raise
        session.is_running = False
        raw: bytes = reply.raw
        return raw

    def _get_more(self, id: int) -> dict[str, Any]:
        command: dict[str, Any] = {
            "getMore": Int64(id),
            "collection": self._collection.name,
            "batchSize": self._size,
        }
        if "comment" in self._command:
            command["comment"] = self._command["comment"]
        return command

    async def _abandon(self) -> None:
        if self._session.is_running and await kill(self._session):
            # A server that had not started the call yet has ignored that.
            await _concurrency.sleep(_SECONDS_TO_START)
        await end(self._session, has_open=True)
