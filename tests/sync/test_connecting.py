# Generated from tests/aio/test_connecting.py by `nox -s sync`: edit that file.
"""Which client and which database an operation uses."""

from __future__ import annotations

import gc
import logging
import os
import re
import subprocess
import sys
import time
import traceback
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import loom_sync as lm
from loom_async._core.uri import with_secret
from loom_sync.collections.find import collection_of
from loom_sync.connection.open_client import open_client
from tests.core.test_uri import ANY, ENCODERS, HOSTLESS, PASSWORDS, TEMPLATES, holds
from tests.proxy import proxy_of
from tests.sync._concurrency import pause, together


@lm.declare_persist_db("tenants_none", "notes")
class Note(lm.PersistableBase):
    text: str


@lm.declare_persist_db("tenants_none", "notes", remote_db=True)
class RemoteNote(lm.PersistableBase):
    text: str


def test_concurrent_tenants_use_separate_databases(client: Any) -> None:
    def work(tenant: str) -> list[str]:
        with lm.using(database=tenant):
            for n in range(20):
                Note(text=f"{tenant} {n}").persist()
                pause()
            return [note.text for note in Note.filter().load_many()]

    try:
        one, two = together(partial(work, "tenant_1"), partial(work, "tenant_2"))
    finally:
        client.drop_database("tenant_1")
        client.drop_database("tenant_2")
    assert one == [f"tenant_1 {n}" for n in range(20)]
    assert two == [f"tenant_2 {n}" for n in range(20)]


def test_blocks_nest(client: Any, mongo_uri: str) -> None:
    with lm.connect(mongo_uri) as inner:
        with lm.using(database="outer_db"):
            Note(text="outer").persist()
            with lm.using(database="inner_db"):
                Note(text="inner").persist()
            assert [n.text for n in Note.filter().load_many()] == ["outer"]
        inner.drop_database("outer_db")
    with lm.using(client=client, database="inner_db"):
        assert [n.text for n in Note.filter().load_many()] == ["inner"]
    client.drop_database("inner_db")


