"""Conditions, run on the server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import loom_async as lm
from loom_async import TimeQuery, element, fld
from tests.aio.shop import Color, User, found, names, people
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


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


async def test_near_sorts_the_nearest_first(client: Any, db: str) -> None:
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


@pytest.mark.parametrize(
    "condition",
    [
        {"place": {"$nearSphere": point(14.42, 50.08), "$maxDistance": 100_000}},
        {"$and": [{"place": {"$geoNear": point(14.42, 50.08), "$maxDistance": 100_000}}]},
        {"$where": "this.place && this.place.coordinates[0] < 16"},
        {"$or": [{"name": "Prague"}, {"$where": "this.name == 'Kolin'"}]},
    ],
    ids=lambda condition: next(iter(condition)),
)
async def test_operators_that_aggregations_refuse_are_counted(
    condition: dict[str, Any], client: Any, db: str
) -> None:
    await places(client, db)
    query = User.filter(lm.raw(condition))
    assert await query.count() == len(await query.load_many()) == 2


@pytest.mark.parametrize("value", ["$near", {"$near": [0, 0]}, ["$nearSphere"], {"a": "$where"}])
async def test_a_value_with_the_name_of_an_operator_is_counted(value: Any, client: Any) -> None:
    await User(name="there", meta={"v": value}).persist()
    query = User.filter(fld["meta.v"] == value)
    with commands_of(client, "aggregate") as sent:
        assert await query.count() == 1
        async with lm.transaction():  # which has no count command
            assert await query.count() == 1
    assert len(sent) == 2


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

    async def found_by(condition: Any) -> set[str]:
        return {doc["name"] for doc in await User.filter(condition).load_docs()}

    born = fld["born"]
    assert await found_by(born == None) == await found_by(born.is_null()) == {"null", "missing"}
    assert await found_by(born != None) == await found_by(born.is_not_null()) == {"there"}
    assert await found_by(born.is_exists()) == {"null", "there"}
    assert await found_by(born.is_not_exists()) == {"missing"}
    assert await found_by(born.is_in([None])) == {"null", "missing"}
    assert await found_by(born.is_null() & born.is_exists()) == {"null"}
    assert await found_by(lambda u: u.born == None) == {"null", "missing"}


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


def named(value: object) -> str:
    """Return the name of a test's parameter, the same in every run."""
    return " ".join(sorted(value)) if isinstance(value, set) else repr(value)


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
    ids=named,
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
    ids=named,
)
async def test_condition_on_plain_elements_is_correct_or_refused(
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
