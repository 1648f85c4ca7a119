"""One document, and many at once: persisted, loaded, deleted."""

import asyncio

from pydantic import BaseModel

# --8<-- [start:model]
import loom_async as lm


@lm.declare_persist_db("my_app", "people")
class Person(lm.Persistable):
    name: str
    tags: list[str] = []
    labels: set[str] = set()
    meta: dict[str, object] = {}
    visits: lm.IncrCounter = 0


# --8<-- [end:model]


# --8<-- [start:revision]
@lm.declare_persist_db("my_app", "pages")
class Page(lm.Persistable):
    text: str
    revision: lm.Revision = 1


# --8<-- [end:revision]


# --8<-- [start:hooks]
@lm.declare_persist_db("my_app", "articles")
class Article(lm.Persistable):
    title: str
    slug: str = ""

    async def before_persist(self) -> None:
        self.slug = self.title.lower().replace(" ", "-")


# --8<-- [end:hooks]


# --8<-- [start:unique]
@lm.declare_persist_db("my_app", "badges", index=[lm.Index("code", unique=True)])
class Badge(lm.PersistableBase):
    code: str


# --8<-- [end:unique]


async def one_document() -> None:
    # --8<-- [start:insert]
    ann = Person(name="Ann", meta={"seen": True})
    assert await ann.persist() is True
    assert await ann.persist() is False  # nothing changed: no call
    # --8<-- [end:insert]

    # --8<-- [start:merge]
    one, two = await Person.from_id(ann.id), await Person.from_id(ann.id)
    one.name = "Anna"
    two.meta["city"] = "Prague"
    two.visits += 1
    await one.persist()
    await two.persist()
    assert (two.name, two.meta) == ("Anna", {"seen": True, "city": "Prague"})
    # --8<-- [end:merge]

    # --8<-- [start:gone]
    gone = await Person.from_id(ann.id)
    await ann.delete()
    gone.name = "Annika"
    try:
        await gone.persist()
    except lm.DocumentNotFound as error:
        missing = error.id
    assert missing == gone.id
    # --8<-- [end:gone]


async def raw_documents() -> None:
    # --8<-- [start:raw]
    ann = Person(name="Ann", tags=["new"])
    collection = await Person.get_db_collection()
    await collection.insert_one(ann.dump_doc())

    found = Person.from_doc(await collection.find_one({"tags": "new"}))
    found.visits += 1
    await found.persist()  # {"$inc": {"visits": 1}, "$set": …}
    # --8<-- [end:raw]
    assert found == await Person.from_id(ann.id)


# --8<-- [start:patch_model]
class PersonPatch(BaseModel):
    name: str | None = None
    meta: dict[str, object] | None = None


# --8<-- [end:patch_model]


async def patched_documents() -> None:
    # --8<-- [start:patch]
    ann = Person(name="Ann", meta={"seen": True})
    await ann.persist()
    ann.update_from(PersonPatch(meta={"city": "Brno"}))
    assert (ann.name, ann.meta) == ("Ann", {"seen": True, "city": "Brno"})
    try:
        ann.update_from({"name": "Anna", "tags": "new"})
    except ValueError:
        assert ann.name == "Ann"
    await ann.persist()  # {"$set": {"meta.city": "Brno", …}}
    # --8<-- [end:patch]


async def many_documents() -> None:
    # --8<-- [start:many]
    people = [Person(name=f"Person {n}") for n in range(1000)]
    result = await Person.persist_many(people)
    assert (result.inserted, result.updated, result.unchanged) == (1000, 0, 0)
    people[3].visits += 1
    assert (await Person.persist_many(people)).updated == 1
    # --8<-- [end:many]

    # --8<-- [start:refused]
    try:
        await Badge.persist_many([Badge(code="a"), Badge(code="a"), Badge(code="b")])
    except lm.BulkError as error:
        inserted, refused = error.inserted, error.entries
    assert inserted == 2
    assert [entry.index for entry in refused] == [1]
    # --8<-- [end:refused]

    # --8<-- [start:get_or_create]
    badge, is_new = await Badge.get_or_create({"code": "c"})
    assert is_new
    # --8<-- [end:get_or_create]

    # --8<-- [start:match_on]
    imported = [Badge(code="c"), Badge(code="d")]
    result = await Badge.persist_many(imported, match_on=["code"])
    assert (result.inserted, result.unchanged) == (1, 1)
    assert imported[0].id == badge.id
    # --8<-- [end:match_on]


async def guarded_documents() -> None:
    # --8<-- [start:stale]
    mine = Page(text="first")
    await mine.persist()
    theirs = await Page.from_id(mine.id)
    mine.text = "second"
    await mine.persist()
    theirs.text = "made from the first"
    try:
        await theirs.persist()
    except lm.StaleDocument as error:
        there = error.revision
        await theirs.reload()
    assert (there, theirs.text) == (2, "second")
    # --8<-- [end:stale]

    # --8<-- [start:hooked]
    article = Article(title="Hello World")
    await article.persist()
    assert article.slug == "hello-world"
    # --8<-- [end:hooked]


async def main() -> None:
    async with lm.embedded():
        await one_document()
        await raw_documents()
        await patched_documents()
        await guarded_documents()
        await many_documents()


if __name__ == "__main__":
    asyncio.run(main())
