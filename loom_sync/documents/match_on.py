# Generated from loom_async/documents/match_on.py by `nox -s sync`: edit that file.
"""`persist_many(match_on=…)`: objects that are upserted by a natural key get what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from loom_async._core.bson_codec import encode_bson
from loom_async._core.collections.natural_keys import natural_key
from loom_async._core.errors import LedgerIsAppendOnly
from loom_async._core.model.absorb import absorb_modification
from loom_async._core.model.append_only import is_append_only
from loom_async._core.model.bulk_plan import BulkAccount, Step
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.upsert_plan import Planner, joint_filters, upsert_planner
from loom_async._core.model.write_attempt import Upsert
from loom_async._core.transactions.journal import absorb

from ..operations.target import Target


def planner_of(model: type[DocumentModel], match_on: Iterable[str]) -> Planner:
    """Return what plans the write of each object.

    Raises:
        LedgerIsAppendOnly: The model is a ledger.
        UnknownFieldError: The model has no such field.
        ConfigurationError: No declared index is unique on the fields.
    """
    if is_append_only(model):
        raise LedgerIsAppendOnly(
            f"{model.__name__} is a ledger, whose documents never change: match_on is refused",
            hint="persist_many() without match_on inserts",
        )
    fields = natural_key(model, match_on, "match_on")
    return upsert_planner([field.stored_name for field in fields])


def absorb_upserts(
    target: Target,
    model: type[DocumentModel],
    steps: Sequence[Step],
    account: BulkAccount,
    *,
    inserted: int,
    modified: int,
) -> None:
    """Make objects agree with the documents of their keys, and count them.

    Parameters:
        target: Where they were written.
        model: The model.
        steps: The upserts that have happened.
        account: Gets the counts.
        inserted: How many of them inserted a document.
        modified: How many of them changed one.
    """
    plans = list(_plans(steps))
    stored: dict[bytes, dict[str, Any]] = {}
    with target.call(f"persist_many of {model.__name__}: read back"):
        for query in joint_filters(plans) if plans else ():
            # In one batch: a cancelled call leaves no cursor open on the server.
            cursor = target.primary.find(query, batch_size=len(plans) + 1, session=target.session)
            for document in cursor.to_list():
                stored[_key_bytes(plans[0], document)] = document
        for plan in plans:
            key = _key_bytes(plan, plan.key)
            if key not in stored:  # 1 also finds 1.0
                found = target.primary.find_one(plan.query, session=target.session)
                if found is not None:
                    stored[key] = found
    for step, plan in zip(steps, plans, strict=True):
        found = stored.get(_key_bytes(plan, plan.key))
        # It has been deleted since if it is missing.
        raw = plan.change.expected if found is None else encode_bson(found)
        absorb(step.document, partial(absorb_modification, step.document, plan.change, raw))
        account.documents.append(step.document)
    account.inserted += inserted
    account.updated += modified
    account.unchanged += max(0, len(steps) - inserted - modified)


def _plans(steps: Sequence[Step]) -> Iterator[Upsert]:
    for step in steps:
        if isinstance(step.plan, Upsert):
            yield step.plan


def _key_bytes(plan: Upsert, document: Any) -> bytes:
    return encode_bson({name: document.get(name) for name in plan.key})
