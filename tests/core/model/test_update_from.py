from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Annotated, Any

import pytest
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

import loom_async as lm
from tests.core.model.people import Address, Person, Size, ann
from tests.core.model.users import NOW

# What is refused


@pytest.mark.parametrize("name", ["id", "_id", "created", "touched", "revision"])
def test_fields_that_loom_fills_in(name: str) -> None:
    person = ann()
    given = getattr(person, name.removeprefix("_")) or NOW
    with pytest.raises(ValueError, match="cannot change"):
        person.update_from({"name": "Eve", name: given})
    assert person.name == "Ann"


@pytest.mark.parametrize(
    ("patch", "path", "nearest"),
    [
        ({"nam": "x"}, "nam", "name"),
        ({"address": {"cty": "x"}}, "address.cty", "city"),
        ({"work": {"city": "x", "stret": "x"}}, "work.stret", "street"),
        ({"past": [{"city": "x"}, {"city": "x", "flor": 1}]}, "past.1.flor", "floor"),
        ({"homes": {"a": {"city": "x", "flor": 1}}}, "homes.a.flor", "floor"),
        ({"size": {"widht": 1}}, "size.widht", "width"),
        ({"options": {"them": "x"}}, "options.them", "theme"),
        ({3: "x"}, "3", None),
    ],
)
@pytest.mark.parametrize("partial", [True, False])
def test_unknown_names(patch: Any, path: str, nearest: str | None, partial: bool) -> None:
    person = ann()
    before = deepcopy(person)
    with pytest.raises(ValueError, match="has no field") as caught:
        person.update_from({"name": "Eve"} | patch, partial=partial)
    assert isinstance(caught.value, lm.UnknownFieldError)
    assert (caught.value.path, caught.value.nearest) == (path, nearest)
    assert person == before


