# Generated from tests/aio/test_embedded.py by `nox -s sync`: edit that file.
"""The embedded server: shared, stopped by the last client, recovered after any kill."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from loom_async._core.errors import EmbeddedServerError
from loom_async._core.mongod import launch
from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.data_directory import DataDirectory, secret
from loom_async._core.mongod.file_locks import is_locked, try_lock, unlock
from loom_async._core.settings import config_context
from loom_sync.connection.embedded_server import start_embedded
from tests.sync.embedded_servers import contents, guard_of, is_stopped, mode, mongod_of, until

CLIENT = Path(__file__).parents[1] / "embedded_client.py"


@contextmanager
def client_process(data_dir: Path, document: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    words = [
        sys.executable,
        "-P",  # tests/typing would hide the standard library's typing
        str(CLIENT),
        start_embedded.__module__,
        str(data_dir),
        document,
        *flags,
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def port_of(process: subprocess.Popen[str]) -> int:
    """Wait until a client process has its server; return the port."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_data_is_kept_between_runs(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        port = lease.port
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_one({"_id": 1})
    with start_embedded(data_dir) as lease:
        assert lease.port == port
        with MongoClient(lease.uri) as client:
            assert client.shop.items.distinct("_id") == [1]


def test_a_temporary_server_leaves_nothing() -> None:
    lease = start_embedded(temporary=True)
    mongod = mongod_of(lease.directory)
    assert lease.directory.exists()
    lease.release()
    lease.release()
    until(lambda: not lease.directory.exists())
    until(lambda: not mongod.is_running())


def test_temporary_servers_are_separate() -> None:
    with start_embedded(temporary=True) as one, start_embedded(temporary=True) as two:
        assert one.directory != two.directory
        assert one.port != two.port
    until(lambda: not one.directory.exists() and not two.directory.exists())


def test_transactions_and_change_streams_work() -> None:
    with start_embedded(temporary=True) as lease, MongoClient(lease.uri) as client:
        items = client.shop.items
        items.insert_one({"_id": 0})
        with items.watch() as stream:
            with client.start_session() as session:
                with session.start_transaction():
                    items.insert_one({"_id": 1}, session=session)
                session.start_transaction()
                items.insert_one({"_id": 2}, session=session)
                session.abort_transaction()
            change = stream.next()
        assert change["documentKey"] == {"_id": 1}
        assert items.distinct("_id") == [0, 1]


def test_the_server_stops_when_the_last_of_several_processes_leaves(data_dir: Path) -> None:
    with client_process(data_dir, "first") as first, client_process(data_dir, "second") as second:
        # Both start at once on a fresh directory, and one of them starts the server.
        assert port_of(first) == port_of(second)
        mongod, guard = mongod_of(data_dir), guard_of(data_dir)
        with start_embedded(data_dir) as lease:
            assert mongod_of(data_dir) == mongod
            first.communicate()
            second.communicate()
            with MongoClient(lease.uri) as client:
                assert set(client.shop.items.distinct("_id")) == {"first", "second"}
            assert mongod.is_running()
    until(lambda: not mongod.is_running() and not guard.is_running())
    assert json.loads((data_dir / "server.json").read_bytes())["pid"] is None


def test_a_killed_client_lets_the_server_stop(data_dir: Path) -> None:
    with client_process(data_dir, "lost") as process:
        port_of(process)
        mongod = mongod_of(data_dir)
        process.kill()
    until(lambda: not mongod.is_running())
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        assert client.shop.items.distinct("_id") == ["lost"]


