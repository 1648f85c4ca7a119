"""The steps of `persist_many` in a transaction, which an update that is refused would end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .._core.bson_codec import decode_bson
from .._core.driver_errors import TranslatedErrors
from .._core.errors import LoomError
from .._core.model.absorb import absorb_modification
from .._core.model.bulk_plan import BulkAccount, Step
from .._core.model.read_back import by_id, id_bytes
from .._core.model.rebasing import rebased
from .._core.model.write_attempt import Modification
from .._core.transactions.journal import absorb
from ..operations.target import Target
from .find_by_id import find_raw


async def rebased_steps(
    target: Target, model: type, steps: Sequence[Step], account: BulkAccount
) -> Sequence[Step]:
    """Return steps that the documents meet the conditions of, as the transaction sees these.

    Outside of a transaction, an update that does not apply is made again. A transaction does not
    survive it. But what it has read stays as it is to its end, or it is aborted.

    Parameters:
        target: Where the writes go.
        model: The model, for errors.
        steps: The steps as they were planned.
        account: Gets the updates that cannot be made, or have nothing left to write.
    """
    ids = [step.plan.id for step in steps if _is_conditional(step)]
    if not ids:
        return steps
    action = f"persist_many of {model.__name__}: read"
    async with target.call(action):
        raws = by_id(await find_raw(target.primary, ids, session=target.session))
    result: list[Step] = []
    for step in steps:
        try:
            following = _rebased_step(step, raws.get(id_bytes(step.plan.id)), action, account)
        except LoomError as error:
            account.fail(step, error.message)
            if account.ordered:
                break
        else:
            if following is not None:
                result.append(following)
    return result


def _is_conditional(step: Step) -> bool:
    return isinstance(step.plan, Modification) and bool(step.plan.condition)


def _rebased_step(step: Step, raw: bytes | None, action: str, account: BulkAccount) -> Step | None:
    plan = step.plan
    if not isinstance(plan, Modification) or not plan.condition:
        return step
    with TranslatedErrors(action):
        stored = None if raw is None else decode_bson(raw)
    following = rebased(step.document, plan, stored)
    if following is not None:
        return Step(step.position, step.document, following)
    assert raw is not None, "without a document, DocumentNotFound is raised"
    absorb(step.document, partial(absorb_modification, step.document, plan, raw))
    account.without_plan(step.document)
    return None
