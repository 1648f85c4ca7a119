"""Models as documents: stored names, extra fields, nested subclasses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, SecretStr

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.document import baseline
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, Mode, Point, stored_and_loaded


def test_aliases_secrets_urls_and_excluded_fields_of_a_strict_model() -> None:
    class Strict(lm.PersistableBase):
        model_config = ConfigDict(strict=True)

        name: str = Field(alias="fullName")
        secret: SecretStr
        url: AnyUrl
        hidden: int = Field(default=1, exclude=True)
        numbers: set[int] = set()
        mode: Mode = Mode.ON

    document = Strict(fullName="A", secret=SecretStr("s3"), url=AnyUrl("http://x.y/"), hidden=5)
    loaded = stored_and_loaded(document)
    assert loaded == document
    stored = decode_bson(baseline(document))  # type: ignore[arg-type]
    assert stored["fullName"] == "A"
    assert stored["secret"] == "s3"
    assert stored["hidden"] == 5


def test_extra_fields_are_stored_and_their_edits_found() -> None:
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

        name: str

    document = Open(name="a", more={"x": [1, {"y": Decimal("1.0")}]})  # type: ignore[call-arg]
    loaded = stored_and_loaded(document)
    assert loaded == document
    loaded.more["x"][1]["y"] = 2
    plan = plan_persist(loaded, NOW)
    assert plan.update == {"$set": {"more.x.1.y": 2}}  # type: ignore[union-attr]


def test_an_object_that_would_load_as_another_class_is_refused() -> None:
    class Special(Point):
        extra: int = 0

    class Holder(lm.PersistableBase):
        point: Point

    document = Holder(point=Special(x=1, extra=7))
    with pytest.raises(lm.EncodingError, match=r"'point'.* a Special would load as a Point"):
        plan_persist(document, NOW)


def test_an_object_has_the_values_of_enums_after_it_is_stored_if_its_class_uses_them() -> None:
    class Inner(BaseModel):
        model_config = ConfigDict(use_enum_values=True)

        mode: Mode = Mode.ON
        modes: list[Mode] = [Mode.OFF]

    class Outer(lm.PersistableBase):
        model_config = ConfigDict(use_enum_values=True)

        mode: Mode = Mode.ON
        inner: Inner = Inner()

    document = Outer()
    assert document == stored_and_loaded(document)
    assert (document.mode, document.inner.mode, document.inner.modes) == ("on", "on", ["off"])
