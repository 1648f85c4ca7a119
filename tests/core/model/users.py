"""A model whose objects are written, and the replies to their writes, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from bson import ObjectId
from pydantic import BaseModel

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.codecs import model_codec
from loom_async._core.model.document import baseline
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Insertion, Modification, plan_persist
from tests.core.model.update_interpreter import applied

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=1)))
STORED_NOW = datetime(2026, 1, 2, 2, 4, 5, 678_000, tzinfo=UTC)


class Address(BaseModel):
    city: str = ""
    zip: str = ""


class Visit(BaseModel):
    at: datetime


class User(lm.PersistableBase):
    name: str = ""
    nick: lm.StrLower = ""
    visits: lm.IncrCounter = 0
    tags: set[str] = set()
    notes: list[int] = []
    address: Address = Address()
    last: Visit | None = None
    seen: list[datetime] = []
    touched: lm.TimeUpdated


def planned_insertion(document: Any) -> Insertion:
    plan = plan_persist(document, NOW)
    assert isinstance(plan, Insertion)
    return plan


def planned_update(document: Any) -> Modification:
    plan = plan_persist(document, NOW)
    assert isinstance(plan, Modification)
    return plan


def loaded(model: Any = User, **fields: Any) -> Any:
    """Return an object that was loaded from a whole document."""
    document = model.model_construct(id=ObjectId(), touched=None).dump_doc()
    return hydrator(model).one({**document, **fields})


def reply_to(document: Any, plan: Modification, **stored_meanwhile: Any) -> bytes:
    """Return the document after an update, on top of what another writer has stored."""
    stored = decode_bson(baseline(document))  # type: ignore[arg-type]
    return encode_bson(applied(plan.update, {**stored, **stored_meanwhile}))


def encoded(document: Any) -> dict[str, Any]:
    found: dict[str, Any] = model_codec(type(document)).encode(document)
    return found
