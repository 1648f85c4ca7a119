"""Declarations, settings and addresses: what needs no server."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async._core.uri import with_secret


def test_secret_is_percent_encoded() -> None:
    assert (
        with_secret("mongodb://u@h:1/db?x=y", "p@s/s:w") == "mongodb://u:p%40s%2Fs%3Aw@h:1/db?x=y"
    )
    assert with_secret("mongodb+srv://u:old@h/", "new") == "mongodb+srv://u:new@h/"
    with pytest.raises(lm.ConfigurationError, match="no user"):
        with_secret("mongodb://h/", "x")


def test_settings_hide_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://u:hunter2@h/")
    monkeypatch.setenv("LOOM_REMOTE_SECRET", "hunter3")
    assert "hunter" not in repr(lm.settings()) + str(lm.settings())


def test_version_and_test_make_collection_names() -> None:
    @lm.declare_persist_db(db_name="d", collection_name="users", version=2)
    class Second(lm.Persistable): ...

    @lm.declare_persist_db(db_name="d", collection_name="users", test=True)
    class Test(lm.Persistable): ...

    assert Second.__loom_declaration__ is not None
    assert Second.__loom_declaration__.collection_name == "users_v2"
    assert Test.__loom_declaration__ is not None
    assert Test.__loom_declaration__.collection_name == "users_test"
