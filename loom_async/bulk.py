"""Many documents in few writes, each one's outcome known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from . import _seam, hooks
from ._core.doubt import Sending
from ._core.driver_errors import duplicate_key, translate
from ._core.model.absorb import absorb_insertion, absorb_modification
from ._core.model.bulk_plan import (
    BulkAccount,
    Step,
    check_documents,
    first_of_each,
    groups,
    plan_steps,
    split_outcome,
)
from ._core.model.changes import as_bytes
from ._core.model.document import DocumentModel, set_doubt
from ._core.model.hydration import collector_paused, encode
from ._core.model.markers import now
from ._core.model.plan import Insertion, Modification, holds
from ._core.model.results import PersistResult
from ._core.model.revisions import stale
from ._core.refusals import reason_of
from ._core.transaction import remember
from .targets import Target, target_of

# Documents planned, sent and absorbed at a time: other tasks run between two chunks.
_CHUNK = 5_000


async def persist_many(
    model: type[DocumentModel], documents: Iterable[DocumentModel], *, ordered: bool
) -> PersistResult:
    """Write new and changed documents of one model; see `PersistableBase.persist_many`."""
    checked = check_documents(model, documents)
    account = BulkAccount(ordered)
    distinct = first_of_each(checked, account)
    moment = now()
    remember(*checked)
    await hooks.run("before_persist", (document for _, document in distinct))
    async with _seam.Exclusively(*checked):
        for start in range(0, len(distinct), _CHUNK):
            await _persist_chunk(model, distinct[start : start + _CHUNK], moment, account)
            if account.is_stopped:
                break
    await hooks.run("after_persist", account.documents)
    return account.finish(model)


async def _persist_chunk(
    model: type[DocumentModel],
    documents: Sequence[tuple[int, DocumentModel]],
    moment: datetime,
    account: BulkAccount,
) -> None:
    with collector_paused():
        steps = plan_steps(documents, moment, account)
    # What was planned before a failure is still sent: it comes earlier in the input.
    for group in groups(steps, ordered=account.ordered):
        failures = len(account.failures)
        await _write(model, await target_of(model), group, account)
        if account.is_stopped or (account.ordered and len(account.failures) > failures):
            break


async def _write(
    model: type[DocumentModel],
    target: Target,
    steps: Sequence[Step],
    account: BulkAccount,
) -> None:
    errors: list[dict[str, Any]] = []
    missed = 0
    unacknowledged: BulkWriteError | None = None
    async with target.turn(f"persist_many of {model.__name__}") as turn:
        try:
            with Sending(*(step.document for step in steps)):
                missed = await _send(target, steps, ordered=account.ordered)
        except BulkWriteError as error:
            turn.failed(error)
            errors = list(error.details["writeErrors"])
            missed = len(steps)  # perhaps: the reply does not tell which
            if not errors:
                unacknowledged = error
    done, failed = split_outcome(steps, errors, ordered=account.ordered)
    for step in steps[len(done) + len(failed) :]:
        set_doubt(step.document, False)  # ordered: not sent
    if target.session is not None and failed:
        done = []  # the transaction has ended with the first failure
        account.is_given_up = True
    for step, details in failed:
        account.fail(step, _reason(details))
    await _absorb(model, target, done, account, is_certain=not missed)
    if unacknowledged is not None:
        raise translate(unacknowledged, f"persist_many of {model.__name__}") from unacknowledged


async def _send(target: Target, steps: Sequence[Step], *, ordered: bool) -> int:
    """Send steps of one kind, and return how many of them met no document."""
    collection, session = target.collection, target.session
    if steps[0].is_insert:
        documents: list[Any] = [RawBSONDocument(plan.raw) for plan in _insertions(steps)]
        await collection.insert_many(documents, ordered=ordered, session=session)
        return 0
    operations = [_operation(step) for step in steps]
    result = await collection.bulk_write(operations, ordered=ordered, session=session)
    return len(steps) - result.matched_count - result.upserted_count


def _insertions(steps: Sequence[Step]) -> list[Insertion]:
    return [step.plan for step in steps if isinstance(step.plan, Insertion)]


def _operation(step: Step) -> Any:
    if isinstance(step.plan, Insertion):
        document: Any = RawBSONDocument(step.plan.raw)
        return ReplaceOne({"_id": step.plan.id}, document, upsert=True)
    return UpdateOne({"_id": step.plan.id, **step.plan.condition}, step.plan.update)


def _reason(details: dict[str, Any]) -> str:
    if details.get("code") == 11000:
        return duplicate_key(details, "duplicate key").message
    return reason_of(details)


async def _absorb(
    model: type[DocumentModel],
    target: Target,
    steps: Sequence[Step],
    account: BulkAccount,
    *,
    is_certain: bool,
) -> None:
    modified: list[Step] = []
    with collector_paused():
        for step in steps:
            if isinstance(step.plan, Modification):
                modified.append(step)
            else:
                absorb_insertion(step.document, step.plan)
                account.written(step)
    if modified:
        await _absorb_modified(model, target, modified, account, is_certain=is_certain)


async def _absorb_modified(
    model: type[DocumentModel],
    target: Target,
    steps: Sequence[Step],
    account: BulkAccount,
    *,
    is_certain: bool,
) -> None:
    # A bulk write replies with counts alone: counters, and documents that are gone, show here.
    ids = [step.plan.id for step in steps]
    async with target.turn(f"persist_many of {model.__name__}: read back"):
        key = {"_id": {"$in": ids}}
        # One reply: a cursor would stay open if this were cancelled.
        asked = target.primary.find(key, batch_size=len(ids) + 1, session=target.session)
        found = await asked.to_list()
    by_id = {as_bytes(document["_id"]): document for document in found}
    for step in steps:
        stored = by_id.get(as_bytes(step.plan.id))
        if stored is None or not isinstance(step.plan, Modification):
            account.fail(step, "the document is no longer in the collection")
        elif step.plan.condition and not is_certain and not holds(stored, step.plan):
            account.fail(step, stale(model, step.plan.id, step.plan.condition, stored).message)
        else:
            absorb_modification(step.document, step.plan, encode(stored))
            account.written(step)
