"""Validators of stored values: what a second call changes does not count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    PlainValidator,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic import dataclasses as pydantic_dataclasses

from loom_async._core.model.repeated_validation import stored_validators


def more(value: Any) -> Any:
    """Return another value at each call: not to be called again."""
    return value + value[:1]


def more_around(value: Any, inner: Any) -> Any:
    return more(inner(value))


def lower_around(value: Any, inner: Any) -> Any:
    return inner(value).lower()


def refusing(value: str) -> str:
    if value.startswith("#"):
        raise ValueError("is hashed already")
    return "#" + value


def incomparable(value: Any) -> Any:
    return Incomparable()


Numbers = dict[str, int]


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise TypeError("no truth value")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("annotation", "stored", "expected"),
    [
        (Annotated[str, AfterValidator(more)], "a", "a"),
        (Annotated[str, BeforeValidator(more)], "a", "a"),
        (Annotated[str, PlainValidator(more)], "a", "a"),
        (Annotated[str, WrapValidator(more_around)], "a", "a"),
        (Annotated[list[int], AfterValidator(more)], [1], [1]),
        (Annotated[str, AfterValidator(refusing)], "a", "a"),
        (Annotated[str, AfterValidator(str.lower)], "A", "a"),
        (Annotated[str, BeforeValidator(str.lower)], "A", "a"),
        (Annotated[str, WrapValidator(lower_around)], "A", "a"),
        (Annotated[list[int], AfterValidator(sorted)], [2, 1], [1, 2]),
        (Annotated[Any, AfterValidator(lambda v: str(v))], 1, "1"),
        (
            Annotated[dict[str, int], AfterValidator(lambda v: {**v, "n": v["n"] + 1})],
            {"n": 1},
            {"n": 1},
        ),
        (
            Annotated[dict[str, int], AfterValidator(lambda v: v | {"m": 0})],
            {"n": 1},
            {"n": 1, "m": 0},
        ),
    ],
)
def test_values_that_were_validated_before(annotation: Any, stored: Any, expected: Any) -> None:
    class Model(BaseModel):
        value: annotation
        many: list[annotation] = []

    class Outer(BaseModel):
        inner: Model

    document = {"value": stored, "many": [stored]}
    validators = stored_validators(Model)
    model = validators.validate(document)
    assert (model.value, model.many) == (expected, [expected])
    assert validators.validate_many([document]) == [model]
    assert stored_validators(Outer).validate({"inner": document}).inner == model


def test_a_value_that_cannot_be_compared() -> None:
    class Model(BaseModel):
        value: Annotated[Any, AfterValidator(incomparable)]

    assert isinstance(stored_validators(Model).validate({"value": 1}).value, Incomparable)


def test_errors_of_a_validator_stay_errors() -> None:
    class Model(BaseModel):
        value: Annotated[str, AfterValidator(refusing)]

    with pytest.raises(ValidationError, match="is hashed already"):
        stored_validators(Model).validate({"value": "#a"})


def test_a_validator_of_the_whole_model_may_fail_the_second_time() -> None:
    class Model(BaseModel):
        value: str = ""
        kept: str = ""

        @model_validator(mode="after")
        def _hash(self) -> Model:
            self.value = refusing(self.value)
            return self

    assert stored_validators(Model).validate({"value": "a"}).value == "a"


def test_a_validator_of_the_whole_model_may_return_another_one() -> None:
    class Model(BaseModel):
        value: str = ""

        @model_validator(mode="after")
        def _other(self) -> Model:
            return self if self.value else Model.model_construct(value="other")

    assert stored_validators(Model).validate({}).value == "other"


def test_models_without_such_validators_keep_those_of_pydantic() -> None:
    class Model(BaseModel):
        value: int = 0

    assert stored_validators(Model) is stored_validators(Model)
    assert stored_validators(Model).validate({"value": 1}).value == 1
    assert stored_validators(list[int]).validate(["1"]) == [1]


@dataclass
class Record:
    n: int


class Inner(BaseModel):
    n: int
    items: list[int] = []


def counting_around(value: Any, inner: Any) -> Any:
    found = inner(value)
    found.n += 1
    return found


def appending(value: Any) -> Any:
    value.items.append(1)
    return value


@pydantic_dataclasses.dataclass
class Around:
    n: int

    @model_validator(mode="wrap")
    @classmethod
    def _count(cls, value: Any, inner: Any) -> Any:
        return counting_around(value, inner)


class Stripping(BaseModel):
    n: str

    @model_validator(mode="wrap")
    @classmethod
    def _strip(cls, value: Any, inner: Any) -> Any:
        found = inner(value)
        found.n = found.n.strip()
        return found


@pytest.mark.parametrize(
    ("annotation", "stored", "expected"),
    [
        (Annotated[Record, AfterValidator(lambda v: replace(v, n=v.n + 1))], 1, 1),
        (Annotated[Record, WrapValidator(counting_around)], 1, 1),
        (Annotated[Inner, AfterValidator(lambda v: v.model_copy(update={"n": v.n + 1}))], 1, 1),
        (Annotated[Inner, WrapValidator(counting_around)], 1, 1),
        (Annotated[Inner, AfterValidator(appending)], 1, 1),
        (Around, 1, 1),
        (Stripping, " a ", "a"),
    ],
)
def test_objects_that_were_validated_before(annotation: Any, stored: Any, expected: Any) -> None:
    class Model(BaseModel):
        value: annotation

    found = stored_validators(Model).validate({"value": {"n": stored}}).value
    assert found.n == expected
    assert getattr(found, "items", []) == []
