# Generated from examples/async/documents.py by `nox -s sync`: edit that file.
"""One document, and many at once: persisted, loaded, deleted."""

from pydantic import BaseModel

# --8<-- [start:model]
import loom_sync as lm


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

    def before_persist(self) -> None:
        self.slug = self.title.lower().replace(" ", "-")


# --8<-- [end:hooks]


# --8<-- [start:unique]
@lm.declare_persist_db("my_app", "badges", index=[lm.Index("code", unique=True)])
class Badge(lm.PersistableBase):
    code: str


# --8<-- [end:unique]


def one_document() -> None:
    # --8<-- [start:insert]
    ann = Person(name="Ann", meta={"seen": True})
    assert ann.persist() is True
    assert ann.persist() is False  # nothing changed: no call
    # --8<-- [end:insert]

    # --8<-- [start:merge]
    one, two = Person.from_id(ann.id), Person.from_id(ann.id)
    one.name = "Anna"
    two.meta["city"] = "Prague"
    two.visits += 1
    one.persist()
    two.persist()
    assert (two.name, two.meta) == ("Anna", {"seen": True, "city": "Prague"})
    # --8<-- [end:merge]

    # --8<-- [start:gone]
    gone = Person.from_id(ann.id)
    ann.delete()
    gone.name = "Annika"
    try:
        gone.persist()
    except lm.DocumentNotFound as error:
        missing = error.id
    assert missing == gone.id
    # --8<-- [end:gone]


def raw_documents() -> None:
    # --8<-- [start:raw]
    ann = Person(name="Ann", tags=["new"])
    collection = Person.get_db_collection()
    collection.insert_one(ann.dump_doc())

    found = Person.from_doc(collection.find_one({"tags": "new"}))
    found.visits += 1
    found.persist()  # {"$inc": {"visits": 1}, "$set": …}
    # --8<-- [end:raw]
    assert found == Person.from_id(ann.id)


# --8<-- [start:patch_model]
class PersonPatch(BaseModel):
    name: str | None = None
    meta: dict[str, object] | None = None


# --8<-- [end:patch_model]


def patched_documents() -> None:
    # --8<-- [start:patch]
    ann = Person(name="Ann", meta={"seen": True})
    ann.persist()
    ann.update_from(PersonPatch(meta={"city": "Brno"}))
    assert (ann.name, ann.meta) == ("Ann", {"seen": True, "city": "Brno"})
    try:
        ann.update_from({"name": "Anna", "tags": "new"})
    except ValueError:
        assert ann.name == "Ann"
    ann.persist()  # {"$set": {"meta.city": "Brno", …}}
    # --8<-- [end:patch]


def many_documents() -> None:
    # --8<-- [start:many]
    people = [Person(name=f"Person {n}") for n in range(1000)]
    result = Person.persist_many(people)
    assert (result.inserted, result.updated, result.unchanged) == (1000, 0, 0)
    people[3].visits += 1
    assert Person.persist_many(people).updated == 1
    # --8<-- [end:many]

    # --8<-- [start:refused]
    try:
        Badge.persist_many([Badge(code="a"), Badge(code="a"), Badge(code="b")])
    except lm.BulkError as error:
        inserted, refused = error.inserted, error.entries
    assert inserted == 2
    assert [entry.index for entry in refused] == [1]
    # --8<-- [end:refused]

    # --8<-- [start:get_or_create]
    badge, is_new = Badge.get_or_create({"code": "c"})
    assert is_new
    # --8<-- [end:get_or_create]

    # --8<-- [start:match_on]
    imported = [Badge(code="c"), Badge(code="d")]
    result = Badge.persist_many(imported, match_on=["code"])
    assert (result.inserted, result.unchanged) == (1, 1)
    assert imported[0].id == badge.id
    # --8<-- [end:match_on]


def guarded_documents() -> None:
    # --8<-- [start:stale]
    mine = Page(text="first")
    mine.persist()
    theirs = Page.from_id(mine.id)
    mine.text = "second"
    mine.persist()
    theirs.text = "made from the first"
    try:
        theirs.persist()
    except lm.StaleDocument as error:
        there = error.revision
        theirs.reload()
    assert (there, theirs.text) == (2, "second")
    # --8<-- [end:stale]

    # --8<-- [start:hooked]
    article = Article(title="Hello World")
    article.persist()
    assert article.slug == "hello-world"
    # --8<-- [end:hooked]


def main() -> None:
    with lm.embedded():
        one_document()
        raw_documents()
        patched_documents()
        guarded_documents()
        many_documents()


if __name__ == "__main__":
    main()
