# Generated from tests/aio/test_stored_forms.py by `nox -s sync`: edit that file.
"""Forms and names in the database that a model chooses itself: `StoredAs`, `StoredName`."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import functools
import os
import pathlib
from collections import OrderedDict
from typing import Annotated, Any, NamedTuple

import pydantic
import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("client")


@functools.total_ordering
class Version:
    """A class that pydantic does not know."""

    def __init__(self, text: str) -> None:
        self.parts = tuple(map(int, text.split(".")))

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.parts == other.parts

    def __lt__(self, other: Version) -> bool:
        return self.parts < other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


def encrypted(text: str) -> bytes:
    return os.urandom(4) + base64.b85encode(text.encode())


def decrypted(stored: bytes) -> str:
    return base64.b85decode(stored[4:]).decode()


AsText = Annotated[Version, lm.StoredAs(str, encode=str, decode=Version)]
AsNumber = Annotated[
    Version,
    lm.StoredAs(
        int,
        encode=lambda version: version.parts[0] * 100 + version.parts[1],
        decode=lambda number: Version(f"{number // 100}.{number % 100}"),
        ordered=True,
    ),
]
Sealed = Annotated[str, lm.StoredAs(bytes, encode=encrypted, decode=decrypted, deterministic=False)]


class Color(enum.Enum):
    RED = "red"


class Note(BaseModel):
    text: Sealed
    pages: int = 0


def package(db: str) -> Any:
    @lm.declare_persist_db(db, "packages")
    class Package(lm.PersistableBase):
        version: AsText
        number: Annotated[AsNumber | None, lm.StoredName("n")] = None
        history: list[AsText] = []
        by_name: dict[str, AsText | None] = {}
        secret: Sealed = ""
        notes: list[Note] = []

    return Package


def test_values_are_stored_as_the_model_says_and_come_back(db: str) -> None:
    model = package(db)
    new = model(
        version="1.2", number=Version("3.4"), history=[Version("1.0"), "1.1"], by_name={"a": "2.0"}
    )
    new.persist()
    raw = model.get_db_collection().find_one()
    assert raw is not None
    assert (raw["version"], raw["n"], raw["history"]) == ("1.2", 304, ["1.0", "1.1"])
    assert raw["by_name"] == {"a": "2.0"}
    loaded = model.from_id(new.id)
    assert loaded == new
    assert loaded.version == Version("1.2")
    assert not loaded.persist()
    loaded.number = Version("3.5")
    assert loaded.persist()
    assert model.from_id(new.id).number == Version("3.5")
    assert model.model_validate_json(new.model_dump_json()) == new
    assert model.filter().load_table().column("n").to_pylist() == [305]


def test_queries_compare_the_stored_forms_or_refuse(db: str) -> None:
    model = package(db)
    model.persist_many(
        [model(version=text, number=Version(text), secret=text) for text in ("1.9", "1.10", "2.0")]
    )
    assert model.filter(fld["version"] == Version("1.10")).count() == 1
    assert model.filter(fld["version"].is_in([Version("1.9"), Version("2.0")])).count() == 2
    assert model.filter(fld["number"] > Version("1.9")).count() == 2
    assert model.filter(lambda p: p.number <= Version("1.10")).count() == 2
    with pytest.raises(lm.QueryError, match="order"):
        model.filter(fld["version"] > Version("1.9")).count()
    for refused in (fld["secret"] == "1.9", fld["secret"].is_in(["1.9"]), fld["secret"] > "1"):
        with pytest.raises(lm.QueryError, match="stored forms"):
            model.filter(refused).count()
    assert model.filter(fld["secret"].is_not_null()).count() == 3


def test_a_random_form_is_written_only_when_the_value_changed(db: str) -> None:
    model = package(db)
    new = model(version="1.0", secret="a", notes=[Note(text="x"), Note(text="y")])
    new.persist()
    collection = model.get_db_collection()
    before = collection.find_one()
    loaded = model.from_id(new.id)
    assert before is not None
    assert decrypted(before["secret"]) == "a"
    assert not loaded.persist()
    loaded.notes[1].pages = 3
    assert loaded.persist()
    after = collection.find_one()
    assert after is not None
    assert after["secret"] == before["secret"]
    assert [note["text"] for note in after["notes"]] == [note["text"] for note in before["notes"]]
    loaded.notes[0].text = "z"
    assert loaded.persist()
    reloaded = model.from_id(new.id)
    assert [note.text for note in reloaded.notes] == ["z", "y"]
    new.reload()
    assert new.notes[0].text == "z"


def test_a_stored_value_that_decode_refuses_is_an_invalid_document(db: str) -> None:
    model = package(db)
    new = model(version="1.0", history=["1.1"])
    new.persist()
    collection = model.get_db_collection()
    collection.update_one({}, {"$set": {"history.0": "one"}})
    for load in (lambda: model.from_id(new.id), lambda: model.filter().load_many(), new.reload):
        with pytest.raises(lm.InvalidDocument, match="history") as caught:
            load()
        assert caught.value.id == new.id


@pydantic.dataclasses.dataclass
class Aliased:
    wide: int = Field(alias="w")
    when: dt.timedelta = dt.timedelta(0)


@dataclasses.dataclass
class Named:
    wide: Annotated[int, lm.StoredName("w")]


class Keyed(TypedDict):
    wide: Annotated[int, Field(alias="w")]


class Placed(NamedTuple):
    wide: Annotated[int, lm.StoredName("w")]
    when: dt.timedelta


@pytest.mark.parametrize("persists", ["persist", "persist_many"])
def test_names_within_records_are_those_of_documents(db: str, persists: str) -> None:
    @lm.declare_persist_db(db, "records")
    class Box(lm.PersistableBase):
        aliased: Aliased
        named: Named
        keyed: Keyed
        placed: Placed
        many: list[Aliased] = []
        ordered: OrderedDict[str, Aliased] = OrderedDict()

    def persist(box: Box) -> None:
        (box.persist() if persists == "persist" else Box.persist_many([box]))

    box = Box(
        aliased={"w": 1}, named={"wide": 2}, keyed={"w": 3}, placed=Placed(4, dt.timedelta(4)),
        many=[{"w": 5}], ordered={"k": {"w": 6}},
    )  # type: ignore[arg-type, list-item]  # fmt: skip
    persist(box)
    raw = Box.get_db_collection().find_one()
    assert raw is not None
    assert (raw["aliased"]["w"], raw["named"], raw["keyed"]) == (1, {"w": 2}, {"w": 3})
    assert (raw["placed"][0], raw["many"][0]["w"], raw["ordered"]["k"]["w"]) == (4, 5, 6)
    box.aliased.wide, box.named.wide, box.keyed["wide"] = 10, 20, 30
    box.placed = Placed(40, dt.timedelta(5))
    box.many[0].when, box.ordered["k"].wide = dt.timedelta(1), 60
    persist(box)
    loaded = Box.from_id(box.id)
    assert loaded is not None
    assert loaded == box
    assert (loaded.aliased.wide, loaded.named.wide, loaded.keyed) == (10, 20, {"wide": 30})
    for path in ("aliased.wide", "named.wide", "keyed.wide", "placed.wide"):
        assert Box.filter(fld[path] >= 10).count() == 1, path
        with pytest.raises(lm.UnknownFieldError, match="wide"):
            Box.filter(fld[path.replace("wide", "wid")] == 1)
    assert Box.filter(fld["ordered.k.wide"] == 60).count() == 1
    Box.filter().update({"$set": {"named.wide": 21, "placed.wide": 41}})
    box.reload()
    assert (box.named.wide, box.placed.wide) == (21, 41)


def test_stored_names_hold_everywhere(db: str) -> None:
    @lm.declare_persist_db(db, "renamed", index=[lm.Index("email", unique=True)])
    class User(lm.Persistable):
        email: Annotated[str, lm.StoredName("e")]
        age: Annotated[int, lm.StoredName("email")] = 0
        swapped: Annotated[int, lm.StoredName("age"), Field(alias="sw")] = 0

    ann = User(email="ann", age=3, sw=7)  # type: ignore[call-arg]
    ann.persist()
    collection = User.get_db_collection()
    raw = collection.find_one()
    assert raw is not None
    assert (raw["e"], raw["email"], raw["age"]) == ("ann", 3, 7)
    assert ann.model_dump(by_alias=True)["sw"] == 7
    assert User.from_id(ann.id) == ann
    with pytest.raises(lm.DuplicateKey):
        User(email="ann").persist()
    assert [user.age for user in User.filter().sort("age").load_many()] == [3]
    assert User.filter(lambda u: (u.email == "ann") & (u.swapped == 7)).count() == 1
    User.filter().update(age=4)
    ann.reload()
    assert ann.age == 4
    frame = User.filter().load_dataframe()
    assert {"e", "email", "age"} <= set(frame.columns)
    User.ensure_validator()
    ann.swapped = 8
    ann.persist()
    assert collection.find_one({"age": 8}) is not None


@pytest.mark.parametrize("name", ["", "a.b", "$a"])
def test_names_that_mongodb_reads_otherwise_are_refused(name: str) -> None:
    with pytest.raises(lm.ConfigurationError, match="name of a stored field"):
        lm.StoredName(name)


def test_two_fields_cannot_share_a_stored_name(db: str) -> None:
    @lm.declare_persist_db(db, "shared")
    class Twice(lm.PersistableBase):
        one: Annotated[int, lm.StoredName("n")]
        n: int

    with pytest.raises(lm.ConfigurationError, match="one and n"):
        Twice(one=1, n=2).persist()


def test_sorting_by_a_form_of_another_order_is_refused(db: str) -> None:
    model = package(db)
    model.persist_many([model(version=text, number=Version(text)) for text in ("1.9", "1.10")])
    for field in ("version", "history", "secret"):
        with pytest.raises(lm.QueryError, match=f"does not sort .*{field}"):
            model.filter().sort(field)
    loaded = model.filter().sort("number").load_many()
    assert [str(one.version) for one in loaded] == ["1.9", "1.10"]

    class Typed(lm.PersistableBase):
        data: bytes = b""
        path: pathlib.PurePath = pathlib.PurePath()
        color: Color = Color.RED

    for field in ("data", "path"):
        with pytest.raises(lm.QueryError, match="does not sort"):
            Typed.filter().sort(field)
    with pytest.raises(lm.QueryError, match="order"):
        Typed.filter(fld["color"] < Color.RED)
    Typed.filter().sort("color")  # Python has no order that MongoDB's could differ from
