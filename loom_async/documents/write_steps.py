"""Writes the steps of `persist_many` in few commands, and enters the outcome of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bson.raw_bson import RawBSONDocument

from .._core.context import journals
from .._core.driver_errors import duplicate_key, translate
from .._core.errors import LoomError
from .._core.model.absorb import absorb_insertion, absorb_modification
from .._core.model.bulk_plan import BulkAccount, Step, groups
from .._core.model.document import DocumentModel, attempts_of, set_attempts
from .._core.model.hydration import collector_paused
from .._core.model.read_back import by_id, id_bytes
from .._core.model.upsert_plan import is_lost_race
from .._core.model.write_attempt import Insertion, Modification, Upsert, WriteAttempt
from .._core.model.write_statements import batches, insert_many, size_of, statement, update_many
from .._core.server_codes import DUPLICATE_KEY, TYPE_CONFLICTS
from .._core.transactions.journal import absorb
from .._core.validation_failures import reason_of
from .._core.write_replies import executed, not_confirmed, not_matched, write_errors
from ..operations.attempts import forget_settled
from ..operations.bulk_command import max_statements, send_many
from ..operations.target import Target
from ..operations.write_command import WriteCommand
from .find_by_id import find_raw
from .match_on import absorb_upserts
from .rebased_steps import rebased_steps
from .write_one import is_encrypted, sendable, write

# How often an upsert is sent again whose document other writers insert and delete.
_MAX_REPEATS = 10


async def write_steps(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> bool:
    """Write steps, enter their outcomes, and return whether others may follow."""
    if is_encrypted(target):
        steps = [step._replace(plan=sendable(target, step.plan)) for step in steps]
    if target.session is not None:
        steps = await rebased_steps(target, model, steps, account)
    # In an ordered write, the documents before a failure are still sent.
    for group in groups(steps, ordered=account.ordered):
        sizes = [size_of(step.plan) for step in group]
        for part in batches(sizes, max_statements(target)):
            if not await _write(target, model, group[part], account):
                return False
    return not account.is_stopped


async def _write(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> bool:
    """Write steps of one kind, enter their outcomes, and return whether others may follow."""
    # The failures so far are of documents that could not be encoded, and come later in the input.
    failures = len(account.failures)
    while steps:
        if steps[0].is_alone:
            await _write_alone(target, steps[0], account)
            steps = steps[1:]
        else:
            steps = await _write_together(target, model, steps, account)
        if account.is_given_up or (account.ordered and len(account.failures) > failures):
            return False
    return True


async def _write_together(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> Sequence[Step]:
    """Send steps as one command, and return those that it did not reach."""
    action = f"persist_many of {model.__name__}"
    with collector_paused():
        command = WriteCommand(target.collection, _body(target, steps, account))
        if target.session is None:  # the outcome is that of the transaction
            _record(command, steps)
    try:
        async with target.call(action) as call:
            reply = await send_many(target, call, command)
        left = await _absorb_reply(target, model, steps, reply, account)
        command.settle()
    finally:
        _split(command, steps)
    failure = not_confirmed(reply)
    if failure is not None:
        raise translate(failure, action) from failure
    return left


def _body(target: Target, steps: Sequence[Step], account: BulkAccount) -> dict[str, Any]:
    name, plans = target.collection.name, [step.plan for step in steps]
    if steps[0].is_insert:
        new = [RawBSONDocument(plan.raw) for plan in plans if isinstance(plan, Insertion)]
        return insert_many(name, new, ordered=account.ordered)
    return update_many(name, [*map(statement, plans)], ordered=account.ordered)


def _record(command: WriteCommand, steps: Sequence[Step]) -> None:
    """Record a command on each object until the object agrees with its outcome."""
    for step in steps:
        attempts = attempts_of(step.document)
        set_attempts(step.document, (*attempts, WriteAttempt(step.plan, command)))


def _split(command: WriteCommand, steps: Sequence[Step]) -> None:
    """Give each object a command of its own, by which its outcome can be found out."""
    for index, step in enumerate(steps):
        attempts = attempts_of(step.document)
        if not attempts:
            continue
        for attempt in attempts if command.is_unknown else ():
            if attempt.command is command:
                attempt.command = command.part(index)
        forget_settled(step.document)


async def _absorb_reply(
    target: Target,
    model: type[DocumentModel],
    steps: Sequence[Step],
    reply: dict[str, Any],
    account: BulkAccount,
) -> Sequence[Step]:
    """Make objects agree with their writes, enter the failures, and return the steps that are left.

    An ordered command ends with the first error. Steps after it count as done if an earlier attempt
    at the command did them.
    """
    errors = write_errors(reply)
    end = min(errors) + 1 if account.ordered and errors else len(steps)
    done = [index for index in range(end) if index not in errors]
    done += [index for index in sorted(executed(reply)) if index >= end]
    if target.session is None or not errors:
        await _absorb(target, model, steps, done, reply, account)
    again: list[int] = []
    for index in sorted(errors):
        if index >= end:
            continue
        if target.session is None and _may_repeat(steps[index], errors[index], account):
            again.append(index)
        else:
            await _handle_error(target, steps[index], errors[index], account)
    if target.session is not None and errors:
        account.is_given_up = True  # the first failure has ended the transaction
    return [steps[index] for index in sorted({*again, *range(end, len(steps))}.difference(done))]


def _may_repeat(step: Step, details: dict[str, Any], account: BulkAccount) -> bool:
    """Say whether to send an upsert again, since another writer has inserted its document."""
    if not is_lost_race(step.plan, details) or account.repeats[step.position] == _MAX_REPEATS:
        return False
    account.repeats[step.position] += 1
    return True


_UNMATCHED = "its document was deleted, or has another revision"


async def _handle_error(
    target: Target, step: Step, details: dict[str, Any], account: BulkAccount
) -> None:
    is_unmatched = not_matched(details)
    if step.is_upsert:
        account.fail(step, _reason(details))
    elif target.session is None and (is_unmatched or details.get("code") in TYPE_CONFLICTS):
        await _write_alone(target, step, account)
    else:
        account.fail(step, _UNMATCHED if is_unmatched else _reason(details))


async def _write_alone(target: Target, step: Step, account: BulkAccount) -> None:
    """Send a step alone, which finds out why it failed, or retries it."""
    assert not isinstance(step.plan, Upsert)
    try:
        is_written = await write(target, step.document, step.plan)
    except LoomError as error:
        account.fail(step, error.message)
    else:
        if is_written:
            account.written(step)
        else:
            account.without_plan(step.document)


def _reason(details: dict[str, Any]) -> str:
    if details.get("code") == DUPLICATE_KEY:
        return duplicate_key(details, "duplicate key").message
    return reason_of(details)


async def _absorb(
    target: Target,
    model: type[DocumentModel],
    steps: Sequence[Step],
    done: Sequence[int],
    reply: dict[str, Any],
    account: BulkAccount,
) -> None:
    """Make the objects of the steps that have happened agree with their documents."""
    happened = [steps[index] for index in done]
    if steps[0].is_upsert:
        inserted = len({entry["index"] for entry in reply.get("upserted", ())}.intersection(done))
        modified_count = min(reply.get("nModified", 0), len(done) - inserted)
        await absorb_upserts(
            target, model, happened, account, inserted=inserted, modified=modified_count
        )
        return
    modified: list[Step] = []
    with collector_paused():
        for step in happened:
            if isinstance(step.plan, Modification):
                modified.append(step)
            elif isinstance(step.plan, Insertion):
                if journals:
                    absorb(step.document, partial(absorb_insertion, step.document, step.plan))
                else:
                    absorb_insertion(step.document, step.plan)
                account.written(step)
    if modified:
        await _absorb_modified(target, model, modified, account)


async def _absorb_modified(
    target: Target, model: type[DocumentModel], steps: Sequence[Step], account: BulkAccount
) -> None:
    # The reply has only counts; the values of counters, and other writers' changes, are read back.
    async with target.call(f"persist_many of {model.__name__}: read back"):
        ids = [step.plan.id for step in steps]
        raws = by_id(await find_raw(target.primary, ids, session=target.session))
    for step in steps:
        plan: Any = step.plan
        raw = raws.get(id_bytes(plan.id)) or plan.expected  # or deleted since
        absorb(step.document, partial(absorb_modification, step.document, plan, raw))
        account.written(step)
