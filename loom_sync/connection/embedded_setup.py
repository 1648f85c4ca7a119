# Generated from loom_async/connection/embedded_setup.py by `nox -s sync`: edit that file.
"""Sets up a mongod that was just started: makes it a primary, and creates its user."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

from pymongo import MongoClient, timeout
from pymongo.errors import AutoReconnect, OperationFailure

from loom_async._core.mongod import launch
from loom_async._core.mongod.data_directory import DataDirectory, secret
from loom_async._core.server_codes import (
    ALREADY_INITIALIZED,
    AUTHENTICATION_FAILED,
    NOT_YET_INITIALIZED,
)

_MILLISECONDS_TO_SELECT = 1_000
_SECONDS_TO_CLOSE = 0.1
# mongod asks the process at its former address whether that is mongod itself. That takes no time,
# unless the process never answers: then mongod waits for 30 s.
_SECONDS_TO_FIND_ITSELF = 0.1


def set_up(
    directory: DataDirectory,
    port: int,
    pause: Callable[[str], None],
    timeout_seconds: float,
) -> None:
    """Make mongod the primary of its replica set, and create the user that clients connect as.

    A setup that was interrupted can be repeated.

    Parameters:
        directory: The data directory of mongod.
        port: The port of mongod.
        pause: Waits a little, or raises if the setup takes too long; takes the reason for waiting.
        timeout_seconds: The time limit for one reply.

    Raises:
        ConnectionFailure: mongod has ended.
    """
    _Setup(directory, port, pause, timeout_seconds).run()


class _Setup:
    """The setup of one mongod."""

    def __init__(
        self,
        directory: DataDirectory,
        port: int,
        pause: Callable[[str], None],
        timeout_seconds: float,
    ) -> None:
        self.directory = directory
        self.port = port
        self.host = f"{launch.HOST}:{port}"
        self.pause = pause
        self.timeout_seconds = timeout_seconds
        self.finds_itself_until = time.monotonic() + _SECONDS_TO_FIND_ITSELF

    def run(self) -> None:
        """Set mongod up."""
        # As the server's own user, whose password is the keyfile: it exists before all other users
        # and in every state of the replica set.
        client = MongoClient[dict[str, Any]](
            launch.HOST,
            self.port,
            directConnection=True,
            username="__system",
            password=secret(self.directory.keyfile),
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            # It was listening a moment ago: if it cannot be reached now, it has died. (With a
            # timeoutMS the driver would wait for the whole of that time.)
            serverSelectionTimeoutMS=_MILLISECONDS_TO_SELECT,
            socketTimeoutMS=int(1000 * self.timeout_seconds),
        )
        try:
            self._elect(client)
            if not (self.directory.ready.exists() and self.directory.password.exists()):
                self._ensure_user(client)
                self.directory.ready.touch(mode=0o600)
        finally:
            with timeout(_SECONDS_TO_CLOSE):  # mongod may have ended by now
                client.close()

    def _elect(self, client: MongoClient[dict[str, Any]]) -> None:
        """Make mongod the primary of a replica set whose only member it is, under this address."""
        while True:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return
            if hello.get("isreplicaset"):  # it has no configuration, or is not a member of it
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
                and time.monotonic() > self.finds_itself_until
            ):
                self._move(client)

    def _initiate(self, client: MongoClient[dict[str, Any]]) -> None:
        members = [{"_id": 0, "host": self.host}]
        try:
            client.admin.command("replSetInitiate", {"_id": launch.REPLICA_SET, "members": members})
        except OperationFailure as error:
            # A server that is still loading its configuration says that it has none.
            if error.code not in (ALREADY_INITIALIZED, NOT_YET_INITIALIZED):
                raise

    def _move(self, client: MongoClient[dict[str, Any]]) -> NoReturn:
        """Restart a mongod that waits for its former address, with the present address.

        Until the former address answers, mongod accepts no other configuration and does not shut
        down. It accepts no writes yet, so all that it recovered from its journal is in its files.
        """
        change = {"$set": {"members.0.host": self.host}, "$inc": {"version": 1}}
        client.local["system.replset"].update_one({}, change)
        # Outside of its replica set, mongod does not wait for the journal.
        client.admin.command("fsync")
        self.directory.kill_server()
        raise AutoReconnect("mongod restarts")

    def _ensure_user(self, client: MongoClient[dict[str, Any]]) -> None:
        password = secret(self.directory.password)
        found = client.admin.command("usersInfo", launch.USER)
        credentials: dict[str, Any] = {"pwd": password, "mechanisms": ["SCRAM-SHA-256"]}
        if not found["users"]:
            client.admin.command("createUser", launch.USER, roles=["root"], **credentials)
        elif not _accepts(launch.uri(self.port, password)):
            # The file with the password was lost, and another one was created.
            client.admin.command("updateUser", launch.USER, **credentials)


def _accepts(uri: str) -> bool:
    with MongoClient[dict[str, Any]](uri) as client:
        try:
            client.admin.command("ping")
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            return False
    return True
