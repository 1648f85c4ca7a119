"""Every error Loom raises: one root, each also the built-in it resembles, facts as attributes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from .picklable import deeply_copied, portable
from .server_codes import DUPLICATE_KEY

E = TypeVar("E", bound="LoomError")


class LoomError(Exception):
    """The root of every error that Loom raises.

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
        # By default pickle calls the class with the message alone, and most take facts besides. An
        # error that cannot be loaded breaks a process pool: a fact that cannot becomes its repr.
        facts = {name: portable(value) for name, value in vars(self).items()}
        return _restored, (type(self), portable(self.args), facts)

    def __copy__(self) -> Self:
        return _restored(type(self), self.args, vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        facts = {name: deeply_copied(value, memo) for name, value in vars(self).items()}
        return _restored(type(self), self.args, facts)


def _restored(kind: type[E], args: tuple[Any, ...], facts: Mapping[str, Any]) -> E:
    """Return an error as it was, without calling its `__init__`."""
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(facts)
    return error


class ConfigurationError(LoomError, ValueError):
    """A setting, a declaration or the environment does not allow the operation."""


class EmbeddedServerError(LoomError, RuntimeError):
    """The embedded mongod could not be started or did not become ready."""


class ConnectionFailed(LoomError, ConnectionError):
    """The server could not be reached, or the connection broke before it answered."""


class OperationTimeout(LoomError, TimeoutError):
    """The server did not answer within the configured time."""


class OutcomeUnknown(LoomError, RuntimeError):
    """An earlier write of this object may have happened, and the server cannot tell any more.

    Its reply was lost, and since then its client was closed, the server forgot it after 20 minutes,
    or it was a commit. `reload()` shows what is stored.
    """


class AuthenticationFailed(LoomError, PermissionError):
    """The server refused the credentials, or they do not allow the operation."""


class OperationFailed(LoomError, RuntimeError):
    """The server refused an operation; `code` is MongoDB's error code."""

    def __init__(self, message: str, *, code: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class DuplicateKey(OperationFailed, ValueError):
    """A write would give two documents the same value of a unique index.

    `key` maps the fields of the index to the value that is already there, where the server told.
    """

    def __init__(self, message: str, *, key: dict[str, Any], hint: str | None = None) -> None:
        super().__init__(message, code=DUPLICATE_KEY, hint=hint)
        self.key = key


class IndexConflict(OperationFailed, ValueError):
    """A declared index contradicts the collection's data or an index that exists."""


class ObjectInUse(LoomError, RuntimeError):
    """A blocking operation would wait for another one of its own thread, which cannot end."""


class TransactionError(LoomError, RuntimeError):
    """An operation cannot be part of the transaction that it is in, or this cannot be committed."""


class TransactionAborted(TransactionError):
    """A transaction met a passing obstacle, a conflict say, and has left nothing behind.

    Running the whole of it again may succeed: `@lm.transactional` and `lm.in_transaction` do.
    """


class LedgerIsAppendOnly(LoomError, TypeError):
    """A call would change or delete what a ledger has recorded; nothing was sent."""


class InvalidId(LoomError, ValueError):
    """A value can never be the id of a document of this model; `value` holds it."""

    def __init__(self, message: str, *, value: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.value = value


class DocumentNotFound(LoomError, LookupError):
    """A loaded document is no longer in its collection; `id` names it."""

    def __init__(self, message: str, *, id: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.id = id


class StaleDocument(LoomError, RuntimeError):
    """Another writer has changed a document since it was loaded, so that nothing was written.

    `id` names the document, `revision` is the one that it has now, and `loaded` the one that the
    object was loaded with.
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

    `field` is the value's path, `types` names the types that MongoDB has there, and `id` is the
    `_id` of the first document that has one.
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
    """A stored document does not fit its model.

    `id` names the document and `fields` maps each offending path to its reason.
    """

    def __init__(
        self, message: str, *, id: object, fields: dict[str, str], hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.id = id
        self.fields = fields


class EncodingError(LoomError, ValueError):
    """A value cannot be stored as BSON; `path` says where it is and `reason` why."""

    def __init__(self, reason: str, *, path: str, hint: str | None = None) -> None:
        place = f"the value at {path!r}" if path else "a value"
        super().__init__(f"{place} cannot be stored: {reason}", hint=hint)
        self.reason = reason
        self.path = path


class UnknownFieldError(LoomError, LookupError, AttributeError):
    """A query names a field that the model does not have; `path` holds it.

    `nearest` is the closest name that exists, or None.
    """

    def __init__(self, path: str, *, where: str, known: Iterable[str]) -> None:
        names = sorted(known)
        last = path.rsplit(".", 1)[-1]
        self.path = path
        self.nearest: str | None = next(iter(difflib.get_close_matches(last, names, 1, 0.6)), None)
        super().__init__(
            f"{where} has no field {last!r}" + (f" (in {path!r})" if last != path else ""),
            hint=f"did you mean {self.nearest!r}?"
            if self.nearest
            else f"the fields are {', '.join(names)}",
        )

    def within(self, place: str) -> UnknownFieldError:
        """Return the error with a message that says where the name was found."""
        message = f"{place} names a field that is not there: {self.message}"
        super().__init__(message, hint=self.hint)
        return self


class QueryError(LoomError, TypeError, ValueError):
    """A query cannot be built from what was given."""


@dataclass(frozen=True)
class BulkEntry:
    """One document that a bulk write refused: its place in the input, its id, and why."""

    index: int
    id: object
    reason: str


class BulkError(LoomError, ValueError):
    """Some documents of a bulk write were refused; `entries` has one `BulkEntry` for each.

    `inserted` and `updated` count what was written all the same.
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