def test_a_model_that_allows_extra_fields() -> None:
    class Loose(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")
        name: str = ""

    loose = Loose.model_validate({"a": {"b": 1}})
    loose.update_from({"a": {"c": 2}, "d": [1]})
    assert loose.model_extra == {"a": {"b": 1, "c": 2}, "d": [1]}


@pytest.mark.parametrize("patch", [None, 3, "name", [("name", "x")], Person])
def test_what_is_no_patch(patch: Any) -> None:
    with pytest.raises(lm.QueryError, match="takes a dict or a model"):
        ann().update_from(patch)


def test_a_field_given_twice() -> None:
    with pytest.raises(lm.QueryError, match="twice"):
        ann().update_from({"mail": "a", "e-mail": "b"})


def test_frozen_fields_and_models() -> None:
    class Still(lm.PersistableBase):
        model_config = ConfigDict(frozen=True)
        name: str = ""

    with pytest.raises(ValidationError, match="frozen"):
        ann().update_from({"code": "y"})
    with pytest.raises(ValidationError, match="frozen"):
        Still().update_from({"name": "y"})


def test_strict_models() -> None:
    class Strict(lm.PersistableBase):
        model_config = ConfigDict(strict=True)
        age: int = 0
        size: Size = Field(default_factory=lambda: Size(1, 2))

    strict = Strict(size=Size(1, 2))
    with pytest.raises(ValidationError):
        strict.update_from({"age": "3"})
    strict.update_from({"age": 3, "size": {"width": 4}})
    assert (strict.age, strict.size) == (3, Size(4, 2))


def test_the_tag_of_a_family() -> None:
    @lm.declare_persist_db("zoo", "animals", discriminator="kind")
    class Animal(lm.PersistableBase):
        name: str = ""

    class Horse(Animal):
        speed: int = 0

    horse = Horse(speed=1)
    assert horse.update_from({"speed": 2}).speed == 2
    with pytest.raises(lm.QueryError, match="class"):
        horse.update_from({"kind": "Animal"})


def test_every_invalid_value_is_reported() -> None:
    with pytest.raises(ValidationError) as caught:
        ann().update_from({"name": 1, "age": -1, "address": {"city": None, "floor": "x"}})
    errors = {error["loc"]: error["type"] for error in caught.value.errors()}
    assert errors == {
        ("name",): "string_type",
        ("age",): "greater_than_equal",
        ("address", "city"): "string_type",
        ("address", "floor"): "int_parsing",
    }
    assert "Input should be greater than or equal to 0" in str(caught.value)
    assert caught.value.json()


# Validators


class Span(BaseModel):
    start: int
    end: int

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        CALLS.append("span")
        if self.end < self.start:
            raise ValueError("the end is before the start")
        return self


CALLS: list[str] = []


def _hash(value: str) -> str:
    CALLS.append("hash")
    return f"#{value}"


class Account(lm.PersistableBase):
    password: Annotated[str, BeforeValidator(_hash)]
    name: str = ""
    low: int = 0
    high: int = 10
    span: Span = Field(default_factory=lambda: Span(start=1, end=2))
    when: datetime | None = None

    @field_validator("name")
    @classmethod
    def _no_root(cls, name: str) -> str:
        CALLS.append("name")
        if name == "root":
            raise ValueError("root is taken")
        return name

    @model_validator(mode="after")
    def _check(self) -> Account:
        CALLS.append("account")
        if self.low > self.high:
            vars(self)["name"] = "changed by the validator"
            self.span.start = 99
            raise ValueError("low is above high")
        return self


def test_validators_run_once_for_what_changes() -> None:
    account = Account(password="x")
    CALLS.clear()
    account.update_from({"low": 20, "high": 30})  # invalid in between
    assert CALLS == ["account"]
    assert account.password == "#x"
    CALLS.clear()
    account.update_from({"span": {"start": 5, "end": 6}, "name": "Eve"})
    assert sorted(CALLS) == ["account", "name", "span"]


def test_a_failure_of_any_validator_leaves_the_object_as_it_was() -> None:
    account = Account(password="x", name="Ann")
    account.model_fields_set.discard("low")
    span, state, fields = account.span, deepcopy(account), set(account.model_fields_set)
    patches: list[dict[str, Any]] = [
        {"span": {"end": 5}, "low": 50},
        {"span": {"end": 0}},
        {"span": {"end": 5}, "name": "root"},
        {"low": 1, "when": "yesterday"},
    ]
    for patch in patches:
        with pytest.raises(ValidationError):
            account.update_from(patch)
        assert account == state
        assert account.span is span
        assert span == Span(start=1, end=2)
        assert account.model_fields_set == fields
    with pytest.raises(ValidationError, match="the end is before") as caught:
        account.update_from({"span": {"end": 0}})
    assert caught.value.errors()[0]["loc"] == ("span",)


def test_private_attributes_are_restored() -> None:
    class Noting(lm.PersistableBase):
        name: str = ""
        _seen: list[str] = PrivateAttr(default_factory=list[str])

        @model_validator(mode="after")
        def _note(self) -> Noting:
            self._seen.append(self.name)
            if self.name == "bad":
                raise TypeError("a fault of the validator")
            return self

    noting = Noting(name="a")
    seen = list(noting._seen)
    with pytest.raises(TypeError):
        noting.update_from({"name": "bad"})
    assert (noting.name, noting._seen) == ("a", seen)


def test_a_model_that_revalidates_instances_keeps_its_objects() -> None:
    class Inner(BaseModel):
        model_config = ConfigDict(revalidate_instances="always")
        x: int = 1
        y: int = 2

    class Outer(lm.PersistableBase):
        model_config = ConfigDict(revalidate_instances="always")
        inner: Inner = Field(default_factory=Inner)

    outer = Outer()
    inner = outer.inner
    outer.update_from({"inner": {"x": 5}})
    assert outer.inner is inner
    assert (inner.x, inner.y) == (5, 2)


def test_a_validator_of_the_input_sees_it_as_it_is_given() -> None:
    class Point(BaseModel):
        x: int

        @model_validator(mode="before")
        @classmethod
        def _renamed(cls, data: Any) -> Any:
            return {"x": data["old_x"]} if "old_x" in data else data

    class Chart(lm.PersistableBase):
        points: list[Point] = []
        word: Annotated[Address | None, BeforeValidator(lambda v: {"city": v["c"]})] = None

    chart = Chart().update_from({"points": [{"old_x": 3}], "word": {"c": "Brno"}})
    assert (chart.points, chart.word) == ([Point(x=3)], Address(city="Brno"))
