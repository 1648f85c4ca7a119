# Generated from tests/aio/test_hooks.py by `nox -s sync`: edit that file.
"""Which call runs which hook: the table of the guide, call by call."""

from __future__ import annotations

import pytest

import loom_sync as lm
from tests.sync import _concurrency

pytestmark = pytest.mark.usefixtures("db")
ran: list[str] = []


@lm.declare_persist_db("shop", "hooked")
class Hooked(lm.PersistableBase):
    name: str
    slug: str = ""

    def before_persist(self) -> None:
        ran.append(f"before_persist {self.name}")
        self.slug = self.name.lower()

    def after_persist(self) -> None:
        ran.append(f"after_persist {self.name}")

    def before_delete(self) -> None:
        if self.name == "kept":
            raise PermissionError(self.name)
        ran.append(f"before_delete {self.name}")

    def after_delete(self) -> None:
        ran.append(f"after_delete {self.name}")

    def after_load(self) -> None:
        ran.append(f"after_load {self.name}")


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


def taken() -> list[str]:
    found = list(ran)
    ran.clear()
    return found


def test_one_document() -> None:
    one = Hooked(name="One")
    one.persist()
    assert taken() == ["before_persist One", "after_persist One"]
    assert one.slug == "one"
    assert not one.persist()
    assert taken() == ["before_persist One"]
    one.reload()
    assert taken() == ["after_load One"]
    found = Hooked.from_id(one.id)
    assert found is not None
    assert found.slug == "one"
    assert taken() == ["after_load One"]
    one.delete()
    assert taken() == ["before_delete One", "after_delete One"]
    one.delete()
    assert taken() == ["before_delete One"]


def test_many_documents() -> None:
    new = [Hooked(name="A"), Hooked(name="B")]
    Hooked.persist_many([*new, new[0]])
    before = ["before_persist A", "before_persist B"]
    assert taken() == [*before, "after_persist A", "after_persist B"]
    new[1].slug = "changed by the hook anyway"
    Hooked.persist_many(new)
    assert taken() == before
    Hooked.filter().sort("name").load_many()
    assert taken() == ["after_load A", "after_load B"]
    Hooked.filter().load_one()
    Hooked.filter().load_latest()
    Hooked.filter().load_latest(2)
    assert len(taken()) == 4
    for _ in Hooked.filter().stream():
        _concurrency.pause()
    assert len(taken()) == 2
    Hooked.filter().update(slug="x")
    Hooked.filter().delete()
    assert taken() == []


def test_a_hook_that_refuses() -> None:
    kept = Hooked(name="kept")
    kept.persist()
    with pytest.raises(PermissionError):
        kept.delete()
    assert Hooked.filter().count() == 1


def test_a_hook_that_writes() -> None:
    @lm.declare_persist_db("shop", "log")
    class Log(lm.PersistableBase):
        text: str

    @lm.declare_persist_db("shop", "logged")
    class Logged(lm.PersistableBase):
        name: str

        def after_persist(self) -> None:
            Log(text=self.name).persist()

        def before_persist(self) -> None:
            if self.name == "late":
                self.name = "early"
                self.persist()

    Logged(name="late").persist()
    assert [log.text for log in Log.filter().load_many()] == ["early"]
