"""The classes of all errors that Loom raises; each has its details as attributes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from .picklable import deeply_copied, picklable
from .server_codes import DUPLICATE_KEY

E = TypeVar("E", bound="LoomError")


class LoomError(Exception):
    """The base of every error that Loom raises.

    Parameters:
        message: What went wrong and where, in one sentence.
        hint: How to mend it; shown after the message.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Callable[..., LoomError], tuple[Any, ...]]:
        # By default pickle calls the class with the message only, but most need more arguments. An
        # error that cannot be loaded breaks a process pool, so attributes are made picklable.
        attributes = {name: picklable(value) for name, value in vars(self).items()}
        return _restored, (type(self), picklable(self.args), attributes)

    def __copy__(self) -> Self:
        return _restored(type(self), self.args, vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        attributes = {name: deeply_copied(value, memo) for name, value in vars(self).items()}
        return _restored(type(self), self.args, attributes)


def _restored(kind: type[E], args: tuple[Any, ...], attributes: Mapping[str, Any]) -> E:
    """Return an error with these attributes, without calling its `__init__`."""
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(attributes)
    return error


class ConfigurationError(LoomError, ValueError):
    """A setting, a declaration or the environment does not allow the operation."""


class EmbeddedServerError(LoomError, RuntimeError):
    """The embedded mongod could not be started or did not become ready."""


class ConnectionFailed(LoomError, ConnectionError):
    """The server could not be reached, or the connection broke before it answered."""


class OperationTimeout(LoomError, TimeoutError):
    """The server did not answer within the configured time, or worked longer than `max_time_ms`."""


class OutcomeUnknown(LoomError, RuntimeError):
    """An earlier write of this object may have happened, and the server cannot tell.

    The reply was lost, and the client was closed, 20 minutes have passed, or the write was part of
    a transaction: `reload()` loads what is stored. Or a transaction is in force, in which the
    server cannot be asked: `persist()` before it.
    """


class AuthenticationFailed(LoomError, PermissionError):
    """The server refused the credentials, or the user may not run the operation."""


class OperationFailed(LoomError, RuntimeError):
    """The server refused an operation; `code` is MongoDB's error code."""

    def __init__(self, message: str, *, code: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class DuplicateKey(OperationFailed, ValueError):
    """A write would give two documents the same key in a unique index.

    `key` maps the fields of the index to their values; it is empty if the server did not report it.
    """

    def __init__(self, message: str, *, key: dict[str, Any], hint: str | None = None) -> None:
        super().__init__(message, code=DUPLICATE_KEY, hint=hint)
        self.key = key


class IndexConflict(OperationFailed, ValueError):
    """A declared index conflicts with the collection's data or with an existing index."""


class ObjectInUse(LoomError, RuntimeError):
    """An operation cannot wait until another one releases its object.

    A blocking call would deadlock with an operation of its own thread; or a transaction of another
    task holds the object for longer than the setting `transaction_timeout`.
    """


class TransactionError(LoomError, RuntimeError):
    """An operation cannot be part of its transaction, or the transaction cannot be committed."""


class TransactionAborted(TransactionError):
    """A transaction was rolled back for a temporary reason, such as a conflict; nothing is stored.

    A retry may succeed: `@lm.transactional` and `lm.in_transaction` retry the whole transaction.
    """


class LedgerIsAppendOnly(LoomError, TypeError):
    """An operation would change or delete documents of a ledger; nothing was sent."""


class InvalidId(LoomError, ValueError):
    """A value cannot be the id of any document of this model; `value` is that value."""

    def __init__(self, message: str, *, value: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.value = value


class DocumentNotFound(LoomError, LookupError):
    """A loaded document, or a version of a blob, does not exist any more.

    `id` is the `_id` of the document.
    """

    def __init__(self, message: str, *, id: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.id = id


class StaleDocument(LoomError, RuntimeError):
    """Another writer has changed a document since it was loaded, so nothing was written.

    `id` is the document's `_id`, `revision` the stored revision, and `loaded` that of the object.
    """

    def __init__(
        self, message: str, *, id: object, revision: object, loaded: object, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.id: object = id
        self.revision: object = revision
        self.loaded: object = loaded


class LossyConversion(LoomError, ValueError):
    """A column cannot hold a stored value exactly.

    `field` is the path of the value, `types` has the names of the BSON types found there, and `id`
    is the `_id` of the first such document.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str,
        types: Sequence[str],
        id: object,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.types: tuple[str, ...] = tuple(types)
        self.id = id


class InvalidDocument(LoomError, ValueError):
    """A stored document does not fit its model, or an object that would be stored does not.

    Lists and other containers can be edited in place; they are validated before they are stored.
    `id` is the document's `_id`, and `fields` maps each invalid path to the reason.
    """

    def __init__(
        self, message: str, *, id: object, fields: dict[str, str], hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.id = id
        self.fields = fields


class EncodingError(LoomError, ValueError):
    """A value cannot be stored as BSON; `path` is its path, `reason` says why."""

    def __init__(self, reason: str, *, path: str, hint: str | None = None) -> None:
        value = f"the value at {path!r}" if path else "a value"
        super().__init__(f"{value} cannot be stored: {reason}", hint=hint)
        self.reason = reason
        self.path = path

    def below(self, name: str) -> EncodingError:
        """Return the error for the value that holds this one under a name."""
        path = f"{name}.{self.path}" if self.path else name
        return EncodingError(self.reason, path=path, hint=self.hint)


def too_deep(path: str) -> EncodingError:
    """Return the error for a value whose encoding does not end."""
    reason = "it contains itself, or is nested too deeply"
    return EncodingError(reason, path=path, hint="MongoDB holds 100 levels of documents")


class UnknownFieldError(LoomError, LookupError, AttributeError, ValueError):
    """A query, an index or a patch names a field that the model does not have; `path` is its path.

    `nearest` is the most similar name of a field, or None.
    """

    def __init__(
        self, path: str, *, where: str, known: Iterable[str], key: str | None = None
    ) -> None:
        """Create the error; `key` is the part of the path that is unknown, by default the last."""
        names = sorted(known)
        key = path.rsplit(".", 1)[-1] if key is None else key
        self.path = path
        self.nearest: str | None = next(iter(difflib.get_close_matches(key, names, 1, 0.6)), None)
        super().__init__(
            f"{where} has no field {key!r}" + (f" (in {path!r})" if key != path else ""),
            hint=f"did you mean {self.nearest!r}?"
            if self.nearest
            else f"the fields are {', '.join(names)}",
        )


class QueryError(LoomError, TypeError, ValueError):
    """A query, or an argument of a call, is invalid."""


@dataclass(frozen=True)
class BulkEntry:
    """A document that a bulk write refused: its index in the input, its id, and the reason."""

    index: int
    id: object
    reason: str


class BulkError(LoomError, ValueError):
    """Some documents of a bulk write were refused; `entries` has one `BulkEntry` for each.

    `inserted` and `updated` are the numbers of documents that were written.
    """

    def __init__(
        self,
        message: str,
        *,
        entries: Sequence[BulkEntry],
        inserted: int,
        updated: int,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.entries: tuple[BulkEntry, ...] = tuple(entries)
        self.inserted = inserted
        self.updated = updated
