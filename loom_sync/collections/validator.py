# Generated from loom_async/collections/validator.py by `nox -s sync`: edit that file.
"""Sets the validator of a model's collection."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pymongo.errors import OperationFailure

from loom_async._core.argument_checks import check_choice
from loom_async._core.collections.document_schema import document_schema
from loom_async._core.model.document import DocumentModel
from loom_async._core.server_codes import NAMESPACE_EXISTS, NAMESPACE_NOT_FOUND
from loom_async._core.traced_call import TracedCall
from loom_async._core.transactions.transaction_state import refuse_in_transaction

from ..connection.driver_types import MongoCollection
from .find import collection_of

ValidationLevel: TypeAlias = Literal["strict", "moderate", "off"]
ValidationAction: TypeAlias = Literal["error", "warn"]

_LEVELS = ("strict", "moderate", "off")
_ACTIONS = ("error", "warn")


def ensure_validator(
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
    collection = collection_of(model, indexed=False)
    with TracedCall(f"set the validator of {model.__name__}"):
        if not _succeeds("collMod", collection, options, except_code=NAMESPACE_NOT_FOUND):
            created = _succeeds("create", collection, options, except_code=NAMESPACE_EXISTS)
            if not created:  # another client created it in between
                collection.database.command("collMod", collection.name, **options)
    return schema


def _succeeds(
    command: str, collection: MongoCollection, options: dict[str, Any], *, except_code: int
) -> bool:
    """Run a command on a collection; return False if it fails with the given error code."""
    try:
        collection.database.command(command, collection.name, **options)
    except OperationFailure as error:
        if error.code != except_code:
            raise
        return False
    return True
