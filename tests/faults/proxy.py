"""A small TCP proxy before a server, which can cut its connections or let nothing through."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from loom_async._core.mongod.launch import HOST

_SIZE = 65_536


class Proxy:
    """Connections to a server that a test may cut or freeze, in an event loop of its own.

    Parameters:
        server: The server's port on this machine.
    """

    def __init__(self, server: int) -> None:
        self.port = 0
        self._server = server
        self._is_cut = False
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def connections(self) -> int:
        """How many there are from clients."""
        return len(self._writers) // 2

    def freeze(self) -> None:
        """Let nothing through from now on, as a network that drops every packet."""
        self._loop.call_soon_threadsafe(self._asking.clear)
        self.hold_replies()

    def hold_replies(self) -> None:
        """Let the server hear everything, and say nothing."""
        self._loop.call_soon_threadsafe(self._answering.clear)

    def thaw(self) -> None:
        """Let everything through again, what was held back first."""
        self._loop.call_soon_threadsafe(self._asking.set)
        self._loop.call_soon_threadsafe(self._answering.set)

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._break_all)

    def mend(self) -> None:
        """Let connections live again."""
        self._is_cut = False

    def run(self, ready: threading.Event) -> None:
        """Serve until `end`."""
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    def end(self) -> None:
        """Have `run` return."""
        self._loop.call_soon_threadsafe(self._ending.set)

    async def _serve(self, ready: threading.Event) -> None:
        self._ending = asyncio.Event()
        self._asking, self._answering = asyncio.Event(), asyncio.Event()
        self.thaw()
        server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._ending.wait()
        server.close()
        self.thaw()
        self._break_all()
        mine = asyncio.current_task()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not mine))

    def _break_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        with suppress(OSError):  # a connection that breaks is what this is for
            source, sink = await asyncio.open_connection(HOST, self._server)
            ends = {writer, sink}
            self._writers |= ends
            asking = self._pump(reader, sink, self._asking)
            await asyncio.gather(asking, self._pump(source, writer, self._answering))
            self._writers -= ends

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_SIZE):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def run_proxy(uri: str) -> Iterator[tuple[Proxy, str]]:
    """Give a proxy before a server, and the URI to reach that through it, until the block ends.

    Parameters:
        uri: The server's, on this machine.
    """
    before, port, after = re.split(r":(\d+)(?=/)", uri, maxsplit=1)
    proxy, ready = Proxy(int(port)), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(ready,))
    thread.start()
    ready.wait()
    try:
        # Direct, since the member of a replica set would send its clients past the proxy.
        direct = re.sub(r"replicaSet=\w+", "directConnection=true", after)
        yield proxy, f"{before}:{proxy.port}{direct}"
    finally:
        proxy.end()
        thread.join()
