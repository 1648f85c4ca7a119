"""The planned writes of objects, and the attempts to carry them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from .edits import Edit
from .update_document import Update

_NONE: Mapping[str, Any] = MappingProxyType({})


class Insertion(NamedTuple):
    """A new document in BSON; with `replace` it may take the place of one with its id.

    `auto_values` are the values that Loom filled in by field name; the object gets them once the
    document is stored.
    `coerced` is what the object's fields encode to whose values validation has changed, by stored
    name: the object gets the validated values.
    `is_as_loaded` is true if the object holds the values that a load would give.
    """

    id: Any
    raw: bytes
    auto_values: Sequence[tuple[str, Any]]
    replace: bool
    coerced: Mapping[str, Any] = _NONE
    is_as_loaded: bool = False


class Modification(NamedTuple):
    """The smallest update of a loaded document.

    `edits` are those of the user and the values that Loom fills in; `update` is MongoDB's form.
    `after` is what the object encodes to, once it is validated.
    `auto_values` is as for `Insertion`.
    `revision` is the revision that the document must still have; empty if the model has none.
    `condition` is the condition that what the update changes a part of is as it was loaded.
    `expected` is the document afterwards if no other writer changes it.
    `coerced` is as for `Insertion`.
    `size` is at least the size of the document before and after, and of the update, in bytes.
    """

    id: Any
    update: Update
    edits: Sequence[Edit]
    after: Mapping[str, Any]
    auto_values: Sequence[tuple[str, Any]]
    revision: Mapping[str, Any]
    condition: Mapping[str, Any]
    expected: bytes
    size: int
    coerced: Mapping[str, Any] = _NONE


class Upsert(NamedTuple):
    """The update of the document that has an object's natural key, or its insertion.

    `query` is the filter for this document, and `key` has the values of the key by stored name.
    `change` is the update with `$setOnInsert`; its `id` is that of a new document, and `expected`
    the new document.
    """

    query: Mapping[str, Any]
    key: Mapping[str, Any]
    change: Modification

    @property
    def id(self) -> Any:
        """The id that a new document gets."""
        return self.change.id


class Deletion(NamedTuple):
    """The deletion of a document."""

    id: Any


WritePlan: TypeAlias = Insertion | Modification


class SentCommand(Protocol):
    """The command of an attempt (`operations.write_command`)."""

    @property
    def is_unknown(self) -> bool:
        """True while the command may have been sent and its outcome is unknown."""
        ...

    def settle(self) -> None:
        """Note that the object agrees with the outcome."""
        ...


@dataclass(slots=True, eq=False)
class WriteAttempt:
    """A write of one object that may have been sent, alone in its command or one of many.

    An object remembers the attempts whose outcome is unknown. The packages share them: an object
    may be saved by both.

    `plan` is what it writes; None if that is not known any more.
    `command` is None until it is sent.
    `is_abandoned` is true if the caller was cancelled, and does not learn the outcome.
    `is_unreported` is true if the write has happened, and no caller has learned that yet.
    """

    plan: WritePlan | Upsert | Deletion | None
    command: SentCommand | None = None
    is_abandoned: bool = False
    is_unreported: bool = False

    @property
    def is_unknown(self) -> bool:
        """True if the write may have been sent, and the object does not agree with its outcome."""
        return self.command is not None and self.command.is_unknown

    def settle(self) -> None:
        """Note that the object agrees with the outcome."""
        if self.command is not None:
            self.command.settle()


class _LostCommand:
    """A command that cannot be sent again: its client is gone, or its transaction has ended."""

    is_unknown = True

    def settle(self) -> None:
        """Leave the outcome unknown."""


#: The command of an attempt whose outcome cannot be asked for.
LOST_COMMAND: Final[SentCommand] = _LostCommand()
