"""Declarations of databases, collections and indexes."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async._core.model.declaration import check_database_name, declaration_of


def test_version_and_test_make_collection_names() -> None:
    @lm.declare_persist_db(db_name="d", collection_name="users", version=2)
    class Second(lm.Persistable): ...

    @lm.declare_persist_db(db_name="d", collection_name="users", test=True)
    class Test(lm.Persistable): ...

    assert Second.__loom_declaration__ is not None
    assert Second.__loom_declaration__.collection_name == "users_v2"
    assert Test.__loom_declaration__ is not None
    assert Test.__loom_declaration__.collection_name == "users_test"


class Undeclared(lm.Persistable): ...


def test_a_model_that_was_not_declared() -> None:
    with pytest.raises(lm.ConfigurationError, match="Undeclared has no collection"):
        declaration_of(Undeclared)


@pytest.mark.parametrize("name", ["", "a b", "x/y", "a.b", "$x", "n" * 64, "ž" * 32])
def test_names_of_databases(name: str) -> None:
    with pytest.raises(lm.ConfigurationError, match="name of a database"):
        check_database_name(name)
    assert check_database_name("tenant_42") == "tenant_42"


@pytest.mark.parametrize("name", ["", "a$b", "a\0b", "system.users", ".a", "a.", "a..b"])
def test_names_of_collections(name: str) -> None:
    with pytest.raises(lm.ConfigurationError, match="name of a collection"):
        lm.declare_persist_db("d", name)


def test_keys_and_options_of_an_index() -> None:
    index = lm.Index("city", "-age", ("bio", "text"), sparse=True, expire_after=0, bits=20)
    assert index.keys == (("city", 1), ("age", -1), ("bio", "text"))
    assert index.options == {"sparse": True, "expireAfterSeconds": 0, "bits": 20}
    for keys in [(), (("a", "up"),)]:
        with pytest.raises(lm.ConfigurationError):
            lm.Index(*keys)
