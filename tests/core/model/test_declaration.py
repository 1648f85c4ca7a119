"""Declarations of databases, collections and indexes."""

from __future__ import annotations

from typing import Generic, TypeVar

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


T = TypeVar("T")
U = TypeVar("U")


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


@lm.declare_persist_db("d", "bases", index=[lm.Index("code", unique=True), lm.Index("size")])
class Base(lm.Persistable, Generic[T]):
    code: str = ""
    size: T | None = None


@lm.declare_persist_db("d", "pairs")
class Pair(lm.Persistable, Generic[T, U]):
    first: T
    second: U


class Unnamed(Base[int]):
    other: str = ""


def test_a_subclass_without_a_declaration_is_refused() -> None:
    class Own(Unnamed): ...

    class Below(Own, Generic[T]): ...

    lm.declare_persist_db("d", "own")(Own)
    assert declaration_of(Own).collection_name == "own"
    with pytest.raises(lm.ConfigurationError, match="Unnamed is a subclass of Base") as caught:
        declaration_of(Unnamed)
    assert 'declare Base with discriminator="kind"' in str(caught.value.hint)
    for model in (Below, Below[int]):
        with pytest.raises(lm.ConfigurationError, match="is a subclass of Own"):
            declaration_of(model)


def test_type_arguments_make_no_subclass() -> None:
    declaration = Base.__loom_declaration__
    assert declaration_of(Base[int]) is declaration_of(Base[str]) is declaration
    partly = Pair[int, T]  # type: ignore[valid-type]
    assert declaration_of(partly) is declaration_of(partly[str]) is declaration_of(Pair)
    own = lm.declare_persist_db("d", "ints")(Base[float])
    assert declaration_of(own).collection_name == "ints"
    assert declaration_of(Base[int]).collection_name == "bases"


def test_members_of_a_family_need_no_declaration() -> None:
    @lm.declare_persist_db("d", "roots", discriminator="kind")
    class Root(lm.Persistable): ...

    class Member(Root): ...

    class Apart(Member): ...

    class Below(Apart): ...

    assert declaration_of(Member) is declaration_of(Below) is declaration_of(Root)
    lm.declare_persist_db("d", "apart")(Apart)
    with pytest.raises(lm.ConfigurationError, match="Below is a subclass of Apart"):
        declaration_of(Below)


def test_indexes_are_inherited() -> None:
    own = [lm.Index("size", sparse=True), lm.Index("other", name="code_1")]

    class Middle(Base[int]):
        other: str = ""

    class Lower(Middle): ...

    lm.declare_persist_db("d", "middle")(Middle)
    assert declaration_of(Middle).indexes == (lm.Index("code", unique=True), lm.Index("size"))
    lm.declare_persist_db("d", "middle", index=own)(Middle)
    assert declaration_of(Middle).indexes == tuple(own)
    lm.declare_persist_db("d", "lower", index=[lm.Index("id", "code")])(Lower)
    # The indexes of the nearest base come first, and replace those further up.
    assert declaration_of(Lower).indexes == (lm.Index("id", "code"), *own)


def test_inherited_indexes_have_no_discriminator() -> None:
    indexes = [lm.Index("kind"), lm.Index("kind", "name", unique=True), lm.Index(("name", "text"))]

    @lm.declare_persist_db("d", "roots", discriminator="kind", index=indexes)
    class Root(lm.Persistable):
        name: str = ""

    class Own(Root): ...

    lm.declare_persist_db("d", "own", index=[lm.Index(("id", "text"))])(Own)
    assert declaration_of(Own).indexes == (
        lm.Index(("id", "text")), lm.Index("name", unique=True)
    )  # fmt: skip
    lm.declare_persist_db("d", "own", discriminator="kind")(Own)
    assert declaration_of(Own).indexes == tuple(indexes)


def test_a_ledger_inherits_its_index_once() -> None:
    @lm.declare_persist_db("d", "rates", index=[lm.Index("code")])
    class Rate(lm.LedgerModel):
        code: str

    class Own(Rate): ...

    lm.declare_persist_db("d", "own")(Own)
    assert set(declaration_of(Own).indexes) == set(declaration_of(Rate).indexes)
    assert len(declaration_of(Own).indexes) == 2
