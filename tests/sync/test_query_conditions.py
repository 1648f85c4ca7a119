# Generated from tests/aio/test_query_conditions.py by `nox -s sync`: edit that file.
"""Conditions, run on the server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import loom_sync as lm
from loom_sync import TimeQuery, element, fld
from tests.commands import commands_of
from tests.sync.shop import Color, User, found, names, people

pytestmark = pytest.mark.usefixtures("db")


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


def test_near_sorts_the_nearest_first(client: Any, db: str) -> None:
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
def test_operators_that_aggregations_refuse_are_counted(
    condition: dict[str, Any], client: Any, db: str
) -> None:
    places(client, db)
    query = User.filter(lm.raw(condition))
    assert query.count() == len(query.load_many()) == 2


@pytest.mark.parametrize("value", ["$near", {"$near": [0, 0]}, ["$nearSphere"], {"a": "$where"}])
def test_a_value_with_the_name_of_an_operator_is_counted(value: Any, client: Any) -> None:
    User(name="there", meta={"v": value}).persist()
    query = User.filter(fld["meta.v"] == value)
    with commands_of(client, "aggregate") as sent:
        assert query.count() == 1
        with lm.transaction():  # which has no count command
            assert query.count() == 1
    assert len(sent) == 2


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

    def found_by(condition: Any) -> set[str]:
        return {doc["name"] for doc in User.filter(condition).load_docs()}

    born = fld["born"]
    assert found_by(born == None) == found_by(born.is_null()) == {"null", "missing"}
    assert found_by(born != None) == found_by(born.is_not_null()) == {"there"}
    assert found_by(born.is_exists()) == {"null", "there"}
    assert found_by(born.is_not_exists()) == {"missing"}
    assert found_by(born.is_in([None])) == {"null", "missing"}
    assert found_by(born.is_null() & born.is_exists()) == {"null"}
    assert found_by(lambda u: u.born == None) == {"null", "missing"}


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


def named(value: object) -> str:
    """Return the name of a test's parameter, the same in every run."""
    return " ".join(sorted(value)) if isinstance(value, set) else repr(value)


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
    ids=named,
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
    ids=named,
)
def test_condition_on_plain_elements_is_correct_or_refused(
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
