"""Hooks: which call runs which of them, as the table in the guide says."""

from __future__ import annotations

import pytest

import loom_async as lm
from tests.aio import _concurrency

pytestmark = pytest.mark.usefixtures("db")
hook_calls: list[str] = []


@lm.declare_persist_db("shop", "hooked")
class Hooked(lm.PersistableBase):
    name: str
    slug: str = ""

    def before_persist(self) -> None:
        hook_calls.append(f"before_persist {self.name}")
        self.slug = self.name.lower()

    async def after_persist(self) -> None:
        hook_calls.append(f"after_persist {self.name}")

    async def before_delete(self) -> None:
        if self.name == "kept":
            raise PermissionError(self.name)
        hook_calls.append(f"before_delete {self.name}")

    def after_delete(self) -> None:
        hook_calls.append(f"after_delete {self.name}")

    async def after_load(self) -> None:
        hook_calls.append(f"after_load {self.name}")


@pytest.fixture(autouse=True)
def clear_calls() -> None:
    hook_calls.clear()


def take_calls() -> list[str]:
    """Return and clear the recorded calls of hooks."""
    calls = list(hook_calls)
    hook_calls.clear()
    return calls


async def test_hooks_of_calls_for_one_document() -> None:
    one = Hooked(name="One")
    await one.persist()
    assert take_calls() == ["before_persist One", "after_persist One"]
    assert one.slug == "one"
    assert not await one.persist()
    assert take_calls() == ["before_persist One"]
    await one.reload()
    assert take_calls() == ["after_load One"]
    found = await Hooked.from_id(one.id)
    assert found is not None
    assert found.slug == "one"
    assert take_calls() == ["after_load One"]
    await one.delete()
    assert take_calls() == ["before_delete One", "after_delete One"]
    await one.delete()
    assert take_calls() == ["before_delete One"]


async def test_hooks_of_calls_for_many_documents() -> None:
    new = [Hooked(name="A"), Hooked(name="B")]
    await Hooked.persist_many([*new, new[0]])
    before = ["before_persist A", "before_persist B"]
    assert take_calls() == [*before, "after_persist A", "after_persist B"]
    new[1].slug = "overwritten by the hook"
    await Hooked.persist_many(new)
    assert take_calls() == before
    await Hooked.filter().sort("name").load_many()
    assert take_calls() == ["after_load A", "after_load B"]
    await Hooked.filter().load_one()
    await Hooked.filter().load_latest()
    await Hooked.filter().load_latest(2)
    assert len(take_calls()) == 4
    async for _ in Hooked.filter().stream():
        await _concurrency.pause()
    assert len(take_calls()) == 2
    await Hooked.filter().update(slug="x")
    await Hooked.filter().delete()
    assert take_calls() == []


async def test_an_error_in_before_delete_prevents_the_deletion() -> None:
    document = Hooked(name="kept")
    await document.persist()
    with pytest.raises(PermissionError):
        await document.delete()
    assert await Hooked.filter().count() == 1


async def test_hooks_may_write() -> None:
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
