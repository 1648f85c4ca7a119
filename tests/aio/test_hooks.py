"""Which call runs which hook: the table of the guide, call by call."""

from __future__ import annotations

import pytest

import loom_async as lm
from tests.aio import _concurrency

pytestmark = pytest.mark.usefixtures("db")
ran: list[str] = []


@lm.declare_persist_db("shop", "hooked")
class Hooked(lm.PersistableBase):
    name: str
    slug: str = ""

    def before_persist(self) -> None:
        ran.append(f"before_persist {self.name}")
        self.slug = self.name.lower()

    async def after_persist(self) -> None:
        ran.append(f"after_persist {self.name}")

    async def before_delete(self) -> None:
        if self.name == "kept":
            raise PermissionError(self.name)
        ran.append(f"before_delete {self.name}")

    def after_delete(self) -> None:
        ran.append(f"after_delete {self.name}")

    async def after_load(self) -> None:
        ran.append(f"after_load {self.name}")


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


def taken() -> list[str]:
    found = list(ran)
    ran.clear()
    return found


async def test_one_document() -> None:
    one = Hooked(name="One")
    await one.persist()
    assert taken() == ["before_persist One", "after_persist One"]
    assert one.slug == "one"
    assert not await one.persist()
    assert taken() == ["before_persist One"]
    await one.reload()
    assert taken() == ["after_load One"]
    found = await Hooked.from_id(one.id)
    assert found is not None
    assert found.slug == "one"
    assert taken() == ["after_load One"]
    await one.delete()
    assert taken() == ["before_delete One", "after_delete One"]
    await one.delete()
    assert taken() == ["before_delete One"]


async def test_many_documents() -> None:
    new = [Hooked(name="A"), Hooked(name="B")]
    await Hooked.persist_many([*new, new[0]])
    before = ["before_persist A", "before_persist B"]
    assert taken() == [*before, "after_persist A", "after_persist B"]
    new[1].slug = "changed by the hook anyway"
    await Hooked.persist_many(new)
    assert taken() == before
    await Hooked.filter().sort("name").load_many()
    assert taken() == ["after_load A", "after_load B"]
    await Hooked.filter().load_one()
    await Hooked.filter().load_latest()
    await Hooked.filter().load_latest(2)
    assert len(taken()) == 4
    async for _ in Hooked.filter().stream():
        await _concurrency.pause()
    assert len(taken()) == 2
    await Hooked.filter().update(slug="x")
    await Hooked.filter().delete()
    assert taken() == []


async def test_a_hook_that_refuses() -> None:
    kept = Hooked(name="kept")
    await kept.persist()
    with pytest.raises(PermissionError):
        await kept.delete()
    assert await Hooked.filter().count() == 1


async def test_a_hook_that_writes() -> None:
    @lm.declare_persist_db("shop", "log")
    class Log(lm.PersistableBase):
        text: str

    @lm.declare_persist_db("shop", "logged")
    class Logged(lm.PersistableBase):
        name: str

        async def after_persist(self) -> None:
            await Log(text=self.name).persist()

        async def before_persist(self) -> None:
            if self.name == "late":
                self.name = "early"
                await self.persist()

    await Logged(name="late").persist()
    assert [log.text for log in await Log.filter().load_many()] == ["early"]