def test_the_client_of_the_settings_is_opened_once_and_closed(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    first, second = together(lm.get_local_db_client, lm.get_local_db_client)
    assert first is second
    with lm.using(database="lazy_db"):
        Note(text="x").persist()
        assert Note.filter().count() == 1
    first.drop_database("lazy_db")
    lm.close()
    third = lm.get_local_db_client()
    assert third is not first
    lm.close()


def test_a_client_is_freed_with_its_cache() -> None:
    client = open_client("mongodb://127.0.0.1:1", connect=False)
    with lm.using(client=client):
        assert collection_of(Note).database.client is client
    client.close()
    freed = weakref.ref(client)
    del client
    gc.collect()
    assert freed() is None


def test_remote_models_need_the_remote_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOM_REMOTE_URI", raising=False)
    with pytest.raises(lm.ConfigurationError, match="LOOM_REMOTE_URI"):
        RemoteNote.filter().load_many()


def test_remote_with_secret(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    head, _, hosts = mongo_uri.partition("@")
    user, _, password = head.removeprefix("mongodb://").partition(":")
    monkeypatch.setenv("LOOM_REMOTE_URI", f"mongodb://{user}@{hosts}")
    monkeypatch.setenv("LOOM_REMOTE_SECRET", password)
    with lm.using(database="remote_db"):
        RemoteNote(text="far").persist()
        assert RemoteNote.filter().count() == 1
    lm.get_remote_db_client().drop_database("remote_db")
    lm.close()


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://user:hunter2@host:notaport/",
        "mongodb://user:hun/ter2@host/",
        "mongodb://user:hunter2@ter2@host/",
        "http://user:hunter2@host/",
    ],
)
def test_no_password_in_errors_and_logs(uri: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        with lm.connect(uri, serverSelectionTimeoutMS=1), lm.using(database="x"):
            Note.filter().count()
    except lm.LoomError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error)
    else:
        pytest.fail("the URI was accepted")
    assert "hunter2" not in shown
    assert "ter2" not in shown
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("in_remote_uri", [False, True])
@given(user=ANY, password=PASSWORDS, template=st.sampled_from(TEMPLATES), way=st.integers(0, 1))
@example(user="user", password="hun'ter 2 7kQz", template=TEMPLATES[0], way=0)
@example(user="user", password="7kQz", template=TEMPLATES[12], way=0)
@example(user="user", password="7kQz", template=TEMPLATES[15], way=0)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_refused_uri_shows_no_password(
    in_remote_uri: bool,
    user: str,
    password: str,
    template: str,
    way: int,
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    encoded = ENCODERS[way](password)
    assume(not holds(user, password))
    assume(not (template in HOSTLESS and re.match(r"\d{1,5}([,/?]|\Z)", encoded)))
    uri = template.format(user=ENCODERS[way](user), password=encoded)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    recwarn.clear()
    try:
        open_client(with_secret(uri, password) if in_remote_uri else uri, connect=False)
    except lm.ConfigurationError as error:
        refusal = error
    else:
        return
    texts = [*traceback.format_exception(refusal), repr(refusal), caplog.text]
    texts += [str(warning.message) for warning in recwarn]
    assert not holds("".join(texts), password)
    assert refusal.__context__ is None


def test_an_unreachable_server() -> None:
    with lm.config_context(server_timeout=0.2), lm.connect("mongodb://127.0.0.1:1/"):
        with pytest.raises(lm.ConnectionFailed, match="count Note"):
            Note.filter().count()


def test_closing_does_not_wait_for_an_unreachable_server(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_of(mongo_uri) as proxy:
        uri = proxy.uri.replace("serverSelectionTimeoutMS=300", "serverSelectionTimeoutMS=20000")
        monkeypatch.setenv("LOOM_URI", uri)
        with lm.using(database="lazy_db"):
            assert Note.filter().count() == 0
            with lm.connect(uri):
                assert Note.filter().count() == 0
                proxy.is_up = False
                proxy.cut()
                begun = time.monotonic()
            lm.close()
    assert time.monotonic() - begun < 6


def test_a_wrong_password(mongo_uri: str) -> None:
    _, _, hosts = mongo_uri.partition("@")
    with lm.connect(f"mongodb://loom:wrong@{hosts}"), pytest.raises(lm.AuthenticationFailed):
        Note.filter().count()


def test_an_embedded_block_without_a_directory_is_temporary(tmp_path: Path) -> None:
    with lm.embedded(tmp_path / "data"), lm.embedded() as inner:
        Note(text="inner").persist()
        assert inner["tenants_none"]["notes"].count_documents({}) == 1
    with lm.embedded(tmp_path / "data"):
        assert Note.filter().count() == 0


@pytest.mark.parametrize("name", ["", "a b", "x/y", "a.b", "$x", "n" * 64])
def test_database_names_are_checked(name: str) -> None:
    with pytest.raises(lm.ConfigurationError), lm.using(database=name):
        pass
    with pytest.raises(lm.ConfigurationError):
        lm.declare_persist_db(name, "c")


_IMPORT = """
import sys, time
import pymongo, pydantic, pymongo.synchronous.mongo_client
start = time.perf_counter()
import loom_sync as lm
took = time.perf_counter() - start
class User(lm.Persistable):
    name: str
User(name="x"), lm.fld["name"] == "x", User.filter(lm.fld["name"] == "x")
loaded = {"pyarrow", "pandas", "polars", "numpy", "pymongoarrow"} & sys.modules.keys()
import threading
print(took < 2, sorted(loaded), threading.active_count())
"""


def test_import_connects_to_nothing_and_needs_no_frames() -> None:
    environment = {**os.environ, "LOOM_URI": "mongodb://127.0.0.1:1/"}
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", _IMPORT],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert output.stdout.strip() == "True [] 1"


def test_a_child_by_fork_opens_its_own_client(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"""
import os, warnings
warnings.simplefilter("ignore")
import loom_sync as lm
os.environ["LOOM_URI"] = {mongo_uri!r}
def ping():
    client = lm.get_local_db_client()
    client.admin.command("ping")
    return id(client)
ping()
pid = os.fork()
if pid == 0:
    ping()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert output.stdout.strip() == "7"
