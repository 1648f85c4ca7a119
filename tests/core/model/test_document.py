"""The base class of persistable models."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

import loom_async as lm
from loom_async._core.model.document import attempts_of, baseline, has_unknown, set_attempts
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_attempt import LOST_COMMAND, WriteAttempt


class Item(lm.PersistableBase):
    name: str = ""


COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda item: item.model_copy(),
    lambda item: item.model_copy(deep=True),
    lambda item: pickle.loads(pickle.dumps(item)),
]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_remembers_the_stored_document(copied: Callable[[Any], Any]) -> None:
    item = hydrator(Item).one({"_id": ObjectId(), "name": "x"})
    assert copied(item) == item
    assert baseline(copied(item)) == baseline(item)
    assert baseline(copied(Item())) is None


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    ("attempts", "is_unknown"),
    [
        ((), False),
        ((WriteAttempt(None, is_unreported=True),), False),
        ((WriteAttempt(None, is_unreported=True), WriteAttempt(None, LOST_COMMAND)), True),
    ],
)
def test_a_copy_cannot_send_an_unknown_write_again(
    attempts: Any, is_unknown: bool, copied: Callable[[Any], Any]
) -> None:
    item = Item()
    set_attempts(item, attempts)
    assert has_unknown(copied(item)) is is_unknown
    assert all(attempt.command is LOST_COMMAND for attempt in attempts_of(copied(item)))


def test_json_and_its_schema_name_the_id_field_id() -> None:
    class User(lm.Persistable):
        name: str

    user = User(name="a")
    assert user.model_dump(mode="json")["id"] == str(user.id)
    assert User.model_validate_json(user.model_dump_json()) == user
    for mode in ("validation", "serialization"):
        properties = User.model_json_schema(mode=mode)["properties"]  # type: ignore[arg-type]
        assert "id" in properties
        assert "_id" not in properties
