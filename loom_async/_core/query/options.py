"""The options of a query: how the server runs it, and what is done with invalid documents."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from pymongo.collation import Collation
from pymongo.read_preferences import (
    Nearest,
    Primary,
    PrimaryPreferred,
    ReadPreference,
    Secondary,
    SecondaryPreferred,
)

from ..argument_checks import check_choice, check_count
from ..errors import QueryError
from ..type_guards import is_mapping
from ..types.values import to_bson
from .index_hint import Hint, stored_hint
from .paths import FieldResolver

OnInvalid: TypeAlias = Literal["raise", "skip"]
ReadPreferenceMode: TypeAlias = (
    Primary | PrimaryPreferred | Secondary | SecondaryPreferred | Nearest
)

_MODES: dict[str, ReadPreferenceMode] = {
    "primary": ReadPreference.PRIMARY,
    "primaryPreferred": ReadPreference.PRIMARY_PREFERRED,
    "secondary": ReadPreference.SECONDARY,
    "secondaryPreferred": ReadPreference.SECONDARY_PREFERRED,
    "nearest": ReadPreference.NEAREST,
}
_COLLATION_FIELDS = (
    "locale",
    "caseLevel",
    "caseFirst",
    "strength",
    "numericOrdering",
    "alternate",
    "maxVariable",
    "normalization",
    "backwards",
)
_LARGEST_INT = 2**31 - 1


class QueryOptions(NamedTuple):
    """The options of a query; None leaves the choice to the server.

    Parameters:
        hint: The name of an index, or its keys by stored path.
        collation: The collation as MongoDB's commands take it.
        comment: A BSON value for the server's log and profiler.
        max_time_ms: The longest time that the server may work on the query, in milliseconds.
        batch_size: The documents of one reply.
        allow_disk_use: Whether the server may use temporary files.
        read_preference: Which members of a replica set are read.
        on_invalid: What is done with a document that does not fit the model.
    """

    hint: str | Mapping[str, Any] | None = None
    collation: Mapping[str, Any] | None = None
    comment: Any = None
    max_time_ms: int | None = None
    batch_size: int | None = None
    allow_disk_use: bool | None = None
    read_preference: ReadPreferenceMode | None = None
    on_invalid: OnInvalid = "raise"

    @property
    def skips_invalid(self) -> bool:
        """True if documents that do not fit the model are left out."""
        return self.on_invalid == "skip"

    def command_fields(self) -> dict[str, Any]:
        """Return the options as the fields of a `find`, `aggregate` or `count` command."""
        return {**self.matching_fields(), **_present(allowDiskUse=self.allow_disk_use)}

    def matching_fields(self) -> dict[str, Any]:
        """Return those of `command_fields` that commands without a cursor take too."""
        return {**self.write_arguments(), **_present(maxTimeMS=self.max_time_ms)}

    def find_arguments(self) -> dict[str, Any]:
        """Return the options as arguments of the driver's `find`."""
        return {
            **self.write_arguments(),
            **_present(max_time_ms=self.max_time_ms, allow_disk_use=self.allow_disk_use),
        }

    def write_arguments(self) -> dict[str, Any]:
        """Return the options as arguments of the driver's `update_many` and `delete_many`."""
        return deepcopy(_present(hint=self.hint, collation=self.collation, comment=self.comment))


NO_OPTIONS = QueryOptions()


def checked_options(
    resolver: FieldResolver,
    *,
    hint: Hint | None,
    collation: Mapping[str, Any] | Collation | None,
    comment: Any,
    max_time_ms: int | None,
    batch_size: int | None,
    allow_disk_use: bool | None,
    read_preference: ReadPreferenceMode | str | None,
    on_invalid: OnInvalid | None,
) -> dict[str, Any]:
    """Return the options that were given, checked, in the form in which they are kept.

    Parameters:
        resolver: The fields of the model, for the hint.
        hint: As for `QueryBuilder.options`, like the others.
        collation: A collation.
        comment: A comment.
        max_time_ms: A time limit.
        batch_size: A number of documents.
        allow_disk_use: Whether temporary files may be used.
        read_preference: A read preference.
        on_invalid: What is done with invalid documents.

    Raises:
        QueryError: An option has a value that MongoDB does not take.
        UnknownFieldError: The hint names a field that the model lacks.
        EncodingError: The comment cannot be stored as BSON.
    """
    if max_time_ms is not None:
        _check_int("max_time_ms", max_time_ms)
    if batch_size is not None:
        _check_int("batch_size", batch_size)
    if not isinstance(allow_disk_use, bool | None):
        raise QueryError(f"allow_disk_use is {allow_disk_use!r}, which is neither True nor False")
    if on_invalid is not None:
        check_choice("on_invalid", on_invalid, get_args(OnInvalid))
    return _present(
        hint=None if hint is None else stored_hint(hint, resolver),
        collation=None if collation is None else _collation(collation),
        comment=to_bson(comment),
        max_time_ms=max_time_ms,
        batch_size=batch_size,
        allow_disk_use=allow_disk_use,
        read_preference=None if read_preference is None else _read_preference(read_preference),
        on_invalid=on_invalid,
    )


def _present(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _check_int(name: str, value: int) -> None:
    check_count(name, value, least=1)
    if value > _LARGEST_INT:
        raise QueryError(f"{name} is {value}; MongoDB takes {_LARGEST_INT} at most")


def _collation(given: Mapping[str, Any] | Collation) -> dict[str, Any]:
    if isinstance(given, Collation):
        return dict(given.document)
    if not is_mapping(given) or not isinstance(given.get("locale"), str):
        raise QueryError(
            f"{given!r} is not a collation", hint='collation={"locale": "en", "strength": 2}'
        )
    for name in given:
        check_choice("a field of the collation", name, _COLLATION_FIELDS)
    return dict(given)


def _read_preference(given: ReadPreferenceMode | str) -> ReadPreferenceMode:
    if isinstance(given, str):
        check_choice("read_preference", given, list(_MODES))
        return _MODES[given]
    if not isinstance(given, ReadPreferenceMode):
        raise QueryError(
            f"{given!r} is not a read preference",
            hint='read_preference="secondary", or a mode of pymongo.ReadPreference',
        )
    return given
