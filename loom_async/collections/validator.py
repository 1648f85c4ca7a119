"""The validator of a collection: what the server refuses, whoever writes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pymongo.errors import OperationFailure

from .._core.argument_checks import check_choice
from .._core.collections.document_schema import document_schema
from .._core.model.document import DocumentModel
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import refuse_in_transaction
from ..connection.driver_types import MongoCollection
from .find import collection_of

ValidationLevel: TypeAlias = Literal["strict", "moderate", "off"]
ValidationAction: TypeAlias = Literal["error", "warn"]

_LEVELS = ("strict", "moderate", "off")
_ACTIONS = ("error", "warn")
_NO_COLLECTION, _COLLECTION_EXISTS = 26, 48


async def ensure_validator(
    model: type[DocumentModel], *, level: ValidationLevel, action: ValidationAction
) -> dict[str, Any]:
    """Put a validator on a model's collection; see `PersistableBase.ensure_validator`."""
    check_choice("level", level, _LEVELS)
    check_choice("action", action, _ACTIONS)
    refuse_in_transaction(f"the validator of {model.__name__} cannot be set")
    schema = document_schema(model)
    options = {
        "validator": {"$jsonSchema": schema},
        "validationLevel": level,
        "validationAction": action,
    }
    collection = await collection_of(model, indexed=False)
    with TracedCall(f"set the validator of {model.__name__}"):
        if not await _done("collMod", collection, options, unless=_NO_COLLECTION):
            made = await _done("create", collection, options, unless=_COLLECTION_EXISTS)
            if not made:  # another one has made it meanwhile
                await _done("collMod", collection, options)
    return schema


async def _done(
    command: str, collection: MongoCollection, options: dict[str, Any], *, unless: int | None = None
) -> bool:
    """Run a command on a collection; return False if the server answers with an error's code."""
    try:
        await collection.database.command(command, collection.name, **options)
    except OperationFailure as error:
        if error.code != unless:
            raise
        return False
    return True
