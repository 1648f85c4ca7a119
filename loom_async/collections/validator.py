"""Sets the validator of a model's collection."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pymongo.errors import OperationFailure

from .._core.argument_checks import check_choice
from .._core.collections.document_schema import document_schema
from .._core.model.document import DocumentModel
from .._core.server_codes import NAMESPACE_EXISTS, NAMESPACE_NOT_FOUND
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import refuse_in_transaction
from ..connection.driver_types import MongoCollection
from .find import collection_of

ValidationLevel: TypeAlias = Literal["strict", "moderate", "off"]
ValidationAction: TypeAlias = Literal["error", "warn"]

_LEVELS = ("strict", "moderate", "off")
_ACTIONS = ("error", "warn")


async def ensure_validator(
    model: type[DocumentModel], *, level: ValidationLevel, action: ValidationAction
) -> dict[str, Any]:
    """Set the validator of a model's collection; see `PersistableBase.ensure_validator`."""
    check_choice("level", level, _LEVELS)
    check_choice("action", action, _ACTIONS)
    refuse_in_transaction(f"the validator of {model.__name__} cannot be set")
    schema = document_schema(model)
    options: dict[str, Any] = {
        "validator": {"$jsonSchema": schema},
        "validationLevel": level,
        "validationAction": action,
    }
    collection = await collection_of(model, indexed=False)
    with TracedCall(f"set the validator of {model.__name__}"):
        if not await _succeeds("collMod", collection, options, except_code=NAMESPACE_NOT_FOUND):
            created = await _succeeds("create", collection, options, except_code=NAMESPACE_EXISTS)
            if not created:  # another client created it in between
                await collection.database.command("collMod", collection.name, **options)
    return schema


async def _succeeds(
    command: str, collection: MongoCollection, options: dict[str, Any], *, except_code: int
) -> bool:
    """Run a command on a collection; return False if it fails with the given error code."""
    try:
        await collection.database.command(command, collection.name, **options)
    except OperationFailure as error:
        if error.code != except_code:
            raise
        return False
    return True
