# Generated from tests/aio/test_frames_load.py by `nox -s sync`: edit that file.
"""Query results as tables and frames: complete and exact, whichever way they are read."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bson import ObjectId
from bson.int64 import Int64
from pydantic import BaseModel
from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

import loom_sync as lm
from loom_sync import AggregationStages, fld
from loom_sync.collections.find import collection_of
from loom_sync.frames import batches
from loom_sync.operations import read_commands
from loom_sync.operations.read_commands import reads_by_commands
from loom_sync.operations.target import Target, target_of
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str
    zip: int | None = None


@lm.declare_persist_db("shop", "people")
class Person(lm.Persistable):
    name: str
    age: int = 0
    score: float = 0.0
    key: UUID | None = None
    price: Decimal = Decimal(0)
    born: dt.date | None = None
    tags: list[str] = []
    counts: dict[str, int] = {}
    address: Address | None = None


def people(count: int) -> list[Person]:
    made = [
        Person(
            name=f"p{n}", age=n, score=n / 3, key=uuid4(), price=Decimal(n) / 4,
            born=dt.date(1950 + n % 60, 1, 1), tags=["a", "b"][: n % 3], counts={"x": n},
            address=None if n % 4 == 0 else Address(city="Prague", zip=n if n % 3 else None),
        )
        for n in range(count)
    ]  # fmt: skip
    Person.persist_many(made)
    return made


def expected(person: Person) -> dict[str, Any]:
    return {"_id": person.id, **person.model_dump(exclude={"id"})}


def test_load_table() -> None:
    made = people(20)
    table = Person.filter(fld["age"] >= 5).sort("age").load_table()
    assert table.schema == Person.get_arrow_schema()
    rows = table.to_pylist(maps_as_pydicts="strict")
    assert rows == [expected(person) for person in made[5:]]


def test_load_dataframe() -> None:
    made = people(20)
    frame = Person.filter().sort("age").load_dataframe()
    assert frame.index.name == "_id"
    assert list(frame.index) == [person.id for person in made]
    assert frame.loc[made[3].id, "name"] == "p3"
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds == {
        "created_at": "datetime64[ms, UTC]", "updated_time": "datetime64[ms, UTC]", "name": "str",
        "age": "int64", "score": "float64", "key": "object", "price": "object", "born": "object",
        "tags": "object", "counts": "object", "address": "object",
    }  # fmt: skip
    for (key, row), person in zip(frame.iterrows(), made, strict=True):
        assert {"_id": key, **row} == expected(person)


def test_numbers_with_nulls_stay_exact_in_pandas() -> None:
    collection = collection_of(Person)
    big = 2**53 + 1
    collection.insert_many(
        [
            {"name": "a", "age": big, "score": float("nan")},
            {"name": None, "age": None, "score": None},
        ]
    )
    frame = Person.filter().load_dataframe()
    assert frame["age"].iloc[0] == big
    assert frame["age"].iloc[1] is pd.NA
    assert repr(list(frame["score"])) == "[nan, None]"
    assert list(frame["name"].isna()) == [False, True]


def test_load_polars() -> None:
    made = people(20)
    frame = Person.filter().sort("age").load_polars()
    assert frame.schema["age"] == pl.Int64
    assert frame.schema["price"] == pl.Decimal(38, 18)
    assert frame["key"].to_list() == [person.key for person in made]
    assert frame["price"].to_list() == [person.price for person in made]
    assert frame["born"].to_list() == [person.born for person in made]
    assert frame["address"].to_list() == [
        person.address and person.address.model_dump() for person in made
    ]
    assert frame["_id"].to_list() == [str(person.id) for person in made]


def test_an_empty_result_has_the_columns() -> None:
    query = Person.filter(fld["age"] > 5)
    assert query.load_table().schema == Person.get_arrow_schema()
    assert list(query.load_dataframe().columns) == Person.get_arrow_schema().names[1:]
    assert query.load_polars().columns == Person.get_arrow_schema().names
    assert query.limit(0).load_table().num_rows == 0
    assert list(query.load_batches()) == []


def test_load_batches() -> None:
    made = people(25)
    sizes, names = [], []
    for batch in Person.filter().sort("age").load_batches(rows=10):
        sizes.append(batch.num_rows)
        names += batch.column("name").to_pylist()
    assert sizes == [10, 10, 5]
    assert names == [person.name for person in made]


def test_reshaped_results_are_inferred() -> None:
    people(8)
    grouped = Person.filter().group_by("address.city").acc(n=lm.count(), oldest=fld["age"].max())
    rows = grouped.sort("_id").load_table().to_pylist()
    assert rows == [{"_id": None, "n": 2, "oldest": 4}, {"_id": "Prague", "n": 6, "oldest": 7}]
    frame = Person.filter().sort("age").project("name", "-id").limit(2).load_dataframe()
    assert frame.to_dict("list") == {"name": ["p0", "p1"]}


def test_aggregate_arrow() -> None:
    people(4)
    stages = AggregationStages().sort("age").project({"_id": 0, "age": 1})
    assert Person.aggregate_arrow(stages).to_pydict() == {"age": [0, 1, 2, 3]}
    schema = pa.schema([("age", pa.float64()), ("none", pa.string())])
    table = Person.aggregate_arrow(stages.to_list(), schema=schema)
    assert table.schema == schema
    assert table.to_pydict() == {"age": [0.0, 1.0, 2.0, 3.0], "none": [None] * 4}
    assert Person.aggregate_arrow([]).num_rows == 4


def test_a_schema_of_ones_own() -> None:
    class Ages(Person):
        @classmethod
        def get_arrow_schema(cls) -> pa.Schema:
            return pa.schema([("age", pa.int32())])

    people(3)
    lm.declare_persist_db("shop", "people")(Ages)
    table = Ages.filter().sort("age").load_table()
    assert table == pa.table({"age": pa.array([0, 1, 2], pa.int32())})


def test_what_would_be_lost_is_refused() -> None:
    collection = collection_of(Person)
    people(2)
    odd = ObjectId()
    collection.insert_one({"_id": odd, "name": "odd", "age": 2.5})
    with pytest.raises(lm.LossyConversion) as caught:
        Person.filter().load_table()
    assert (caught.value.field, caught.value.types, caught.value.id) == ("age", ("double",), odd)
    with pytest.raises(lm.LossyConversion, match="age holds double"):
        Person.filter().load_dataframe()
    widened = Person.filter().sort("_id").load_table(on_mismatch="widen")
    assert widened.column("age").to_pylist() == [0.0, 1.0, 2.5]
    nulled = Person.filter().sort("_id").load_table(on_mismatch="null")
    assert nulled.column("age").to_pylist() == [0, 1, None]
    assert json.loads(nulled.schema.metadata[b"loom.nulled"]) == {"age": 1}


def test_batches_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 2)
    people(4)
    collection = collection_of(Person)
    collection.insert_one({"name": "odd", "age": "x"})
    found = Person.filter().load_batches(rows=2, on_mismatch="widen")
    assert [next(found).num_rows, next(found).num_rows] == [2, 2]
    with pytest.raises(lm.LossyConversion, match="age holds string"):
        next(found)


@pytest.mark.parametrize("stages", [False, True])
def test_both_ways_to_the_server_give_the_same(
    stages: bool, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 7)
    people(30)
    query = Person.filter(fld["age"] > 2).sort("age", descending=True).skip(1).limit(24)
    if stages:
        query = query.sample(40).sort("age")
    by_commands = query.load_table()
    with commands_of(client) as sent:
        query.load_table()
    first = "aggregate" if stages else "find"
    assert [next(iter(command)) for command in sent] == [first, *["getMore"] * 3]
    monkeypatch.setattr(read_commands, "_ONE_SERVER", set())
    by_cursor = query.load_table()
    assert by_commands == by_cursor
    assert by_commands.num_rows == 24


def test_secondary_reads_take_the_ordinary_way(client: Any, db: str) -> None:
    people(3)
    collection = collection_of(Person).with_options(read_preference=ReadPreference.NEAREST)
    spec = Person.filter()._spec
    assert reads_by_commands(Target(collection)) is False
    assert reads_by_commands(target_of(Person)) is True
    streams = list(batches.raw_batches(Target(collection), spec))
    assert len(streams) == 1


def test_an_iterator_that_is_left_closes_its_cursor(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_SIZE", 2)
    people(20)

    streams = batches.raw_batches(target_of(Person), Person.filter()._spec)
    with commands_of(client) as sent:
        for _ in streams:
            break
        streams.close()
    assert [next(iter(command)) for command in sent] == ["find", "killSessions"]
    status = client.admin.command("serverStatus")
    assert status["metrics"]["cursor"]["open"]["total"] == 0


def test_large_integers_and_times() -> None:
    collection = collection_of(Person)
    old = dt.datetime(1500, 1, 1, tzinfo=dt.UTC)
    collection.insert_one({"name": "x", "age": Int64(2**63 - 1), "created_at": old})
    (row,) = Person.filter().load_table().to_pylist()
    assert (row["age"], row["created_at"]) == (2**63 - 1, old)
    frame = Person.filter().load_dataframe()
    assert frame["age"].iloc[0] == 2**63 - 1
    assert frame["created_at"].iloc[0] == old


def test_uuids_in_a_query() -> None:
    (person, *_) = people(3)
    table = Person.filter(fld["key"] == person.key).load_table()
    assert table.column("name").to_pylist() == ["p0"]


def test_the_read_concern_of_the_collection_is_kept(client: Any) -> None:
    concern = ReadConcern("majority")
    collection = collection_of(Person).with_options(read_concern=concern)
    with commands_of(client, "find") as sent:
        for _ in batches.raw_batches(Target(collection), Person.filter()._spec):
            pass
    assert sent[0]["readConcern"] == {"level": "majority"}


def test_a_projection_to_nothing_keeps_its_rows() -> None:
    people(3)
    collection = collection_of(Person)
    collection.update_many({}, {"$unset": {"name": 1}})
    assert len(Person.filter().project("name", "-id").load_dataframe()) == 3


def test_counts_of_what_was_nulled_come_with_the_frame() -> None:
    collection_of(Person).insert_one({"name": "x", "age": "old"})
    frame = Person.filter().load_dataframe(on_mismatch="null")
    assert frame.attrs == {"loom.nulled": {"age": 1}}


def test_arguments_are_checked() -> None:
    with pytest.raises(lm.QueryError, match="rows"):
        Person.filter().load_batches(rows=0)
    wrong: Any = "nul"
    with pytest.raises(lm.QueryError, match='did you mean "null"'):
        Person.filter().load_table(on_mismatch=wrong)
    with pytest.raises(lm.QueryError, match="on_duplicate"):
        Person.insert_dataframe(pd.DataFrame(), on_duplicate=wrong)
    with pytest.raises(lm.QueryError, match="on_error"):
        Person.update_dataframe(pd.DataFrame(), on_error=wrong)


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    people(3)
    Person.filter().load_dataframe(progress=True)
    assert "load Person: 3.00 rows" in capsys.readouterr().err
    with lm.config_context(progress=True):
        assert [batch.num_rows for batch in Person.filter().load_batches()] == [3]
    assert "load Person: 3.00 rows" in capsys.readouterr().err
    Person.filter().load_polars()
    assert capsys.readouterr().err == ""
