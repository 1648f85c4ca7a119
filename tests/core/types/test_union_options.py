"""Options of a union that have one class: the one that stores the value as it is counts."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import RootModel

import loom_async as lm
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, stored_and_loaded

IDS = (UUID(int=1), UUID(int=2))
Half = Annotated[int, lm.NormalizeValue(lambda number: 100 // number)]


def holder(annotation: Any) -> Any:
    class Holder(lm.PersistableBase):
        value: annotation

    return Holder


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (tuple[lm.StrLower, ...] | tuple[UUID, UUID], IDS),
        (tuple[UUID, UUID] | tuple[lm.StrLower, ...], ("a",)),
        (list[lm.StrLower] | list[int], [1, 2]),
        (set[lm.StrUpper] | set[int], {1}),
        (dict[str, lm.StrLower] | dict[str, int], {"a": 1}),
        (dict[str, list[lm.StrLower] | list[UUID]], {"a": list(IDS), "b": ["x"]}),
        (list[Half] | list[str], ["a"]),
        (RootModel[list[lm.StrLower] | list[int]], RootModel[list[lm.StrLower] | list[int]]([1])),
    ],
)
def test_the_next_option_takes_what_the_first_refuses(annotation: Any, value: Any) -> None:
    document = holder(annotation)(value=value)
    loaded = stored_and_loaded(document)
    assert loaded.value == document.value == value
    assert plan_persist(loaded, NOW) is None


@pytest.mark.parametrize("annotation", [list[lm.StrLower], list[lm.StrLower] | list[UUID]])
def test_an_item_that_cannot_be_normalised_is_refused(annotation: Any) -> None:
    document = holder(annotation)(value=["a"])
    document.value.append(5)
    with pytest.raises(lm.EncodingError, match=r"'value'.* 5 cannot be normalised"):
        plan_persist(document, NOW)


def test_a_function_may_raise_any_error() -> None:
    document = holder(Half).model_construct(value=0)
    with pytest.raises(lm.EncodingError, match=r"'value'.* 0 cannot be normalised: .*zero"):
        plan_persist(document, NOW)
