# Generated from loom_async/connection/embedded_setup.py by `nox -s sync`: edit that file.
"""What makes a mongod that has just been started ready for clients: a primary, with a user."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

from pymongo import MongoClient, timeout
from pymongo.errors import AutoReconnect, OperationFailure

from loom_async._core.mongod import command
from loom_async._core.mongod.datadir import DataDirectory, secret
from loom_async._core.server_codes import (
    ALREADY_INITIALIZED,
    AUTHENTICATION_FAILED,
    NOT_YET_INITIALIZED,
)

_MILLISECONDS_TO_SELECT = 1_000
_SECONDS_TO_CLOSE = 0.1
# mongod asks what listens at its former address whether that is itself. A server that answers, or
# none, takes no time; what never answers takes 30 s.
_SECONDS_TO_FIND_ITSELF = 0.1


def set_up(
    directory: DataDirectory, port: int, pause: Callable[[str], None], patience: float
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
    _Setup(directory, port, pause, patience).run()


class _Setup:
    """The preparation of one mongod."""

    def __init__(
        self,
        directory: DataDirectory,
        port: int,
        pause: Callable[[str], None],
        patience: float,
    ) -> None:
        self.directory = directory
        self.port = port
        self.host = f"{command.HOST}:{port}"
        self.pause = pause
        self.patience = patience
        self.found_itself_by = time.monotonic() + _SECONDS_TO_FIND_ITSELF

    def run(self) -> None:
        """Make mongod ready."""
        # As the server's own user, whose password is the keyfile: it is there before any user
        # and in every state of the replica set.
        client = MongoClient[dict[str, Any]](
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
            self._elect(client)
            if not (self.directory.ready.exists() and self.directory.password.exists()):
                self._ensure_user(client)
                self.directory.ready.touch(mode=0o600)
        finally:
            with timeout(_SECONDS_TO_CLOSE):  # it may have ended by now
                client.close()

    def _elect(self, client: MongoClient[dict[str, Any]]) -> None:
        """Make the server the primary of a replica set that has it alone, under this address."""
        while True:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return
            if hello.get("isreplicaset"):  # it has no configuration, or is not named in it
                self._configure(client)
            self.pause("mongod is not primary yet")

    def _configure(self, client: MongoClient[dict[str, Any]]) -> None:
        try:
            reply = client.admin.command("replSetGetConfig")
            config = reply["config"]
            config["members"][0]["host"] = self.host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            stored = client.local["system.replset"].find_one()
            if stored is None:
                self._initiate(client)
            elif (
                stored["members"][0]["host"] != self.host
                and time.monotonic() > self.found_itself_by
            ):
                self._move(client)

    def _initiate(self, client: MongoClient[dict[str, Any]]) -> None:
        members = [{"_id": 0, "host": self.host}]
        try:
            client.admin.command(
                "replSetInitiate", {"_id": command.REPLICA_SET, "members": members}
            )
        except OperationFailure as error:
            # A server that still loads its configuration says that it has none.
            if error.code not in (ALREADY_INITIALIZED, NOT_YET_INITIALIZED):
                raise

    def _move(self, client: MongoClient[dict[str, Any]]) -> NoReturn:
        """Have a mongod that waits for its former address start anew, with the present one.

        Until that address has answered it takes no other configuration, and no order to shut down.
        It accepts no writes yet, so all that it has recovered from its journal is in its files.
        """
        change = {"$set": {"members.0.host": self.host}, "$inc": {"version": 1}}
        client.local["system.replset"].update_one({}, change)
        # mongod waits for the journal only where it is a member of its replica set.
        client.admin.command("fsync")
        self.directory.kill_server()
        raise AutoReconnect("mongod starts anew")

    def _ensure_user(self, client: MongoClient[dict[str, Any]]) -> None:
        password = secret(self.directory.password)
        found = client.admin.command("usersInfo", command.USER)
        credentials: dict[str, Any] = {"pwd": password, "mechanisms": ["SCRAM-SHA-256"]}
        if not found["users"]:
            client.admin.command("createUser", command.USER, roles=["root"], **credentials)
        elif not _accepts(command.uri(self.port, password)):
            # The file with the password was lost and made anew.
            client.admin.command("updateUser", command.USER, **credentials)


def _accepts(uri: str) -> bool:
    with MongoClient[dict[str, Any]](uri) as client:
        try:
            client.admin.command("ping")
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            return False
    return True
