# Generated from tests/bench/mongodb_odm.py by `nox -s sync`: edit that file.
"""The threads of MongoDB's benchmark for ODMs, as a ratio to plain pymongo and pydantic.

The specification is https://github.com/mongodb/specifications, source/benchmarking. Its small flat
document has 13 fields and about 250 bytes; its large nested one has 13 parts of 15 fields, an array
of such parts, and about 8,000 bytes. Each is created, one of its fields is updated, and it is found
by a filter. The specification's files are not needed: the documents here have the same fields and
sizes.

Run it by `nox -s bench -- mongodb_odm --rounds 9`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bson import ObjectId
from pydantic import create_model
from pymongo import MongoClient

import loom_sync as lm
from loom_sync.connection.embedded_server import start_embedded
from tests.bench.sync.rounds import HEADER, Comparison, arguments_of, compare, write_json
from tests.bench.sync.shape_models import PlainModel

DATABASE = "bench_mongodb_odm"
_SMALL: dict[str, Any] = {f"field{n}": (str if n < 8 else int, ...) for n in range(1, 14)}
_PART: dict[str, Any] = {f"field{n}": (str, ...) for n in range(1, 16)}
_NUMBERS: dict[str, Any] = {f"field{n}": (int, ...) for n in range(1, 16)}


class StringPart(create_model("_Strings", **_PART)):  # type: ignore[misc]
    unique_id: str


class NumberPart(create_model("_Numbers", **_NUMBERS)):  # type: ignore[misc]
    unique_id: str


_NESTED: dict[str, Any] = {
    **{f"embedded_str_doc_{n}": (StringPart, ...) for n in range(1, 6)},
    "embedded_str_doc_array": (list[StringPart], ...),
    **{f"embedded_int_doc_{n}": (NumberPart, ...) for n in range(8, 15)},
}
PlainSmall: Any = create_model("PlainSmall", __base__=PlainModel, **_SMALL)
PlainLarge: Any = create_model("PlainLarge", __base__=PlainModel, **_NESTED)
LoomSmall: Any = lm.declare_persist_db(DATABASE, "small")(
    create_model("LoomSmall", __base__=lm.PersistableBase, **_SMALL)
)
LoomLarge: Any = lm.declare_persist_db(
    DATABASE, "large", index=[lm.Index("embedded_str_doc_1.unique_id")]
)(create_model("LoomLarge", __base__=lm.PersistableBase, **_NESTED))


def small_row() -> dict[str, Any]:
    """Return the values of a small flat document."""
    return {name: "0123456789ab" if kind is str else 7 for name, (kind, _) in _SMALL.items()}


def large_row() -> dict[str, Any]:
    """Return the values of a large nested document; the ids of its parts are new."""

    def part(value: Any) -> dict[str, Any]:
        values = {f"field{n}": value for n in range(1, 16)}
        return values | {"unique_id": str(ObjectId())}

    text = "x" * 25
    return {
        **{f"embedded_str_doc_{n}": part(text) for n in range(1, 6)},
        "embedded_str_doc_array": [part(text) for _ in range(5)],
        **{f"embedded_int_doc_{n}": part(n) for n in range(8, 15)},
    }


class Tasks:
    """The threads on one document, as plain pymongo and as Loom perform them.

    Parameters:
        collection: The collection of both.
        plain: The pydantic model.
        loom: The model of Loom.
        is_nested: Whether the threads update and find a part of the document.
    """

    def __init__(self, collection: Any, plain: Any, loom: Any, *, is_nested: bool) -> None:
        self.collection = collection
        self.plain = plain
        self.loom = loom
        self.is_nested = is_nested
        self.rows: Sequence[dict[str, Any]] = ()
        self.objects: dict[Any, list[Any]] = {}
        self._number = 0

    def make_rows(self, count: int) -> None:
        """Empty the collection, and make the values of new objects."""
        self.collection.delete_many({})
        self.rows = [large_row() if self.is_nested else small_row() for _ in range(count)]
        self.objects = {}

    def fill(self, count: int) -> None:
        """Store new documents, and load them as objects of both models, unless that is done."""
        if self.objects:
            return
        self.make_rows(count)
        self.loom.persist_many([self.loom(**row) for row in self.rows])
        documents = self.collection.find().to_list()
        plain = [self.plain.model_validate(document) for document in documents]
        self.objects = {self.plain: plain, self.loom: self.loom.filter().load_many()}

    def plain_create(self) -> None:
        for row in self.rows:
            self.collection.insert_one(self.plain(**row).model_dump(by_alias=True))

    def loom_create(self) -> None:
        for row in self.rows:
            self.loom(**row).persist()

    def _updated_value(self) -> str:
        self._number += 1
        return f"updated_value{self._number}"

    def plain_update(self) -> None:
        path = "embedded_str_doc_1.field1" if self.is_nested else "field1"
        value = self._updated_value()
        for item in self.objects[self.plain]:
            (item.embedded_str_doc_1 if self.is_nested else item).field1 = value
            self.collection.update_one({"_id": item.id}, {"$set": {path: value}})

    def loom_update(self) -> None:
        value = self._updated_value()
        for item in self.objects[self.loom]:
            (item.embedded_str_doc_1 if self.is_nested else item).field1 = value
            item.persist()

    def _found_by(self) -> tuple[str, list[Any]]:
        """Return the field by which documents are found, and its values."""
        items = self.objects[self.plain]
        if self.is_nested:
            keys = [item.embedded_str_doc_1.unique_id for item in items]
            return "embedded_str_doc_1.unique_id", keys
        return "_id", [item.id for item in items]

    def plain_find(self) -> None:
        path, keys = self._found_by()
        for key in keys:
            documents = self.collection.find({path: key}).to_list()
            [self.plain.model_validate(document) for document in documents]

    def loom_find(self) -> None:
        path, keys = self._found_by()
        for key in keys:
            self.loom.filter(lm.fld[path] == key).load_many()


def measure(tasks: Tasks, name: str, rounds: int, count: int, only: str) -> list[Comparison]:
    """Return the comparisons of the threads on one document."""
    new, stored = partial(tasks.make_rows, count), partial(tasks.fill, count)
    operations = (
        ("creation", tasks.plain_create, tasks.loom_create, new),
        ("update", tasks.plain_update, tasks.loom_update, stored),
        ("find by filter", tasks.plain_find, tasks.loom_find, stored),
    )
    results: list[Comparison] = []
    for operation, *works in operations:
        title = f"{name} {operation}"
        if only in title:
            results.append(compare(title, count, *works, rounds=rounds))
    return results


def main() -> None:
    """Run the benchmark and print the results."""
    arguments = arguments_of(__doc__, rounds=9, count=300)
    lease = start_embedded(temporary=True)
    try:
        client: Any = MongoClient(lease.uri, tz_aware=True)
        print(HEADER, flush=True)
        options = (arguments.rounds, arguments.singles, arguments.only)
        with lm.using(client=client):
            database = client[DATABASE]
            small = Tasks(database["small"], PlainSmall, LoomSmall, is_nested=False)
            large = Tasks(database["large"], PlainLarge, LoomLarge, is_nested=True)
            results = measure(small, "small flat", *options)
            results += measure(large, "large nested", *options)
        client.close()
        write_json(arguments.json, "mongodb_odm", results)
    finally:
        lease.release()


if __name__ == "__main__":
    main()
