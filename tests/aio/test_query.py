"""Queries against the server."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async import AggregationStages, TimeQuery, element, fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Address(BaseModel):
    city: str


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str
    age: int = 0
    email: lm.StrLower = ""
    address: Address | None = None
    tags: list[str] = Field(default_factory=list)
    scores: list[int] = Field(default_factory=list)
    color: Color = Color.RED
    price: Decimal = Decimal(0)
    born: date | None = None
    seen: datetime | None = None
    place: dict[str, Any] | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    alias: str = Field(default="", validation_alias="storedAs")


@lm.declare_persist_db("shop", "archive")
class Archived(lm.PersistableBase):
    name: str


class Total(BaseModel):
    id: str | None = Field(alias="_id")
    n: int


async def people() -> list[User]:
    users = [
        User(name="Ann", age=30, tags=["a", "b"], address=Address(city="Prague")),
        User(name="Bea", age=20, tags=["b"], address=Address(city="Brno")),
        User(name="Cid", age=30, tags=[], address=Address(city="Prague")),
        User(name="Dan", age=40),
    ]
    await User.persist_many(users)
    return users


async def names(query: Any) -> list[str]:
    return [user.name for user in await query.load_many()]


async def found(condition: Any) -> set[str]:
    return set(await names(User.filter(condition)))


async def test_load_many_gives_loaded_objects() -> None:
    users = await people()
    loaded = await User.filter(fld["age"] >= 30).sort("name").load_many()
    assert loaded == [users[0], users[2], users[3]]
    assert await loaded[0].persist() is False


async def test_lambda_form() -> None:
    await people()
    query = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague")).sort("name")  # type: ignore[union-attr]
    assert await names(query) == ["Ann", "Cid"]
    assert await names(User.filter(lambda u: lm.fld(u.name).contains("e") & (u.age < 25))) == [
        "Bea"
    ]


async def test_query_can_be_used_again() -> None:
    await people()
    query = User.filter(fld["age"] == 30).sort("name")
    older = query.filter(fld["name"] > "B")
    assert await names(query) == ["Ann", "Cid"]
    assert await names(older) == ["Cid"]
    assert await query.limit(1).count() == 1
    assert await names(query) == ["Ann", "Cid"]


async def test_load_one() -> None:
    users = await people()
    assert await User.filter().sort("-age").load_one() == users[3]
    assert await User.filter().sort("name").skip(1).load_one() == users[1]
    assert await User.filter(fld["age"] > 99).load_one() is None
    assert await User.filter().limit(0).load_one() is None


async def test_load_latest_is_the_newest() -> None:
    for name, age in (("Ann", 30), ("Bea", 20), ("Cid", 30), ("Dan", 10)):
        await User(name=name, age=age).persist()
    newest = await User.filter().load_latest()
    assert newest is not None
    assert newest.name == "Dan"
    assert [u.name for u in await User.filter().load_latest(2)] == ["Dan", "Cid"]
    assert [u.name for u in await User.filter(fld["age"] == 30).load_top(9)] == ["Cid", "Ann"]
    assert [u.name for u in await User.filter().sort("age").load_latest(2)] == ["Dan", "Bea"]
    assert await User.filter(fld["age"] > 99).load_latest() is None


async def test_load_latest_of_a_limited_query_is_limited() -> None:
    await people()
    assert len(await User.filter().limit(1).load_latest(3)) == 1
    assert len(await User.filter().limit(3).load_latest(1)) == 1


async def test_load_docs_and_load_aggregate_give_what_is_stored() -> None:
    await User(name="Ann", price=Decimal("1.5"), alias="x").persist()
    (doc,) = await User.filter().load_docs()
    assert [row async for row in User.filter().load_aggregate()] == [doc]
    assert doc["storedAs"] == "x"
    assert str(doc["price"]) == "1.5"
    assert isinstance(doc["_id"], ObjectId)


async def test_stream_gives_objects_one_after_another() -> None:
    users = await people()
    assert [user async for user in User.filter().sort("name").stream()] == users
    assert [user async for user in User.filter().limit(0).stream()] == []
    async for user in User.filter().sort("name").stream():
        assert user == users[0]
        break


async def test_count_respects_skip_and_limit() -> None:
    await people()
    everyone = User.filter()
    assert await everyone.count() == 4
    assert await everyone.skip(1).count() == 3
    assert await everyone.skip(9).count() == 0
    assert await everyone.limit(2).count() == 2
    assert await everyone.skip(3).limit(2).count() == 1
    assert await everyone.limit(0).count() == 0
    assert await everyone.sample(3).count() == 3
    assert await everyone.sample(3).limit(0).count() == 0
    assert await everyone.group_by("age").acc().count() == 3
    assert await User.filter(fld["age"] == 30).count() == 2


async def test_limit_of_zero_gives_nothing() -> None:
    await people()
    for query in (User.filter().limit(0), User.filter().sample(4).limit(0)):
        assert await query.load_many() == []
        assert await query.load_docs() == []
        assert await query.exists() is False


async def test_exists() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).exists() is True
    assert await User.filter(fld["age"] == 31).exists() is False
    assert await User.filter().skip(4).exists() is False
    assert await User.filter().group_by("age").acc().exists() is True


async def test_distinct() -> None:
    await people()
    assert sorted(await User.filter().distinct("age")) == [20, 30, 40]
    assert sorted(await User.filter().distinct("tags")) == ["a", "b"]
    assert sorted(await User.filter().distinct(fld["address.city"])) == ["Brno", "Prague"]
    assert len(await User.filter().distinct("id")) == 4
    assert await User.filter(fld["age"] > 30).distinct("name") == ["Dan"]
    assert await User.filter().distinct("price") == [Decimal(0)]
    assert sorted(await User.filter().sort("age").limit(2).distinct("name")) == ["Ann", "Bea"]
    with pytest.raises(lm.UnknownFieldError):
        await User.filter().distinct("agee")


async def test_distinct_of_a_limited_query_is_that_of_its_results() -> None:
    await User(name="x", born=None, meta={"a": [{"b": 1}, {"b": 2}]}).persist()
    everyone, limited = User.filter(), User.filter().limit(9)
    for path in ("born", "meta.a.b", "meta.a.0.b"):
        assert sorted(map(repr, await limited.distinct(path))) == sorted(
            map(repr, await everyone.distinct(path))
        )


async def test_explain_shows_the_plan() -> None:
    await people()
    plan = await User.filter(fld["id"] == ObjectId()).sort("age").limit(3).explain()
    assert "queryPlanner" in plan
    stats = await User.filter(fld["age"] == 30).explain("executionStats")
    assert stats["executionStats"]["nReturned"] == 2
    assert await User.filter().group_by("age").acc().explain()


async def test_update_by_mapping_and_by_keywords() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).update({"address.city": "Brno"}, name="X") == 2
    assert await User.filter(fld["address.city"] == "Brno").count() == 3
    count = await User.filter(fld["name"] == "X").update(name="X", age=30)
    assert (count.matched, count.modified) == (2, 2)
    assert await User.filter(fld["age"] > 99).update(age=1) == 0


async def test_update_by_operators() -> None:
    (user, *_) = await people()
    mine = User.filter(fld["id"] == user.id)
    await mine.update({"$inc": {"age": 5}, "$push": {"tags": {"$each": ["c", "d"]}}})
    await mine.update({"$pull": {"tags": "a"}, "$unset": {"address": ""}}, email="A@B")
    await user.reload()
    assert (user.age, user.tags, user.address, user.email) == (35, ["b", "c", "d"], None, "a@b")


async def test_update_refreshes_the_time_of_the_last_write() -> None:
    user = User(name="Ann")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    await user.persist()
    with lm.config_context(clock=lambda: later):
        await User.filter().update(age=1)
    await user.reload()
    assert user.updated_time == later
    assert user.created_at < later
    await User.filter().update(updated_time=later - timedelta(days=1))
    await user.reload()
    assert user.updated_time == later - timedelta(days=1)


async def test_update_encodes_values() -> None:
    user = User(name="Ann")
    await user.persist()
    await User.filter().update(
        {"meta.x": {"$ne": None}},
        color=Color.BLUE, price=Decimal("2.50"), born=date(2020, 1, 1), alias="z",
        address=Address(city="Brno"),
    )  # fmt: skip
    await user.reload()
    assert (user.color, user.price, user.born) == (Color.BLUE, Decimal("2.50"), date(2020, 1, 1))
    assert user.meta == {"x": {"$ne": None}}
    assert (user.alias, user.address) == ("z", Address(city="Brno"))


@pytest.mark.parametrize(
    "values",
    [{"agee": 1}, {"$inc": {"agee": 1}}, {"address.ciy": "x"}, {"$unset": {"agee": ""}}],
)
async def test_update_of_an_unknown_field_is_refused(values: Any, client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(lm.UnknownFieldError):
        await User.filter().update(values)
    assert sent == []


@pytest.mark.parametrize(
    "values", [None, {}, {"$set": {}}, {"age": 1, "$inc": {"age": 1}}, {"$inc": 3}, {"id": 3}]
)
async def test_update_that_says_nothing_sensible_is_refused(values: Any) -> None:
    with pytest.raises(lm.QueryError):
        await User.filter().update(values)


async def test_delete() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).delete() == 2
    assert await User.filter(fld["age"] == 30).delete() == 0
    assert await User.filter().delete() == 2
    assert await User.filter().count() == 0


@pytest.mark.parametrize(
    "query",
    [
        User.filter().sort("age"),
        User.filter().skip(1),
        User.filter().limit(1),
        User.filter().limit(0),
        User.filter().sample(1),
    ],
    ids=repr,
)
async def test_bulk_writes_take_filters_alone(query: Any) -> None:
    await people()
    with pytest.raises(lm.QueryError):
        await query.delete()
    with pytest.raises(lm.QueryError):
        await query.update(age=1)
    assert await User.filter(fld["age"] != 1).count() == 4


async def test_merge_into_adds_and_changes() -> None:
    users = await people()
    await Archived(id=users[0].id, name="old").persist()
    await User.filter().project("name").merge_into(Archived)
    assert sorted(await names(Archived.filter())) == ["Ann", "Bea", "Cid", "Dan"]
    await User.filter().project("age").merge_into("archive", when_matched="keepExisting")
    await (
        User.filter()
        .project("name")
        .merge_into(
            Archived,
            when_matched=AggregationStages().set(name="$$new.age"),
            when_not_matched="discard",
        )
    )
    assert await Archived.filter().count() == 4


async def test_out_replaces() -> None:
    await people()
    await Archived(name="old").persist()
    await User.filter(fld["age"] == 30).sort("name").project("name").out(Archived)
    assert sorted(await names(Archived.filter())) == ["Ann", "Cid"]


async def test_sort() -> None:
    await people()
    assert await names(User.filter().sort("-age", "name")) == ["Dan", "Ann", "Cid", "Bea"]
    assert await names(User.filter().sort("age").sort("-name")) == ["Bea", "Cid", "Ann", "Dan"]
    assert await names(User.filter().sort("age", "name", descending=True)) == [
        "Dan", "Cid", "Ann", "Bea",
    ]  # fmt: skip
    assert await names(User.filter().sort("name").skip(1).limit(2)) == ["Bea", "Cid"]


async def test_sample() -> None:
    users = await people()
    assert len(await User.filter().sample(2).load_many()) == 2
    sampled = await User.filter().sample(9).sort("name").load_many()
    assert sampled == users
    assert await User.filter(fld["age"] == 30).sample(9).filter(fld["name"] == "Bea").count() == 0


async def test_project() -> None:
    await people()
    ann = User.filter(fld["name"] == "Ann")
    assert await ann.project("name", "-id").load_many() == [{"name": "Ann"}]
    assert await ann.project("-id", old={"$gt": ["$age", 25]}, n=fld["name"]).load_many() == [
        {"old": True, "n": "Ann"}
    ]


async def test_add_fields() -> None:
    await people()
    rows = (
        await User.filter()
        .add_fields(double={"$multiply": ["$age", 2]})
        .sort("-double")
        .load_many()
    )
    assert [row["double"] for row in rows] == [80, 60, 60, 40]
    kept = User.filter().add_fields(key=fld["id"]).filter(fld["key"].is_exists())
    assert await kept.count() == 4


async def test_lookup() -> None:
    users = await people()
    await Archived(id=users[0].id, name="x").persist()
    query = User.filter().sort("name").lookup(Archived, as_="old")
    rows = await query.load_many()
    assert [len(row["old"]) for row in rows] == [1, 0, 0, 0]
    stages = AggregationStages().match(fld["name"] == "y")
    assert (await User.filter().sort("name").lookup(Archived, pipeline=stages).load_many())[0][
        "archive"
    ] == []


async def test_group_by() -> None:
    await people()
    groups = User.filter().group_by("address.city").acc(n=lm.count(), old=fld["age"].max())
    assert await groups.sort("-n", "_id").load_many() == [
        {"_id": "Prague", "n": 2, "old": 30},
        {"_id": None, "n": 1, "old": 40},
        {"_id": "Brno", "n": 1, "old": 20},
    ]
    (whole,) = await User.filter().group_by().acc(avg=fld["age"].avg(), n={"$sum": 1}).load_many()
    assert whole == {"_id": None, "avg": 30.0, "n": 4}
    assert await groups.filter(fld["n"] > 1).count() == 1


async def test_aggregation_gives_dicts_and_into_gives_objects() -> None:
    await people()
    stages = AggregationStages().group({"_id": "$address.city"}, n={"$sum": 1}).sort("-n", "_id")
    assert await User.agg(stages).load_one() == {"_id": "Prague", "n": 2}
    totals = User.agg(stages).into(Total)
    assert await totals.load_many() == [
        Total(_id="Prague", n=2), Total(_id=None, n=1), Total(_id="Brno", n=1),
    ]  # fmt: skip
    assert await totals.filter(fld["n"] > 1).load_one() == Total(_id="Prague", n=2)
    assert [row async for row in totals.limit(1).stream()] == [Total(_id="Prague", n=2)]
    assert await totals.filter(fld["n"] > 9).load_one() is None
    with pytest.raises(lm.InvalidDocument):
        await User.agg(stages.unset("n")).into(Total).load_many()


async def test_aggregation_into_a_persistable_model() -> None:
    users = await people()
    (ann,) = await User.filter(fld["name"] == "Ann").project("name").into(Archived).load_many()
    assert (ann.id, ann.name) == (users[0].id, "Ann")
    await ann.persist()
    assert await Archived.filter().count() == 1


async def test_is_within() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    for name, offset in (("before", -1), ("start", 0), ("last", 59_999), ("end", 60_000)):
        await User(name=name, seen=noon + timedelta(milliseconds=offset)).persist()
    await User(name="never").persist()
    minute = TimeQuery(noon, noon + timedelta(minutes=1))
    assert await found(fld["seen"].is_within(minute)) == {"start", "last"}
    assert await found(~fld["seen"].is_within(minute)) == {"before", "end", "never"}
    assert await found(fld["seen"].is_within(TimeQuery())) == {"before", "start", "last", "end"}
    assert await found(fld["seen"].is_within(TimeQuery.before(noon))) == {"before"}
    assert await found(fld["created_at"].is_within(TimeQuery.last(minutes=5))) == {
        "before", "start", "last", "end", "never",
    }  # fmt: skip


def point(longitude: float, latitude: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, latitude]}


async def places(client: Any, db: str) -> None:
    await client[db].users.create_index([("place", "2dsphere")])
    for name, longitude, latitude in (("Brno", 16.6, 49.2), ("Kolin", 15.2, 50.03)):
        await User(name=name, place=point(longitude, latitude)).persist()
    await User(name="Prague", place=point(14.42, 50.08)).persist()
    await User(name="nowhere").persist()


async def test_near_gives_the_nearest_first(client: Any, db: str) -> None:
    await places(client, db)
    prague = (14.42, 50.08)
    near = fld["place"].near(prague, max_distance=100_000)
    assert await names(User.filter(near)) == ["Prague", "Kolin"]
    assert await names(User.filter(fld["place"].near(point(*prague), min_distance=1_000))) == [
        "Kolin", "Brno",
    ]  # fmt: skip
    assert await User.filter(near).exists() is True
    assert await names(User.filter(near, fld["name"] != "Kolin").limit(1)) == ["Prague"]


async def test_near_can_be_counted_and_limited(client: Any, db: str) -> None:
    await places(client, db)
    near = User.filter(fld["place"].near((14.42, 50.08), max_distance=100_000))
    assert await near.count() == 2
    assert await near.limit(1).count() == 1


async def test_within_an_area(client: Any, db: str) -> None:
    await places(client, db)
    assert await found(fld["place"].within(center=(14.42, 50.08), radius=60_000)) == {
        "Prague", "Kolin",
    }  # fmt: skip
    box = [[[16, 49], [17, 49], [17, 50], [16, 50], [16, 49]]]
    area = fld["place"].within({"type": "Polygon", "coordinates": box})
    assert await found(area) == {"Brno"}
    assert await User.filter(area).count() == 1


async def test_text(client: Any, db: str) -> None:
    await client[db].users.create_index([("name", "text")])
    for name in ("green tea", "black coffee", "black tea"):
        await User(name=name, age=len(name)).persist()
    assert await found(lm.text("tea")) == {"green tea", "black tea"}
    assert await found(lm.text("tea -green")) == {"black tea"}
    assert await found(lm.text('"black tea"') & (fld["age"] > 3)) == {"black tea"}
    assert await User.filter(lm.text("COFFEE", case_sensitive=True)).exists() is False


async def test_none_means_null_or_missing(client: Any, db: str) -> None:
    await client[db].users.insert_many(
        [{"name": "null", "born": None}, {"name": "missing"}, {"name": "there", "born": 3}]
    )
    docs = client[db].users
    assert await docs.count_documents({}) == 3

    async def asked(condition: Any) -> set[str]:
        return {doc["name"] for doc in await User.filter(condition).load_docs()}

    born = fld["born"]
    assert await asked(born == None) == await asked(born.is_null()) == {"null", "missing"}
    assert await asked(born != None) == await asked(born.is_not_null()) == {"there"}
    assert await asked(born.is_exists()) == {"null", "there"}
    assert await asked(born.is_not_exists()) == {"missing"}
    assert await asked(born.is_in([None])) == {"null", "missing"}
    assert await asked(born.is_null() & born.is_exists()) == {"null"}
    assert await asked(lambda u: u.born == None) == {"null", "missing"}


@pytest.mark.parametrize(
    "value", [{"$ne": None}, {"$where": "1"}, {"$gt": ""}, {}, "$name"], ids=repr
)
async def test_value_that_looks_like_an_operator_is_found_literally(value: Any) -> None:
    await User(name="it", meta={"v": value}).persist()
    await User(name="other", meta={"v": {"a": 1}}).persist()
    await User(name="none", meta={}).persist()
    field = fld["meta.v"]
    assert await found(field == value) == {"it"}
    assert await found(field.is_in([value])) == {"it"}
    assert await found(field.is_in([value, {"a": 1}])) == {"it", "other"}
    assert await found(field.is_not_in([value])) == {"other", "none"}
    assert await found(field != value) == {"other", "none"}
    assert await found(~(field == value)) == {"other", "none"}
    assert await found(fld["name"] == value) == set()


async def test_enum_decimal_and_date_literals() -> None:
    await User(name="a", color=Color.RED, price=Decimal("1.50"), born=date(2020, 1, 1)).persist()
    await User(name="b", color=Color.BLUE, price=Decimal(10), born=date(2021, 1, 1)).persist()
    assert await found(fld["color"] == Color.BLUE) == {"b"}
    assert await found(fld["color"].is_enum(Color)) == {"a", "b"}
    assert await found(fld["price"] == Decimal("1.5")) == {"a"}
    assert await found(fld["price"] > 2) == {"b"}
    assert await found(fld["price"].is_in([Decimal(10)])) == {"b"}
    assert await found(fld["born"] < date(2020, 6, 1)) == {"a"}
    assert await found(fld["born"] == date(2021, 1, 1)) == {"b"}


async def test_ids_and_normalised_literals() -> None:
    user = User(name="a", email="Ann@X.org")
    await user.persist()
    assert await found(fld["id"] == str(user.id)) == {"a"}
    assert await found(fld["_id"].is_in([user.id])) == {"a"}
    assert await found(fld["email"] == "ANN@x.ORG") == {"a"}
    assert await found(fld["email"].starts_with("ANN")) == {"a"}
    assert await found(lambda u: u.email.endswith("X.ORG")) == {"a"}


async def test_text_operators_are_literal() -> None:
    for name in ("a.b", "axb", "A.B", "a.b\n", "(a.b)"):
        await User(name=name).persist()
    assert await found(fld["name"].contains("a.b")) == {"a.b", "a.b\n", "(a.b)"}
    assert await found(fld["name"].contains("a.b", ignore_case=True)) == {
        "a.b", "a.b\n", "(a.b)", "A.B",
    }  # fmt: skip
    assert await found(fld["name"].starts_with("a.")) == {"a.b", "a.b\n"}
    assert await found(fld["name"].ends_with(".b")) == {"a.b"}
    assert await found(fld["name"].matches("^a.b$", "i")) == {"a.b", "axb", "A.B", "a.b\n"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(int, {"int", "long"}), (float, {"float"}), (str, {"str"}), ("bool", {"bool"})],
)
async def test_is_type(kind: Any, expected: set[str]) -> None:
    values = {"int": 1, "long": 2**40, "float": 1.5, "str": "x", "bool": True}
    await User.persist_many([User(name=name, meta={"v": value}) for name, value in values.items()])
    assert await found(fld["meta.v"].is_type(kind)) == expected


async def scored() -> None:
    for name, scores in (("one", [1]), ("two", [1, 2]), ("three", [1, 3]), ("none", [])):
        await User(name=name, scores=scores).persist()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ((element > 1) & (element < 3), {"two"}),
        (~(element < 2), {"two", "three"}),
        ((element == 2) | (element == 3), {"two", "three"}),
        (element.is_not_in([1, 2]), {"three"}),
    ],
    ids=repr,
)
async def test_one_plain_element_meets_the_whole_condition(
    condition: Any, expected: set[str]
) -> None:
    await scored()
    assert await found(fld["scores"].elem_match(condition)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (~((element == 1) | (element == 2)), {"three"}),
        (~(element < 2) & ~(element > 2), {"two"}),
        ((element > 1) & ((element == 2) | (element == 1)), {"two"}),
        ((element > 0) & (element > 1), {"two", "three"}),
        (element.is_in([{"$ne": None}, 1]), {"one", "two", "three"}),
    ],
    ids=repr,
)
async def test_condition_on_plain_elements_is_right_or_refused(
    condition: Any, expected: set[str]
) -> None:
    await scored()
    try:
        names = await found(fld["scores"].elem_match(condition))
    except lm.QueryError:
        return
    assert names == expected


async def test_computed_conditions_are_joined() -> None:
    await people()
    young = lm.raw({"$expr": {"$lt": ["$age", 35]}})
    tagged = lm.raw({"$expr": {"$gt": [{"$size": "$tags"}, 0]}})
    assert await found(young & tagged) == {"Ann", "Bea"}
