from __future__ import annotations

import pytest
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from pydantic import dataclasses as pydantic_dataclasses

import loom_async as lm
from tests.core.model.people import Address, Cat, Dog, Person, Pin, Size, ann
from tests.core.model.users import planned_update

# What is applied


def test_fields_by_name_and_by_alias() -> None:
    person = ann()
    assert person.update_from({"name": "Eve", "e-mail": "A@B.C", "age": "7"}) is person
    assert (person.name, person.mail, person.age) == ("Eve", "a@b.c", 7)
    person.update_from({"mail": "X", "place": {"lat": 3}})
    assert (person.mail, person.lat) == ("x", 3)
    assert {"name", "mail", "age", "lat"} <= person.model_fields_set


def test_nested_models_are_merged_in_place() -> None:
    person = ann()
    held = person.address
    person.update_from({"address": {"city": "Brno"}})
    assert person.address is held
    assert (held.city, held.street) == ("Brno", "Main")
    assert "city" in held.model_fields_set


def test_without_partial_nested_values_are_replaced() -> None:
    person = ann(homes={"a": Address(city="A")})
    person.update_from({"address": {"city": "Brno"}, "homes": {}}, partial=False)
    assert (person.address, person.homes, person.name) == (Address(city="Brno"), {}, "Ann")
    with pytest.raises(ValidationError, match="city"):
        person.update_from({"address": {"street": "x"}}, partial=False)


def test_an_optional_model() -> None:
    person = ann()
    with pytest.raises(ValidationError) as caught:
        person.update_from({"work": {"street": "x"}})
    assert caught.value.errors()[0]["loc"] == ("work", "city")
    assert person.work is None
    person.update_from({"work": {"city": "Brno"}})
    assert person.work == Address(city="Brno")
    assert person.update_from({"work": None}).work is None


def test_dicts_are_merged_by_key() -> None:
    one, two = Address(city="A", street="1"), Address(city="B")
    person = ann(homes={"a": one, "b": two}, floors={1: Address(city="C", street="2")})
    homes = person.homes
    person.update_from({"homes": {"a": {"city": "AA"}, "c": {"city": "D"}}})
    assert person.homes is homes
    assert homes["a"] is one
    assert one == Address(city="AA", street="1")
    assert homes["b"] is two
    assert homes["c"] == Address(city="D")
    person.update_from({"floors": {"1": {"city": "CC"}, "2": {"city": "E"}}})
    assert person.floors == {1: Address(city="CC", street="2"), 2: Address(city="E")}


def test_untyped_dicts_are_merged_at_every_level() -> None:
    person = ann(meta={"a": {"b": 1, "c": [1]}, "d": 2})
    inner = person.meta["a"]
    person.update_from({"meta": {"a": {"c": [2]}}})
    assert person.meta == {"a": {"b": 1, "c": [2]}, "d": 2}
    assert person.meta["a"] is inner


def test_lists_are_replaced() -> None:
    person = ann(past=[Address(city="A"), Address(city="B")])
    person.update_from({"past": [{"city": "C"}]})
    assert person.past == [Address(city="C")]


def test_frozen_models_are_replaced_by_a_changed_copy() -> None:
    person = ann()
    held = person.pin
    person.update_from({"pin": {"x": 5}})
    assert (person.pin, held) == (Pin(x=5, y=2), Pin(x=1, y=2))


def test_dataclasses_and_typed_dicts() -> None:
    person = ann(size=Size(1, 2, {"a": 1}), options={"theme": "dark", "page": {"rows": 5}})
    size, options = person.size, person.options
    person.update_from({"size": {"width": "9", "note": {"b": 2}}, "options": {"page": {"at": 1}}})
    assert person.size is size
    assert size == Size(9, 2, {"a": 1, "b": 2})
    assert person.options is options
    assert options == {"theme": "dark", "page": {"rows": 5, "at": 1}}
    with pytest.raises(ValidationError) as caught:
        person.update_from({"size": {"width": "wide"}})
    assert caught.value.errors()[0]["loc"] == ("size", "width")