def test_a_client_survives_the_death_of_mongod(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        for number in range(200):
            client.shop.items.insert_one({"_id": number})
        before = mongod_of(data_dir)
        before.kill()
        assert client.shop.items.count_documents({}) == 200
        client.shop.items.insert_one({"_id": 200})
        assert mongod_of(data_dir) != before


def test_the_next_start_recovers_from_the_death_of_guard_and_mongod(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_many([{"_id": number} for number in range(50)])
        guard, mongod = guard_of(data_dir), mongod_of(data_dir)
        guard.kill()
        mongod.kill()
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        assert client.shop.items.count_documents({}) == 50


@pytest.mark.parametrize("note", ["[1, 2]", '{"port": "x", "pid": [1]}'])
def test_an_invalid_file_of_the_guard_is_replaced(note: str, data_dir: Path) -> None:
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        client.shop.items.insert_one({"_id": 1})
    until(lambda: is_stopped(data_dir))
    (data_dir / "server.json").write_text(note)
    with start_embedded(data_dir) as lease:
        assert json.loads((data_dir / "server.json").read_bytes())["port"] == lease.port
        with MongoClient(lease.uri) as client:
            assert client.shop.items.distinct("_id") == [1]


def test_a_file_of_the_guard_that_is_damaged_while_the_server_runs(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        (data_dir / "server.json").write_text("[1]")
        with (
            config_context(server_timeout=0.5),
            pytest.raises(EmbeddedServerError, match=r"0\.5 s"),
        ):
            start_embedded(data_dir)
        with MongoClient(lease.uri) as client:
            client.admin.command("ping")


def test_a_server_that_dies_during_a_start_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = DataDirectory.at(data_dir)
    guard = try_lock(directory.guard)
    assert guard is not None
    (data_dir / "server.json").write_text(json.dumps({"port": launch.choose_port(), "pid": 1}))
    checked = list[int]()
    listens = launch.is_listening

    def listened(port: int) -> bool:
        if checked:
            return listens(port)
        checked.append(port)
        threading.Timer(0.1, unlock, [guard]).start()
        return True

    monkeypatch.setattr(launch, "is_listening", listened)
    with config_context(server_timeout=15), start_embedded(data_dir) as lease:
        assert lease.port == checked[0]


def test_a_new_guard_waits_for_the_mongod_of_a_killed_one(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        client.shop.items.insert_one({"_id": 1})
        mongod, guard = mongod_of(data_dir), guard_of(data_dir)
        guard.kill()
        until(lambda: not is_locked(data_dir / "guard.lock"))
        with start_embedded(data_dir) as other:
            assert other.port == lease.port
            assert mongod_of(data_dir) != mongod
            # The port is the same, so that even the client that was there goes on.
            assert client.shop.items.distinct("_id") == [1]


def test_an_interrupted_start_is_resumed(data_dir: Path) -> None:
    directory = DataDirectory.at(data_dir)
    held = try_lock(directory.lease, shared=True)
    assert held is not None
    secret(directory.keyfile)
    launch.launch_guard(directory, find_mongod(None), launch.choose_port(), 0.25)
    with start_embedded(data_dir) as lease:
        os.close(held)
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_one({"_id": 1})


def test_a_lost_password_is_replaced(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        lost = lease.uri
    (data_dir / "password").unlink()
    with start_embedded(data_dir) as lease:
        assert lease.uri != lost
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_one({"_id": 1})


def test_the_server_moves_when_its_port_is_taken(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        former = lease.port
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_one({"_id": 1})
    until(lambda: is_stopped(data_dir))
    with socket.socket() as other:
        other.bind(("127.0.0.1", former))
        with start_embedded(data_dir) as lease:
            assert lease.port != former
            with MongoClient(lease.uri) as client:
                assert client.shop.items.distinct("_id") == [1]
                client.shop.items.insert_one({"_id": 2})


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Listen on a port and never answer."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_port_taken_by_an_unresponsive_process(data_dir: Path) -> None:
    """mongod would wait 30 seconds for the process at its former address."""
    with start_embedded(data_dir) as lease:
        former = lease.port
        with MongoClient(lease.uri) as client:
            client.shop.items.insert_one({"_id": 0})
    until(lambda: is_stopped(data_dir))
    with silent(former):
        for start in range(1, 3):
            begun = time.monotonic()
            with start_embedded(data_dir) as lease:
                assert time.monotonic() - begun < 10
                assert lease.port != former
                with MongoClient(lease.uri) as client:
                    assert client.shop.items.distinct("_id") == list(range(start))
                    client.shop.items.insert_one({"_id": start})
            until(lambda: is_stopped(data_dir))


def test_a_killed_server_that_moves_to_another_port_loses_nothing(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease, MongoClient(lease.uri) as client:
        client.shop.items.insert_one({"_id": 0})
        client.admin.command("fsync")
        client.shop.items.insert_many([{"_id": n} for n in range(1, 1000)])
        for n in range(1000):
            client.shop.items.update_one({"_id": n}, {"$inc": {"n": n}})
        guard_of(data_dir).kill()
        mongod_of(data_dir).kill()
    until(lambda: is_stopped(data_dir))
    with silent(lease.port), start_embedded(data_dir) as moved:
        assert moved.port != lease.port
        with MongoClient(moved.uri) as client:
            found = client.shop.items.find().sort("_id").to_list()
            assert found == [{"_id": n, "n": n} for n in range(1000)]
    # The start after that finds all of it as well.
    with start_embedded(data_dir) as again:
        assert again.port == moved.port
        with MongoClient(again.uri) as client:
            assert client.shop.items.count_documents({}) == 1000


def test_a_lease_is_held_across_fork(data_dir: Path) -> None:
    with client_process(data_dir, "child", "fork") as parent:
        port_of(parent)
        parent.wait()
        mongod = mongod_of(data_dir)
        with pytest.raises(psutil.TimeoutExpired):
            mongod.wait(0.2)
        assert is_locked(data_dir / "guard.lock")


def test_only_its_user_may_read_the_directory(data_dir: Path) -> None:
    with start_embedded(data_dir):
        assert mode(data_dir) == mode(data_dir / "db") == 0o700
        files = [path for path in contents(data_dir) if path.name != "db"]
        assert {path.name for path in files} > {"keyfile", "password", "server.json"}
        assert {mode(path) for path in files} == {0o600}


def test_only_loopback_and_only_with_the_password(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        sockets = mongod_of(data_dir).net_connections(kind="inet")
        assert {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
        stranger = MongoClient("127.0.0.1", lease.port, directConnection=True)
        with stranger:
            with pytest.raises(OperationFailure, match="requires authentication"):
                stranger.list_database_names()
            with pytest.raises(OperationFailure, match="requires authentication"):
                stranger.admin.command("createUser", "mallory", pwd="x", roles=["root"])


def test_the_secrets_are_shown_nowhere(data_dir: Path) -> None:
    with start_embedded(data_dir) as lease:
        shown = [repr(lease), str(lease), *mongod_of(data_dir).cmdline()]
        shown += guard_of(data_dir).cmdline()
    until(lambda: is_stopped(data_dir))
    shown += [path.read_text() for path in contents(data_dir) if path.suffix == ".log"]
    for name in ("keyfile", "password"):
        hidden = (data_dir / name).read_text()
        assert len(hidden) == 64
        assert not any(hidden in text for text in shown)
