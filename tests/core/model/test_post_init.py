"""Methods that run after `__init__`: a load keeps the fields as they were stored."""

import datetime as dt
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PrivateAttr,
    create_model,
    model_validator,
)
from pydantic import dataclasses as pydantic_dataclasses

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.document import baseline
from loom_async._core.model.hydration import Validator, hydrator
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, stored_and_loaded

T = TypeVar("T")
LONG = dt.timedelta(days=1, seconds=1)


@dataclass
class Counting:
    n: int

    def __post_init__(self) -> None:
        self.n += 1


@pydantic_dataclasses.dataclass
class Appending:
    items: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items.append(1)


@dataclass
class Totalled:
    """Its total and its day are fields that `__init__` does not take."""

    a: int
    total: int = field(init=False)
    day: dt.date = field(init=False, default=dt.date(2024, 1, 1))

    def __post_init__(self) -> None:
        self.total = self.a * 2


@dataclass(slots=True, frozen=True)
class Frozen:
    a: dt.timedelta
    twice: dt.timedelta = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", self.a * 2)


@pydantic_dataclasses.dataclass
class Tree(Generic[T]):
    a: T
    parts: list["Tree[T]"] = field(default_factory=list)
    last: T | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.last = self.a
        self.seen = True


@dataclass
class Scaled:
    a: int
    factor: InitVar[int] = 4
    b: int = 0

    def __post_init__(self, factor: int) -> None:
        self.b = self.a * factor


@pydantic_dataclasses.dataclass
class Checked:
    n: int

    @model_validator(mode="after")
    def count(self) -> "Checked":
        self.n += 1
        return self


@pydantic_dataclasses.dataclass
class CheckedTotal:
    n: int
    total: int = field(init=False, default=0)

    @model_validator(mode="after")
    def count(self) -> "CheckedTotal":
        self.n += 1
        return self


class CountingModel(BaseModel):
    n: int

    def model_post_init(self, context: Any) -> None:
        self.n += 1


class AppendingModel(BaseModel):
    items: list[int] = []
    _private: int = PrivateAttr(3)

    def model_post_init(self, context: Any) -> None:
        self.items.append(1)
        self._private += 1


class OpenModel(BaseModel):
    model_config = ConfigDict(extra="allow")

    def model_post_init(self, context: Any) -> None:
        self.z = getattr(self, "z", 0) + 1


class Holding(BaseModel):
    record: Counting
    models: list[CountingModel]


@dataclass
class Crate(Generic[T]):
    value: T


@pydantic_dataclasses.dataclass(config=ConfigDict(revalidate_instances="always"))
class Revalidated:
    n: int

    def __post_init__(self) -> None:
        self.n += 1


@pydantic_dataclasses.dataclass(config=ConfigDict(extra="allow"))
class OpenRecord:
    a: int

    def __post_init__(self) -> None:
        self.z = getattr(self, "z", 0) + 1

    def __repr__(self) -> str:
        return repr(vars(self))


def edited_total() -> Totalled:
    record = Totalled(1)
    record.total, record.day = 77, dt.date(2024, 2, 29)
    return record


def holder(annotation: Any) -> type[Any]:
    """Return a model with a field of an annotation."""
    return create_model("Holder", __base__=lm.PersistableBase, value=(annotation, ...))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Counting, Counting(1)),
        (Counting | None, Counting(1)),
        (list[Counting], [Counting(1)]),
        (dict[str, Counting], {"a": Counting(1)}),
        (Annotated[Counting, AfterValidator(lambda value: value)], Counting(1)),
        (Counting | Totalled, Counting(1)),
        (Counting | Totalled, edited_total()),
        (Appending, Appending()),
        (Totalled, edited_total()),
        (Crate[Totalled], Crate(edited_total())),
        (Frozen, Frozen(LONG)),
        (Tree[dt.timedelta], Tree(LONG, [Tree(LONG)])),
        (Scaled, Scaled(2, 7)),
        (Checked, Checked(1)),
        (CheckedTotal, CheckedTotal(1)),
        (CountingModel, CountingModel(n=1)),
        (CountingModel | int, CountingModel(n=1)),
        (AppendingModel, AppendingModel()),
        (OpenModel, OpenModel()),
        (Holding, Holding(record=Counting(1), models=[CountingModel(n=1)])),
        (Revalidated, Revalidated(1)),
        (OpenRecord, OpenRecord(1)),
        (tuple[Counting, CountingModel], (Counting(1), CountingModel(n=1))),
    ],
)
def test_fields_do_not_change_when_they_are_stored_and_loaded(annotation: Any, value: Any) -> None:
    model = holder(annotation)
    document = model(value=value)
    before = repr(document.value)
    loaded = stored_and_loaded(document)
    assert repr(document.value) == before
    assert repr(loaded.value) == before
    assert plan_persist(loaded, NOW) is None
    again = hydrator(model).one(decode_bson(baseline(loaded)))  # type: ignore[arg-type]
    assert repr(again.value) == before


