"""What makes a mongod that has just been started ready for clients: a primary, with a user."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from pymongo import AsyncMongoClient, timeout
from pymongo.errors import AutoReconnect, OperationFailure

from .._core.mongod import command
from .._core.mongod.datadir import DataDirectory, secret
from .._core.server_codes import ALREADY_INITIALIZED, AUTHENTICATION_FAILED, NOT_YET_INITIALIZED

_MILLISECONDS_TO_SELECT = 1_000
_SECONDS_TO_CLOSE = 0.1
# mongod asks what listens at its former address whether that is itself. A server that answers, or
# none, takes no time; what never answers takes 30 s.
_SECONDS_TO_FIND_ITSELF = 0.1


async def set_up(
    directory: DataDirectory, port: int, pause: Callable[[str], Awaitable[None]], patience: float
) -> None:
    """Make mongod the primary of its replica set, and make the user that clients connect as.

    What was cut short can be done anew.

    Parameters:
        directory: The data directory of the mongod.
        port: The port at which it listens.
        pause: Waits a little, or raises when it has taken too long; takes what is waited for.
        patience: Seconds for a single answer.

    Raises:
        ConnectionFailure: mongod has ended.
    """
    await _Setup(directory, port, pause, patience).run()


class _Setup:
    """The preparation of one mongod."""

    def __init__(
        self,
        directory: DataDirectory,
        port: int,
        pause: Callable[[str], Awaitable[None]],
        patience: float,
    ) -> None:
        self.directory = directory
        self.port = port
        self.host = f"{command.HOST}:{port}"
        self.pause = pause
        self.patience = patience
        self.found_itself_by = time.monotonic() + _SECONDS_TO_FIND_ITSELF

    async def run(self) -> None:
        """Make mongod ready."""
        # As the server's own user, whose password is the keyfile: it is there before any user
        # and in every state of the replica set.
        client = AsyncMongoClient[dict[str, Any]](
            command.HOST,
            self.port,
            directConnection=True,
            username="__system",
            password=secret(self.directory.keyfile),
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            # It was listening a moment ago: if it is not there now it has died, and is not awaited.
            # (A timeoutMS would be waited for in full, in spite of this.)
            serverSelectionTimeoutMS=_MILLISECONDS_TO_SELECT,
            socketTimeoutMS=int(1000 * self.patience),
        )
        try:
            await self._elect(client)
            if not (self.directory.ready.exists() and self.directory.password.exists()):
                await self._ensure_user(client)
                self.directory.ready.touch(mode=0o600)
        finally:
            with timeout(_SECONDS_TO_CLOSE):  # it may have ended by now
                await client.close()

    async def _elect(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        """Make the server the primary of a replica set that has it alone, under this address."""
        while True:
            hello = await client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return
            if hello.get("isreplicaset"):  # it has no configuration, or is not named in it
                await self._configure(client)
            await self.pause("mongod is not primary yet")

    async def _configure(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        try:
            reply = await client.admin.command("replSetGetConfig")
            config = reply["config"]
            config["members"][0]["host"] = self.host
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            stored = await client.local["system.replset"].find_one()
            if stored is None:
                await self._initiate(client)
            elif (
                stored["members"][0]["host"] != self.host
                and time.monotonic() > self.found_itself_by
            ):
                await self._move(client)

    async def _initiate(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        members = [{"_id": 0, "host": self.host}]
        try:
            await client.admin.command(
                "replSetInitiate", {"_id": command.REPLICA_SET, "members": members}
            )
        except OperationFailure as error:
            # A server that still loads its configuration says that it has none.
            if error.code not in (ALREADY_INITIALIZED, NOT_YET_INITIALIZED):
                raise

    async def _move(self, client: AsyncMongoClient[dict[str, Any]]) -> NoReturn:
        """Have a mongod that waits for its former address start anew, with the present one.

        Until that address has answered it takes no other configuration, and no order to shut down.
        It accepts no writes yet, so all that it has recovered from its journal is in its files.
        """
        change = {"$set": {"members.0.host": self.host}, "$inc": {"version": 1}}
        await client.local["system.replset"].update_one({}, change)
        # mongod waits for the journal only where it is a member of its replica set.
        await client.admin.command("fsync")
        self.directory.kill_server()
        raise AutoReconnect("mongod starts anew")

    async def _ensure_user(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        password = secret(self.directory.password)
        found = await client.admin.command("usersInfo", command.USER)
        credentials: dict[str, Any] = {"pwd": password, "mechanisms": ["SCRAM-SHA-256"]}
        if not found["users"]:
            await client.admin.command("createUser", command.USER, roles=["root"], **credentials)
        elif not await _accepts(command.uri(self.port, password)):
            # The file with the password was lost and made anew.
            await client.admin.command("updateUser", command.USER, **credentials)


async def _accepts(uri: str) -> bool:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        try:
            await client.admin.command("ping")
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            return False
    return True
