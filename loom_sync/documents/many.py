# Generated from loom_async/documents/many.py by `nox -s sync`: edit that file.
"""Many documents in few writes, each one's outcome known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from bson.raw_bson import RawBSONDocument

from loom_async._core.clock import now
from loom_async._core.driver_errors import duplicate_key, translate
from loom_async._core.errors import BulkEntry, LoomError
from loom_async._core.model.absorb import absorb_insertion, absorb_modification
from loom_async._core.model.bulk_plan import (
    BulkAccount,
    Step,
    check_documents,
    first_of_each,
    groups,
    plan_steps,
)
from loom_async._core.model.diff import as_bytes
from loom_async._core.model.document import DocumentModel, attempts_of, set_attempts, stores_new
from loom_async._core.model.hydration import collector_paused, encode
from loom_async._core.model.write_plan import Insertion, Modification, is_recorded
from loom_async._core.model.write_results import PersistResult
from loom_async._core.model.write_statements import (
    batches,
    insert_many,
    size_of,
    statement,
    update_many,
)
from loom_async._core.server_codes import DUPLICATE_KEY
from loom_async._core.transactions.journal import absorb
from loom_async._core.validation_failures import reason_of
from loom_async._core.write_replies import executed, not_confirmed, not_matched, write_errors

from .. import _concurrency
from ..operations.bulk_command import MAX_STATEMENTS, max_statements, send_many
from ..operations.target import Target, target_of
from ..operations.transactions import join_transaction
from ..operations.write_attempt import WriteAttempt, finish, forget_settled
from ..operations.write_command import WriteCommand
from . import hooks
from .hooks import run_before
from .unknown_outcome import settle
from .update_one import write


def persist_many(
    model: type[DocumentModel], documents: Iterable[DocumentModel], *, ordered: bool
) -> PersistResult:
    """Write new and changed documents of one model; see `PersistableBase.persist_many`."""
    checked = check_documents(model, documents)
    account = BulkAccount(ordered)
    distinct = first_of_each(checked, account)
    moment = now()
    if any(hooks.has(kind, "before_persist") for kind in set(map(type, checked))):
        run_before("before_persist", *(document for _, document in distinct))
    with _concurrency.ObjectLock(*checked) as objects:
        join_transaction(objects, *checked)
        target = target_of(model) if distinct else None
        for start in range(0, len(distinct), MAX_STATEMENTS):
            assert target is not None
            chunk = distinct[start : start + MAX_STATEMENTS]
            chunked = _persist_chunk(target, model, chunk, moment, account)
            if not finish(objects, target, chunked, checked):
                break
    hooks.run("after_persist", account.documents)
    return account.finish(model)


def _persist_chunk(
    target: Target,
    model: type[DocumentModel],
    documents: Sequence[tuple[int, DocumentModel]],
    moment: datetime,
    account: BulkAccount,
) -> bool:
    """Write a part of the documents, and say whether the next part may follow."""
    documents = [pair for pair in documents if _is_settled(target, *pair, account)]
    if account.is_stopped:
        return False
    with collector_paused():
        steps = plan_steps(documents, moment, account)
    # What was planned before a failure is still sent: it comes earlier in the input.
    for group in groups(steps, ordered=account.ordered):
        sizes = [size_of(step.plan) for step in group]
        for part in batches(sizes, max_statements(target)):
            if not _write(target, model, group[part], account):
                return False
    return not account.is_stopped


def _is_settled(target: Target, index: int, document: DocumentModel, account: BulkAccount) -> bool:
    """Find out what has become of earlier writes of an object; say whether it is to be planned."""
    if attempts_of(document) and not account.is_stopped:
        was_new = stores_new(document)
        try:
            has_happened = settle(target, document)
        except LoomError as error:
            account.failures.append(BulkEntry(index, document.id, str(error)))
            return False
        if has_happened:
            account.settled[id(document)] = was_new
            if is_recorded(document):
                account.without_plan(document)
                return False
    return True


def _write(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> bool:
    """Write steps of one kind, enter what becomes of each, and say whether others may follow."""
    # Not among what could not be planned: that comes later in the input.
    failures = len(account.failures)
    while steps:
        if steps[0].is_alone:
            _write_alone(target, steps[0], account)
            steps = steps[1:]
        else:
            steps = _write_together(target, model, steps, account)
        if account.is_given_up or (account.ordered and len(account.failures) > failures):
            return False
    return True


def _write_together(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> Sequence[Step]:
    """Send steps as one command, and return those that it has not got to."""
    action = f"persist_many of {model.__name__}"
    name, plans = target.collection.name, [step.plan for step in steps]
    if steps[0].is_insert:
        new = [RawBSONDocument(plan.raw) for plan in plans if isinstance(plan, Insertion)]
        body = insert_many(name, new, ordered=account.ordered)
    else:
        body = update_many(name, [*map(statement, plans)], ordered=account.ordered)
    command = WriteCommand(target.collection, body)
    if target.session is None:  # a transaction has an outcome as a whole
        _note(command, steps)
    try:
        with target.call(action) as turn:
            reply = send_many(target, turn, command)
        left = _take_in(target, model, steps, reply, account)
        command.settle()
    finally:
        _note_parts(command, steps)
    failure = not_confirmed(reply)
    if failure is not None:
        raise translate(failure, action) from failure
    return left


def _note(command: WriteCommand, steps: Sequence[Step]) -> None:
    """Have each object remember a command until it agrees with what becomes of it."""
    for step in steps:
        attempt = WriteAttempt(step.plan)
        attempt.command = command
        set_attempts(step.document, (*attempts_of(step.document), attempt))


def _note_parts(command: WriteCommand, steps: Sequence[Step]) -> None:
    """Have each object know the command by which the outcome of its own write can be asked for."""
    for place, step in enumerate(steps):
        for attempt in attempts_of(step.document) if command.is_unknown else ():
            if isinstance(attempt, WriteAttempt) and attempt.command is command:
                attempt.command = command.part(place)
        forget_settled(step.document)


def _take_in(
    target: Target,
    model: type[DocumentModel],
    steps: Sequence[Step],
    reply: dict[str, Any],
    account: BulkAccount,
) -> Sequence[Step]:
    """Make objects agree with what was written, enter what was not, and return what is left.

    An ordered command ends with the first error. What it did behind that in an attempt before, it
    has done.
    """
    errors = write_errors(reply)
    end = min(errors) + 1 if account.ordered and errors else len(steps)
    done = [place for place in range(end) if place not in errors]
    done += [place for place in sorted(executed(reply)) if place >= end]
    if target.session is None or not errors:
        _absorb(target, model, [steps[place] for place in done], account)
    for place in sorted(errors):
        if place < end:
            _failed(target, steps[place], errors[place], account)
    if target.session is not None and errors:
        account.is_given_up = True  # the transaction has ended with the first failure
    return [steps[place] for place in sorted({*range(end, len(steps))}.difference(done))]


def _failed(target: Target, step: Step, details: dict[str, Any], account: BulkAccount) -> None:
    if not not_matched(details):
        account.fail(step, _reason(details))
    elif target.session is None:
        _write_alone(target, step, account)
    else:
        account.fail(step, "there is no document as the update needs it: deleted, or changed")


def _write_alone(target: Target, step: Step, account: BulkAccount) -> None:
    """Send an update that found no document as it needs it by itself, for its error or a retry."""
    try:
        write(target, step.document, step.plan)
    except LoomError as error:
        account.fail(step, error.message)
    else:
        account.written(step)


def _reason(details: dict[str, Any]) -> str:
    if details.get("code") == DUPLICATE_KEY:
        return duplicate_key(details, "duplicate key").message
    return reason_of(details)


def _absorb(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> None:
    modified: list[Step] = []
    with collector_paused():
        for step in steps:
            if isinstance(step.plan, Modification):
                modified.append(step)
            else:
                absorb(step.document, partial(absorb_insertion, step.document, step.plan))
                account.written(step)
    if modified:
        _absorb_modified(target, model, modified, account)


def _absorb_modified(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> None:
    # The reply has counts alone: what counters have become, and others have changed, shows here.
    ids = [step.plan.id for step in steps]
    with target.call(f"persist_many of {model.__name__}: read back"):
        key = {"_id": {"$in": ids}}
        # One reply: a cursor would stay open if this were cancelled.
        asked = target.primary.find(key, batch_size=len(ids) + 1, session=target.session)
        found = asked.to_list()
    by_id = {as_bytes(document["_id"]): document for document in found}
    for step in steps:
        plan: Any = step.plan
        stored = by_id.get(as_bytes(plan.id))
        raw = plan.expected if stored is None else encode(stored)  # or deleted since
        absorb(step.document, partial(absorb_modification, step.document, plan, raw))
        account.written(step)