def test_pydantic_dataclasses() -> None:
    @pydantic_dataclasses.dataclass(config=ConfigDict(strict=True))
    class Box:
        width: int = Field(alias="w")
        depth: int = 1

    class Parcel(lm.PersistableBase):
        box: Box

    parcel = Parcel(box=Box(w=1, depth=4))  # type: ignore[call-arg]
    held = parcel.box
    parcel.update_from({"box": {"w": 3}})
    assert parcel.box is held
    assert (held.width, held.depth) == (3, 4)
    with pytest.raises(ValidationError):
        parcel.update_from({"box": {"w": "3"}})


def test_a_union_of_models() -> None:
    person = ann()
    person.update_from({"pet": {"name": "Mog"}})
    assert person.pet == Cat(name="Mog")
    with pytest.raises(ValidationError, match="cat"):
        person.update_from({"pet": {"kind": "dog"}})
    assert person.update_from({"pet": Dog(name="Rex")}).pet == Dog(name="Rex")
    person.update_from({"pet": {"kind": "cat", "name": "Tom"}}, partial=False)
    assert person.pet == Cat(name="Tom")


def test_a_root_model_is_replaced() -> None:
    class Tags(RootModel[list[str]]):
        pass

    class Post(lm.PersistableBase):
        tags: Tags

    post = Post(tags=Tags(["a"]))
    assert post.update_from({"tags": ["b"]}).tags == Tags(["b"])


def test_counters_send_the_difference() -> None:
    person = Person.from_doc(ann(visits=5).dump_doc())
    person.update_from({"visits": 7})
    assert planned_update(person).update["$inc"] == {"visits": 2}


def test_only_what_changes_is_sent() -> None:
    person = Person.from_doc(ann().dump_doc())
    person.update_from({"address": {"city": "Brno"}, "name": "Ann"})
    assert planned_update(person).update["$set"].keys() == {"address.city", "touched", "revision"}


# Models as patches


class UpdateAddress(BaseModel):
    city: str | None = None
    street: str | None = None


class UpdatePerson(BaseModel):
    name: str | None = None
    age: int | None = None
    address: UpdateAddress | None = None
    work: UpdateAddress | None = None
    past: list[UpdateAddress] | None = None


def test_a_model_gives_the_fields_that_were_set_at_every_level() -> None:
    person = ann(age=7)
    held = person.address
    patch = UpdatePerson(
        name="Eve",
        address=UpdateAddress(street="Side"),
        work=UpdateAddress(city="W"),
        past=[UpdateAddress(city="P")],
    )
    person.update_from(patch)
    assert (person.name, person.age) == ("Eve", 7)
    assert person.address is held
    assert held == Address(city="Prague", street="Side")
    assert (person.work, person.past) == (Address(city="W"), [Address(city="P")])
    assert person.work is not None
    assert person.work.model_fields_set == {"city"}


def test_a_model_with_a_field_that_the_document_lacks() -> None:
    class Wrong(BaseModel):
        name: str = ""
        agee: int = 0

    person = ann()
    assert person.update_from(Wrong(name="Eve")).name == "Eve"
    with pytest.raises(lm.UnknownFieldError) as caught:
        person.update_from(Wrong(agee=4))
    assert caught.value.nearest == "age"


def test_an_object_of_the_same_class() -> None:
    person = ann()
    person.update_from(Person.model_construct({"name"}, name="Eve"))
    assert person.name == "Eve"
    with pytest.raises(lm.QueryError, match="id"):
        person.update_from(Person(id=ObjectId(), name="Eve"))


def test_a_patch_shares_nothing_with_its_objects() -> None:
    patch = {"work": Address(city="A"), "meta": {"list": [1]}}
    one, two = ann().update_from(patch), ann().update_from(patch)
    one.update_from({"work": {"city": "B"}})
    one.meta["list"].append(2)
    assert two.work == Address(city="A")
    assert two.meta == {"list": [1]}
    assert patch["meta"] == {"list": [1]}
