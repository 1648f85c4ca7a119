# Generated from tests/aio/test_query.py by `nox -s sync`: edit that file, not this one.
"""Queries against the server."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field

import loom_sync as lm
from loom_sync import AggregationStages, TimeQuery, element, fld
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


def people() -> list[User]:
    users = [
        User(name="Ann", age=30, tags=["a", "b"], address=Address(city="Prague")),
        User(name="Bea", age=20, tags=["b"], address=Address(city="Brno")),
        User(name="Cid", age=30, tags=[], address=Address(city="Prague")),
        User(name="Dan", age=40),
    ]
    User.persist_many(users)
    return users


def names(query: Any) -> list[str]:
    return [user.name for user in query.load_many()]


def found(condition: Any) -> set[str]:
    return set(names(User.filter(condition)))


def test_load_many_gives_loaded_objects() -> None:
    users = people()
    loaded = User.filter(fld["age"] >= 30).sort("name").load_many()
    assert loaded == [users[0], users[2], users[3]]
    assert loaded[0].persist() is False


def test_lambda_form() -> None:
    people()
    query = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague")).sort("name")  # type: ignore[union-attr]
    assert names(query) == ["Ann", "Cid"]
    assert names(User.filter(lambda u: lm.fld(u.name).contains("e") & (u.age < 25))) == ["Bea"]


def test_query_can_be_used_again() -> None:
    people()
    query = User.filter(fld["age"] == 30).sort("name")
    older = query.filter(fld["name"] > "B")
    assert names(query) == ["Ann", "Cid"]
    assert names(older) == ["Cid"]
    assert query.limit(1).count() == 1
    assert names(query) == ["Ann", "Cid"]


def test_load_one() -> None:
    users = people()
    assert User.filter().sort("-age").load_one() == users[3]
    assert User.filter().sort("name").skip(1).load_one() == users[1]
    assert User.filter(fld["age"] > 99).load_one() is None
    assert User.filter().limit(0).load_one() is None


def test_load_latest_is_the_newest() -> None:
    for name, age in (("Ann", 30), ("Bea", 20), ("Cid", 30), ("Dan", 10)):
        User(name=name, age=age).persist()
    newest = User.filter().load_latest()
    assert newest is not None
    assert newest.name == "Dan"
    assert [u.name for u in User.filter().load_latest(2)] == ["Dan", "Cid"]
    assert [u.name for u in User.filter(fld["age"] == 30).load_top(9)] == ["Cid", "Ann"]
    assert [u.name for u in User.filter().sort("age").load_latest(2)] == ["Dan", "Bea"]
    assert User.filter(fld["age"] > 99).load_latest() is None


def test_load_latest_of_a_limited_query_is_limited() -> None:
    people()
    assert len(User.filter().limit(1).load_latest(3)) == 1
    assert len(User.filter().limit(3).load_latest(1)) == 1


def test_load_docs_and_load_aggregate_give_what_is_stored() -> None:
    User(name="Ann", price=Decimal("1.5"), alias="x").persist()
    (doc,) = User.filter().load_docs()
    assert list(User.filter().load_aggregate()) == [doc]
    assert doc["storedAs"] == "x"
    assert str(doc["price"]) == "1.5"
    assert isinstance(doc["_id"], ObjectId)


def test_stream_gives_objects_one_after_another() -> None:
    users = people()
    assert list(User.filter().sort("name").stream()) == users
    assert list(User.filter().limit(0).stream()) == []
    for user in User.filter().sort("name").stream():
        assert user == users[0]
        break


def test_count_respects_skip_and_limit() -> None:
    people()
    everyone = User.filter()
    assert everyone.count() == 4
    assert everyone.skip(1).count() == 3
    assert everyone.skip(9).count() == 0
    assert everyone.limit(2).count() == 2
    assert everyone.skip(3).limit(2).count() == 1
    assert everyone.limit(0).count() == 0
    assert everyone.sample(3).count() == 3
    assert everyone.sample(3).limit(0).count() == 0
    assert everyone.group_by("age").acc().count() == 3
    assert User.filter(fld["age"] == 30).count() == 2


def test_limit_of_zero_gives_nothing() -> None:
    people()
    for query in (User.filter().limit(0), User.filter().sample(4).limit(0)):
        assert query.load_many() == []
        assert query.load_docs() == []
        assert query.exists() is False


def test_exists() -> None:
    people()
    assert User.filter(fld["age"] == 30).exists() is True
    assert User.filter(fld["age"] == 31).exists() is False
    assert User.filter().skip(4).exists() is False
    assert User.filter().group_by("age").acc().exists() is True


def test_distinct() -> None:
    people()
    assert sorted(User.filter().distinct("age")) == [20, 30, 40]
    assert sorted(User.filter().distinct("tags")) == ["a", "b"]
    assert sorted(User.filter().distinct(fld["address.city"])) == ["Brno", "Prague"]
    assert len(User.filter().distinct("id")) == 4
    assert User.filter(fld["age"] > 30).distinct("name") == ["Dan"]
    assert User.filter().distinct("price") == [Decimal(0)]
    assert sorted(User.filter().sort("age").limit(2).distinct("name")) == ["Ann", "Bea"]
    with pytest.raises(lm.UnknownFieldError):
        User.filter().distinct("agee")


def test_distinct_of_a_limited_query_is_that_of_its_results() -> None:
    User(name="x", born=None, meta={"a": [{"b": 1}, {"b": 2}]}).persist()
    everyone, limited = User.filter(), User.filter().limit(9)
    for path in ("born", "meta.a.b", "meta.a.0.b"):
        assert sorted(map(repr, limited.distinct(path))) == sorted(
            map(repr, everyone.distinct(path))
        )


def test_explain_shows_the_plan() -> None:
    people()
    plan = User.filter(fld["id"] == ObjectId()).sort("age").limit(3).explain()
    assert "queryPlanner" in plan
    stats = User.filter(fld["age"] == 30).explain("executionStats")
    assert stats["executionStats"]["nReturned"] == 2
    assert User.filter().group_by("age").acc().explain()


def test_update_by_mapping_and_by_keywords() -> None:
    people()
    assert User.filter(fld["age"] == 30).update({"address.city": "Brno"}, name="X") == 2
    assert User.filter(fld["address.city"] == "Brno").count() == 3
    count = User.filter(fld["name"] == "X").update(name="X", age=30)
    assert (count.matched, count.modified) == (2, 2)
    assert User.filter(fld["age"] > 99).update(age=1) == 0


def test_update_by_operators() -> None:
    (user, *_) = people()
    mine = User.filter(fld["id"] == user.id)
    mine.update({"$inc": {"age": 5}, "$push": {"tags": {"$each": ["c", "d"]}}})
    mine.update({"$pull": {"tags": "a"}, "$unset": {"address": ""}}, email="A@B")
    user.reload()
    assert (user.age, user.tags, user.address, user.email) == (35, ["b", "c", "d"], None, "a@b")


def test_update_refreshes_the_time_of_the_last_write() -> None:
    user = User(name="Ann")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    user.persist()
    with lm.config_context(clock=lambda: later):
        User.filter().update(age=1)
    user.reload()
    assert user.updated_time == later
    assert user.created_at < later
    User.filter().update(updated_time=later - timedelta(days=1))
    user.reload()
    assert user.updated_time == later - timedelta(days=1)


def test_update_encodes_values() -> None:
    user = User(name="Ann")
    user.persist()
    User.filter().update(
        {"meta.x": {"$ne": None}},
        color=Color.BLUE, price=Decimal("2.50"), born=date(2020, 1, 1), alias="z",
        address=Address(city="Brno"),
    )  # fmt: skip
    user.reload()
    assert (user.color, user.price, user.born) == (Color.BLUE, Decimal("2.50"), date(2020, 1, 1))
    assert user.meta == {"x": {"$ne": None}}
    assert (user.alias, user.address) == ("z", Address(city="Brno"))


@pytest.mark.parametrize(
    "values",
    [{"agee": 1}, {"$inc": {"agee": 1}}, {"address.ciy": "x"}, {"$unset": {"agee": ""}}],
)
def test_update_of_an_unknown_field_is_refused(values: Any, client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(lm.UnknownFieldError):
        User.filter().update(values)
    assert sent == []


@pytest.mark.parametrize(
    "values", [None, {}, {"$set": {}}, {"age": 1, "$inc": {"age": 1}}, {"$inc": 3}, {"id": 3}]
)
def test_update_that_says_nothing_sensible_is_refused(values: Any) -> None:
    with pytest.raises(lm.QueryError):
        User.filter().update(values)


def test_delete() -> None:
    people()
    assert User.filter(fld["age"] == 30).delete() == 2
    assert User.filter(fld["age"] == 30).delete() == 0
    assert User.filter().delete() == 2
    assert User.filter().count() == 0


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
def test_bulk_writes_take_filters_alone(query: Any) -> None:
    people()
    with pytest.raises(lm.QueryError):
        query.delete()
    with pytest.raises(lm.QueryError):
        query.update(age=1)
    assert User.filter(fld["age"] != 1).count() == 4


def test_merge_into_adds_and_changes() -> None:
    users = people()
    Archived(id=users[0].id, name="old").persist()
    User.filter().project("name").merge_into(Archived)
    assert sorted(names(Archived.filter())) == ["Ann", "Bea", "Cid", "Dan"]
    User.filter().project("age").merge_into("archive", when_matched="keepExisting")
    (
        User.filter()
        .project("name")
        .merge_into(
            Archived,
            when_matched=AggregationStages().set(name="$$new.age"),
            when_not_matched="discard",
        )
    )
    assert Archived.filter().count() == 4


def test_out_replaces() -> None:
    people()
    Archived(name="old").persist()
    User.filter(fld["age"] == 30).sort("name").project("name").out(Archived)
    assert sorted(names(Archived.filter())) == ["Ann", "Cid"]


def test_sort() -> None:
    people()
    assert names(User.filter().sort("-age", "name")) == ["Dan", "Ann", "Cid", "Bea"]
    assert names(User.filter().sort("age").sort("-name")) == ["Bea", "Cid", "Ann", "Dan"]
    assert names(User.filter().sort("age", "name", descending=True)) == [
        "Dan", "Cid", "Ann", "Bea",
    ]  # fmt: skip
    assert names(User.filter().sort("name").skip(1).limit(2)) == ["Bea", "Cid"]


def test_sample() -> None:
    users = people()
    assert len(User.filter().sample(2).load_many()) == 2
    sampled = User.filter().sample(9).sort("name").load_many()
    assert sampled == users
    assert User.filter(fld["age"] == 30).sample(9).filter(fld["name"] == "Bea").count() == 0


def test_project() -> None:
    people()
    ann = User.filter(fld["name"] == "Ann")
    assert ann.project("name", "-id").load_many() == [{"name": "Ann"}]
    assert ann.project("-id", old={"$gt": ["$age", 25]}, n=fld["name"]).load_many() == [
        {"old": True, "n": "Ann"}
    ]


def test_add_fields() -> None:
    people()
    rows = User.filter().add_fields(double={"$multiply": ["$age", 2]}).sort("-double").load_many()
    assert [row["double"] for row in rows] == [80, 60, 60, 40]
    kept = User.filter().add_fields(key=fld["id"]).filter(fld["key"].is_exists())
    assert kept.count() == 4


def test_lookup() -> None:
    users = people()
    Archived(id=users[0].id, name="x").persist()
    query = User.filter().sort("name").lookup(Archived, as_="old")
    rows = query.load_many()
    assert [len(row["old"]) for row in rows] == [1, 0, 0, 0]
    stages = AggregationStages().match(fld["name"] == "y")
    assert (
        User.filter().sort("name").lookup(Archived, pipeline=stages).load_many()[0]["archive"] == []
    )


def test_group_by() -> None:
    people()
    groups = User.filter().group_by("address.city").acc(n=lm.count(), old=fld["age"].max())
    assert groups.sort("-n", "_id").load_many() == [
        {"_id": "Prague", "n": 2, "old": 30},
        {"_id": None, "n": 1, "old": 40},
        {"_id": "Brno", "n": 1, "old": 20},
    ]
    (whole,) = User.filter().group_by().acc(avg=fld["age"].avg(), n={"$sum": 1}).load_many()
    assert whole == {"_id": None, "avg": 30.0, "n": 4}
    assert groups.filter(fld["n"] > 1).count() == 1


def test_aggregation_gives_dicts_and_into_gives_objects() -> None:
    people()
    stages = AggregationStages().group({"_id": "$address.city"}, n={"$sum": 1}).sort("-n", "_id")
    assert User.agg(stages).load_one() == {"_id": "Prague", "n": 2}
    totals = User.agg(stages).into(Total)
    assert totals.load_many() == [
        Total(_id="Prague", n=2), Total(_id=None, n=1), Total(_id="Brno", n=1),
    ]  # fmt: skip
    assert totals.filter(fld["n"] > 1).load_one() == Total(_id="Prague", n=2)
    assert list(totals.limit(1).stream()) == [Total(_id="Prague", n=2)]
    assert totals.filter(fld["n"] > 9).load_one() is None
    with pytest.raises(lm.InvalidDocument):
        User.agg(stages.unset("n")).into(Total).load_many()


def test_aggregation_into_a_persistable_model() -> None:
    users = people()
    (ann,) = User.filter(fld["name"] == "Ann").project("name").into(Archived).load_many()
    assert (ann.id, ann.name) == (users[0].id, "Ann")
    ann.persist()
    assert Archived.filter().count() == 1


def test_is_within() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    for name, offset in (("before", -1), ("start", 0), ("last", 59_999), ("end", 60_000)):
        User(name=name, seen=noon + timedelta(milliseconds=offset)).persist()
    User(name="never").persist()
    minute = TimeQuery(noon, noon + timedelta(minutes=1))
    assert found(fld["seen"].is_within(minute)) == {"start", "last"}
    assert found(~fld["seen"].is_within(minute)) == {"before", "end", "never"}
    assert found(fld["seen"].is_within(TimeQuery())) == {"before", "start", "last", "end"}
    assert found(fld["seen"].is_within(TimeQuery.before(noon))) == {"before"}
    assert found(fld["created_at"].is_within(TimeQuery.last(minutes=5))) == {
        "before", "start", "last", "end", "never",
    }  # fmt: skip


def point(longitude: float, latitude: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def places(client: Any, db: str) -> None:
    client[db].users.create_index([("place", "2dsphere")])
    for name, longitude, latitude in (("Brno", 16.6, 49.2), ("Kolin", 15.2, 50.03)):
        User(name=name, place=point(longitude, latitude)).persist()
    User(name="Prague", place=point(14.42, 50.08)).persist()
    User(name="nowhere").persist()


def test_near_gives_the_nearest_first(client: Any, db: str) -> None:
    places(client, db)
    prague = (14.42, 50.08)
    near = fld["place"].near(prague, max_distance=100_000)
    assert names(User.filter(near)) == ["Prague", "Kolin"]
    assert names(User.filter(fld["place"].near(point(*prague), min_distance=1_000))) == [
        "Kolin", "Brno",
    ]  # fmt: skip
    assert User.filter(near).exists() is True
    assert names(User.filter(near, fld["name"] != "Kolin").limit(1)) == ["Prague"]


def test_near_can_be_counted_and_limited(client: Any, db: str) -> None:
    places(client, db)
    near = User.filter(fld["place"].near((14.42, 50.08), max_distance=100_000))
    assert near.count() == 2
    assert near.limit(1).count() == 1


def test_within_an_area(client: Any, db: str) -> None:
    places(client, db)
    assert found(fld["place"].within(center=(14.42, 50.08), radius=60_000)) == {
        "Prague", "Kolin",
    }  # fmt: skip
    box = [[[16, 49], [17, 49], [17, 50], [16, 50], [16, 49]]]
    area = fld["place"].within({"type": "Polygon", "coordinates": box})
    assert found(area) == {"Brno"}
    assert User.filter(area).count() == 1


def test_text(client: Any, db: str) -> None:
    client[db].users.create_index([("name", "text")])
    for name in ("green tea", "black coffee", "black tea"):
        User(name=name, age=len(name)).persist()
    assert found(lm.text("tea")) == {"green tea", "black tea"}
    assert found(lm.text("tea -green")) == {"black tea"}
    assert found(lm.text('"black tea"') & (fld["age"] > 3)) == {"black tea"}
    assert User.filter(lm.text("COFFEE", case_sensitive=True)).exists() is False


def test_none_means_null_or_missing(client: Any, db: str) -> None:
    client[db].users.insert_many(
        [{"name": "null", "born": None}, {"name": "missing"}, {"name": "there", "born": 3}]
    )
    docs = client[db].users
    assert docs.count_documents({}) == 3

    def asked(condition: Any) -> set[str]:
        return {doc["name"] for doc in User.filter(condition).load_docs()}

    born = fld["born"]
    assert asked(born == None) == asked(born.is_null()) == {"null", "missing"}
    assert asked(born != None) == asked(born.is_not_null()) == {"there"}
    assert asked(born.is_exists()) == {"null", "there"}
    assert asked(born.is_not_exists()) == {"missing"}
    assert asked(born.is_in([None])) == {"null", "missing"}
    assert asked(born.is_null() & born.is_exists()) == {"null"}
    assert asked(lambda u: u.born == None) == {"null", "missing"}


@pytest.mark.parametrize(
    "value", [{"$ne": None}, {"$where": "1"}, {"$gt": ""}, {}, "$name"], ids=repr
)
def test_value_that_looks_like_an_operator_is_found_literally(value: Any) -> None:
    User(name="it", meta={"v": value}).persist()
    User(name="other", meta={"v": {"a": 1}}).persist()
    User(name="none", meta={}).persist()
    field = fld["meta.v"]
    assert found(field == value) == {"it"}
    assert found(field.is_in([value])) == {"it"}
    assert found(field.is_in([value, {"a": 1}])) == {"it", "other"}
    assert found(field.is_not_in([value])) == {"other", "none"}
    assert found(field != value) == {"other", "none"}
    assert found(~(field == value)) == {"other", "none"}
    assert found(fld["name"] == value) == set()


def test_enum_decimal_and_date_literals() -> None:
    User(name="a", color=Color.RED, price=Decimal("1.50"), born=date(2020, 1, 1)).persist()
    User(name="b", color=Color.BLUE, price=Decimal(10), born=date(2021, 1, 1)).persist()
    assert found(fld["color"] == Color.BLUE) == {"b"}
    assert found(fld["color"].is_enum(Color)) == {"a", "b"}
    assert found(fld["price"] == Decimal("1.5")) == {"a"}
    assert found(fld["price"] > 2) == {"b"}
    assert found(fld["price"].is_in([Decimal(10)])) == {"b"}
    assert found(fld["born"] < date(2020, 6, 1)) == {"a"}
    assert found(fld["born"] == date(2021, 1, 1)) == {"b"}


def test_ids_and_normalised_literals() -> None:
    user = User(name="a", email="Ann@X.org")
    user.persist()
    assert found(fld["id"] == str(user.id)) == {"a"}
    assert found(fld["_id"].is_in([user.id])) == {"a"}
    assert found(fld["email"] == "ANN@x.ORG") == {"a"}
    assert found(fld["email"].starts_with("ANN")) == {"a"}
    assert found(lambda u: u.email.endswith("X.ORG")) == {"a"}


def test_text_operators_are_literal() -> None:
    for name in ("a.b", "axb", "A.B", "a.b\n", "(a.b)"):
        User(name=name).persist()
    assert found(fld["name"].contains("a.b")) == {"a.b", "a.b\n", "(a.b)"}
    assert found(fld["name"].contains("a.b", ignore_case=True)) == {
        "a.b", "a.b\n", "(a.b)", "A.B",
    }  # fmt: skip
    assert found(fld["name"].starts_with("a.")) == {"a.b", "a.b\n"}
    assert found(fld["name"].ends_with(".b")) == {"a.b"}
    assert found(fld["name"].matches("^a.b$", "i")) == {"a.b", "axb", "A.B", "a.b\n"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(int, {"int", "long"}), (float, {"float"}), (str, {"str"}), ("bool", {"bool"})],
)
def test_is_type(kind: Any, expected: set[str]) -> None:
    values = {"int": 1, "long": 2**40, "float": 1.5, "str": "x", "bool": True}
    User.persist_many([User(name=name, meta={"v": value}) for name, value in values.items()])
    assert found(fld["meta.v"].is_type(kind)) == expected


def scored() -> None:
    for name, scores in (("one", [1]), ("two", [1, 2]), ("three", [1, 3]), ("none", [])):
        User(name=name, scores=scores).persist()


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
def test_one_plain_element_meets_the_whole_condition(condition: Any, expected: set[str]) -> None:
    scored()
    assert found(fld["scores"].elem_match(condition)) == expected


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
def test_condition_on_plain_elements_is_right_or_refused(
    condition: Any, expected: set[str]
) -> None:
    scored()
    try:
        names = found(fld["scores"].elem_match(condition))
    except lm.QueryError:
        return
    assert names == expected


def test_computed_conditions_are_joined() -> None:
    people()
    young = lm.raw({"$expr": {"$lt": ["$age", 35]}})
    tagged = lm.raw({"$expr": {"$gt": [{"$size": "$tags"}, 0]}})
    assert found(young & tagged) == {"Ann", "Bea"}
