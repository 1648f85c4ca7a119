"""`persist_many`: many documents in few commands, with the outcome of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest

from .. import _concurrency
from .._core.clock import now
from .._core.errors import BulkEntry, LoomError
from .._core.model.bulk_plan import (
    BulkAccount,
    Part,
    check_documents,
    first_of_each,
    plan_in_slices,
)
from .._core.model.document import DocumentModel, attempts_of, stores_new
from .._core.model.upsert_plan import Planner
from .._core.model.write_plan import is_recorded, plan_persist
from .._core.model.write_results import PersistResult
from ..operations.attempts import finish
from ..operations.bulk_command import MAX_STATEMENTS
from ..operations.target import Target, target_of
from . import hooks
from .hooks import run_before
from .join_transaction import join_transaction
from .match_on import planner_of
from .unknown_outcome import settle
from .write_steps import write_steps

# The documents of a part while the next one is planned: fewer need more commands, with more the
# server waits longer for the first.
_PLANNED_AHEAD = 2_000


async def persist_many(
    model: type[DocumentModel],
    documents: Iterable[DocumentModel],
    *,
    ordered: bool,
    match_on: Iterable[str] | None = None,
) -> PersistResult:
    """Write new and changed documents of one model; see `PersistableBase.persist_many`."""
    plan_write = plan_persist if match_on is None else planner_of(model, match_on)
    checked = check_documents(model, documents)
    account = BulkAccount(ordered)
    distinct = first_of_each(checked, account)
    if any(hooks.has(kind, "before_persist") for kind in set(map(type, checked))):
        await run_before("before_persist", *(document for _, document in distinct))
    async with _concurrency.ObjectLock(*checked) as lock:
        await join_transaction(lock, *checked)
        if distinct:
            bulk = _Bulk(await target_of(model), model, account, plan_write)
            await _persist_parts(bulk, lock, distinct)
    await hooks.run("after_persist", account.documents)
    return account.finish(model)


@dataclass
class _Bulk:
    """One call of `persist_many`; all times that it writes are the same."""

    target: Target
    model: type[DocumentModel]
    account: BulkAccount
    plan_write: Planner
    moment: datetime = field(default_factory=now)

    def may_plan_ahead(self, documents: Sequence[tuple[int, DocumentModel]]) -> bool:
        """Say whether the writes of documents depend on no outcome of earlier ones."""
        is_free = self.target.session is None and not self.account.ordered
        return is_free and not any(attempts_of(document) for _, document in documents)


async def _persist_parts(
    bulk: _Bulk, lock: _concurrency.ObjectLock, distinct: Sequence[tuple[int, DocumentModel]]
) -> None:
    """Write documents part by part; where possible, a part is planned while one is under way."""
    plans_ahead = bulk.may_plan_ahead(distinct)
    size = _PLANNED_AHEAD if plans_ahead else MAX_STATEMENTS
    parts = [Part(distinct[start : start + size]) for start in range(0, len(distinct), size)]
    objects = [document for _, document in distinct]
    for part, following in zip_longest(parts, parts[1:]):
        work = _persist_part(bulk, part, following if plans_ahead else None)
        if not await finish(lock, bulk.target, work, objects):
            break


async def _persist_part(bulk: _Bulk, part: Part, following: Part | None) -> bool:
    """Write a part of the documents, and return whether the next part may follow.

    Parameters:
        bulk: The call.
        part: The documents.
        following: The part to plan while this one is under way.
    """
    account = bulk.account
    if part.steps is None:
        documents = part.documents
        if any(attempts_of(document) for _, document in documents):
            pairs = [pair for pair in documents if await _is_settled(bulk.target, *pair, account)]
            part = Part(pairs)
        if account.is_stopped:
            return False
        deque(plan_in_slices(part, bulk.moment, account, bulk.plan_write), maxlen=0)
    work = write_steps(bulk.target, bulk.model, part.steps or (), account)
    if following is None:
        return await work
    planning = plan_in_slices(following, bulk.moment, account, bulk.plan_write)
    return await _concurrency.run_beside(work, planning)


async def _is_settled(
    target: Target, index: int, document: DocumentModel, account: BulkAccount
) -> bool:
    """Settle earlier writes of an object, and return whether it may need a write."""
    if attempts_of(document) and not account.is_stopped:
        was_new = stores_new(document)
        try:
            has_happened = await settle(target, document)
        except LoomError as error:
            account.failures.append(BulkEntry(index, document.id, str(error)))
            return False
        if has_happened:
            account.settled[id(document)] = was_new
            if is_recorded(document):
                account.without_plan(document)
                return False
    return True
