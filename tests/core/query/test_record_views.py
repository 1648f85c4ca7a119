"""Views of dataclasses whose `__post_init__` changes them: of the class itself, and of others."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.codecs import model_codec
from loom_async._core.model.document import baseline
from loom_async._core.query.row_validator import RowValidator
from loom_async._core.query.view import View
from tests.core.storing import stored_and_loaded

T = TypeVar("T")


@dataclass
class Counting:
    n: Annotated[int, lm.StoredName("m")]
    m: Annotated[int, lm.StoredName("n")] = 0

    def __post_init__(self) -> None:
        self.n += 1


@dataclass
class Box(Generic[T]):
    value: T


class Holder(lm.PersistableBase):
    one: Counting
    many: list[Counting]
    by_name: dict[str, Counting]
    maybe: Counting | None
    box: Box[Counting]


@dataclass
class Number:
    n: float


class NumberModel(BaseModel):
    n: float


@dataclass
class NumberBox:
    value: Number


class Same(BaseModel):
    one: Counting
    many: list[Counting]
    by_name: dict[str, Counting]
    maybe: Counting | None
    box: Box[Counting]


class Other(BaseModel):
    one: Number
    many: list[Number]
    by_name: dict[str, Number]
    maybe: Number | None
    box: NumberBox


class Models(BaseModel):
    one: NumberModel
    many: list[NumberModel]
    by_name: dict[str, NumberModel]
    maybe: NumberModel | None


class Dicts(BaseModel):
    one: dict[str, int]
    many: list[dict[str, int]]
    by_name: dict[str, dict[str, int]]
    maybe: Any


def numbers(make: Any) -> dict[str, Any]:
    return {"one": make(2), "many": [make(2)], "by_name": {"a": make(2)}, "maybe": make(2)}


VIEWS = [
    (Same, Same(**numbers(lambda n: Counting(n - 1)), box=Box(Counting(1)))),
    (Other, Other(**numbers(Number), box=NumberBox(Number(2)))),
    (Models, Models(**numbers(lambda n: NumberModel(n=n)))),
    (Dicts, Dicts(**numbers(lambda n: {"n": n, "m": 0}))),
]


@pytest.mark.parametrize(("kind", "expected"), VIEWS)
def test_views_have_the_stored_values(kind: Any, expected: Any) -> None:
    document = Holder(**numbers(lambda n: Counting(n - 1)), box=Box(Counting(1)))
    stored_and_loaded(document)
    stored = decode_bson(baseline(document))  # type: ignore[arg-type]
    codec = model_codec(Holder)
    assert View(kind, codec, "Holder").objects([stored]) == [expected]
    if kind is Same:  # for the others, a row has the names of its documents
        assert RowValidator(kind, codec).validated([stored]) == [expected]