def test_methods_run_for_what_is_not_stored() -> None:
    document = stored_and_loaded(holder(Tree[int])(value=Tree(1)))
    assert document.value.seen
    assert stored_and_loaded(holder(AppendingModel)(value=AppendingModel())).value._private == 4
    model = holder(Totalled)
    older = {"_id": model(value=Totalled(1)).id, "value": {"a": 5}}
    assert hydrator(model).one(older).value == Totalled(5)


def test_a_document_whose_post_init_changes_it() -> None:
    class Counter(lm.PersistableBase):
        n: int
        items: list[int] = []

        def model_post_init(self, context: Any) -> None:
            self.n += 1
            self.items.append(1)

    document = Counter(n=1)
    loaded = stored_and_loaded(document)
    assert (document.n, loaded.n, document.items, loaded.items) == (2, 2, [1], [1])
    assert plan_persist(loaded, NOW) is None


def test_patches_do_not_run_the_method_again() -> None:
    loaded = stored_and_loaded(holder(Totalled)(value=edited_total()))
    loaded.update_from({"value": {"a": "8"}})
    assert (loaded.value.a, loaded.value.total) == (8, 77)
    assert plan_persist(loaded, NOW).update == {"$set": {"value.a": 8}}  # type: ignore[union-attr]
    loaded.update_from({"value": {"total": "9"}})
    assert loaded.value.total == 9


def test_stored_fields_that_do_not_fit() -> None:
    model = holder(Totalled)
    for value, path in ({"a": "x"}, "value.a"), ({"a": 1, "total": "x"}, "value.total"):
        with pytest.raises(lm.InvalidDocument) as caught:
            hydrator(model).one({"_id": model(value=Totalled(1)).id, "value": value})
        assert list(caught.value.fields) == [path]


def test_a_method_that_refuses_its_own_result() -> None:
    @dataclass
    class Once:
        name: str

        def __post_init__(self) -> None:
            if self.name.startswith("#"):
                raise ValueError("has a hash already")
            self.name = "#" + self.name

    with pytest.raises(lm.EncodingError, match="would not load: has a hash already"):
        plan_persist(holder(Once)(value=Once("a")), NOW)


def test_an_argument_of_init_that_is_not_stored() -> None:
    @dataclass
    class Needing:
        a: int
        factor: InitVar[int]

    with pytest.raises(lm.ConfigurationError, match="factor is an InitVar without a default"):
        plan_persist(holder(list[Needing])(value=[Needing(1, 2)]), NOW)


def test_ambiguous_models_whose_method_changes_them_are_refused() -> None:
    class Other(BaseModel):
        kind: Literal["other"] = "other"
        n: int

        def model_post_init(self, context: Any) -> None:
            self.n += 1

    document = holder(CountingModel | Other)(value=Other(n=1))
    with pytest.raises(lm.EncodingError, match="would load as"):
        plan_persist(document, NOW)


def test_an_argument_of_init_that_a_row_has() -> None:
    @dataclass
    class Product:
        a: int
        factor: InitVar[int]

        def __post_init__(self, factor: int) -> None:
            self.a *= factor

    assert Validator(Product).validated([{"a": 2, "factor": 5}])[0].a == 10


def test_the_rows_of_a_view_are_as_its_method_leaves_them() -> None:
    @dataclass
    class Rounded:
        total: float

        def __post_init__(self) -> None:
            self.total = round(self.total, 1)

    class RoundedModel(BaseModel):
        total: float

        def model_post_init(self, context: Any) -> None:
            self.total = round(self.total, 1)

    for kind in (Rounded, RoundedModel):
        rows = [decode_bson(encode_bson({"total": 1.26}))]
        assert Validator(kind).validated(rows)[0].total == 1.3
