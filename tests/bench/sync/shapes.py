# Generated from tests/bench/shapes.py by `nox -s sync`: edit that file.
"""Loom compared to plain pymongo and pydantic, for three shapes of documents.

Run it by `nox -s bench -- shapes --rounds 9`. It persists 10,000 new objects, loads 20 to 50,000
objects, and loads, changes and stores single ones. Both sides build their objects in the timed
part. Each operation runs in alternating rounds; the ratio is the median of the rounds' ratios, and
more than 1 means that Loom is faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pymongo import MongoClient

import loom_sync as lm
from loom_sync.connection.embedded_server import start_embedded
from tests.bench.sync.rounds import HEADER, Work, arguments_of, compare, write_json
from tests.bench.sync.shape_models import DATABASE, SHAPES, Shape

_NEW = 10_000
_LOADS = (20, 1_000, 10_000, 50_000)
# A round loads about this many objects, by several loads of few or one of many.
_OBJECTS_PER_ROUND = 10_000


class Operation(NamedTuple):
    """An operation that both sides perform `count` times in each round."""

    name: str
    count: int
    plain: Work
    loom: Work
    prepare: Work


class Sides:
    """The operations on one shape, as plain pymongo and as Loom perform them.

    Parameters:
        client: The client of both.
        shape: The shape of the documents.
    """

    def __init__(self, client: Any, shape: Shape) -> None:
        self.collection: Any = client[DATABASE][shape.name]
        self.plain: Any = shape.plain
        self.loom: Any = shape.loom
        self.shape = shape
        #: The ids of the documents of the collection.
        self.ids: Sequence[Any] = ()
        self.plain_objects: list[Any] = []
        self.loom_objects: list[Any] = []
        self.rows: list[dict[str, Any]] = []

    def fill(self, count: int) -> None:
        """Have the collection hold so many documents."""
        if len(self.ids) == count:
            return
        self.collection.drop()
        rows = [self.shape.row(number) for number in range(count)]
        result = self.collection.insert_many(rows)
        self.ids = result.inserted_ids

    def load(self, count: int) -> None:
        """Load so many objects, which both sides change."""
        self.fill(count)
        self.plain_objects = self.plain_load_many()
        self.loom_objects = self.loom_load_many()

    def make_rows(self, count: int) -> None:
        """Empty the collection, and make the values of new objects."""
        self.collection.drop()
        self.ids = ()
        self.rows = [self.shape.row(number) for number in range(count)]

    def plain_persist_many(self) -> None:
        objects = [self.plain(**row) for row in self.rows]
        self.collection.insert_many([item.model_dump(by_alias=True) for item in objects])

    def loom_persist_many(self) -> None:
        self.loom.persist_many([self.loom(**row) for row in self.rows])

    def plain_load_many(self) -> list[Any]:
        documents = self.collection.find().to_list()
        return [self.plain.model_validate(document) for document in documents]

    def loom_load_many(self) -> list[Any]:
        objects: list[Any] = self.loom.filter().load_many()
        return objects

    def plain_find_one(self) -> None:
        for key in self.ids:
            self.plain.model_validate(self.collection.find_one({"_id": key}))

    def loom_load_one(self) -> None:
        for key in self.ids:
            self.loom.filter(lm.fld["id"] == key).load_one()

    def loom_from_id(self) -> None:
        for key in self.ids:
            self.loom.from_id(key)

    def plain_change(self) -> None:
        name = self.shape.changed
        for item in self.plain_objects:
            value = getattr(item, name) + 1
            setattr(item, name, value)
            self.collection.update_one({"_id": item.id}, {"$set": {name: value}})

    def loom_change(self) -> None:
        name = self.shape.changed
        for item in self.loom_objects:
            setattr(item, name, getattr(item, name) + 1)
            item.persist()

    def plain_insert_one(self) -> None:
        for row in self.rows:
            self.collection.insert_one(self.plain(**row).model_dump(by_alias=True))

    def loom_insert_one(self) -> None:
        for row in self.rows:
            self.loom(**row).persist()


def repeated(work: Work, times: int) -> Any:
    """Do the same several times; return the last result."""
    result: Any = None
    for _ in range(times):
        result = work()
    return result


def operations(sides: Sides, singles: int) -> list[Operation]:
    """Return the operations on one shape, in an order in which each finds its documents."""
    shape = sides.shape.name
    operations = [
        Operation(
            f"{shape}: persist_many of {_NEW:,}",
            _NEW,
            sides.plain_persist_many,
            sides.loom_persist_many,
            partial(sides.make_rows, _NEW),
        )
    ]
    for size in _LOADS:
        times = max(1, _OBJECTS_PER_ROUND // size)
        operations.append(
            Operation(
                f"{shape}: load_many of {size:,}",
                size * times,
                partial(repeated, sides.plain_load_many, times),
                partial(repeated, sides.loom_load_many, times),
                partial(sides.fill, size),
            )
        )
    fill, find = partial(sides.fill, singles), sides.plain_find_one
    return [
        *operations,
        Operation(f"{shape}: filter(id).load_one", singles, find, sides.loom_load_one, fill),
        Operation(f"{shape}: from_id", singles, find, sides.loom_from_id, fill),
        Operation(
            f"{shape}: change and persist",
            singles,
            sides.plain_change,
            sides.loom_change,
            partial(sides.load, singles),
        ),
        Operation(
            f"{shape}: persist a new one",
            singles,
            sides.plain_insert_one,
            sides.loom_insert_one,
            partial(sides.make_rows, singles),
        ),
    ]


def main() -> None:
    """Run the benchmark and print the results."""
    arguments = arguments_of(__doc__, rounds=9, count=300)
    lease = start_embedded(temporary=True)
    try:
        client: Any = MongoClient(lease.uri, tz_aware=True)
        print(HEADER, flush=True)
        with lm.using(client=client):
            results = [
                compare(*operation, rounds=arguments.rounds)
                for shape in SHAPES
                for operation in operations(Sides(client, shape), arguments.singles)
                if arguments.only in operation.name
            ]
        client.close()
        write_json(arguments.json, "shapes", results)
    finally:
        lease.release()


if __name__ == "__main__":
    main()
