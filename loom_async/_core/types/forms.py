"""What an annotation allows: its form, such as a scalar, a list, a model."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from pydantic import EncodedBytes, EncodedStr

from .stored_as import StoredAs
from .stored_type import StoredType


class Anything(NamedTuple):
    """`Any`, `object`, a type variable without a bound: the value decides how it is stored."""


class Scalar(NamedTuple):
    """A value that holds no others: `int`, `datetime`, `timedelta`."""

    annotation: Any
    entry: StoredType


class Member(NamedTuple):
    """A member of an Enum."""

    enum: type[Enum]


class OneOf(NamedTuple):
    """One of the values of a `Literal`."""

    values: tuple[Any, ...]


class AnyOf(NamedTuple):
    """A union; None is not among the options."""

    options: tuple[Shape, ...]


class Items(NamedTuple):
    """A list, tuple or set.

    Parameters:
        annotation: The whole annotation.
        origin: The class without its arguments.
        items: The shapes of the items: one, several for a tuple, none if they may be anything.
        is_set: Whether the order of the items means nothing.
        is_fixed: Whether each item has a shape of its own, by its position.
    """

    annotation: Any
    origin: Any
    items: tuple[Shape, ...]
    is_set: bool = False
    is_fixed: bool = False


class Entries(NamedTuple):
    """A dict.

    Parameters:
        annotation: The whole annotation.
        key: The shape of the keys; None if they may be anything.
        value: The shape of the values; None if they may be anything.
    """

    annotation: Any
    key: Shape | None = None
    value: Shape | None = None


class Model(NamedTuple):
    """A pydantic model."""

    model: type[Any]


class Record(NamedTuple):
    """A dataclass, a `TypedDict` or a `NamedTuple`.

    Parameters:
        kind: The class, without its type arguments.
        annotation: The class with its type arguments, if it has any.
    """

    kind: Any
    annotation: Any


class Hidden(NamedTuple):
    """A `Secret`, stored as the value inside it."""

    annotation: Any
    value: Shape


class Chosen(NamedTuple):
    """A type whose stored form the user chooses.

    Parameters:
        marker: The user's choice.
        stored: The shape of the stored values.
    """

    marker: StoredAs
    stored: Shape


class Encoded(NamedTuple):
    """Bytes or a string that pydantic decodes when it validates them, such as `Base64Bytes`.

    Parameters:
        marker: pydantic's marker, which names the encoder.
        entry: The entry of the encoded values.
    """

    marker: EncodedBytes | EncodedStr
    entry: StoredType


class JsonText(NamedTuple):
    """A `Json`: pydantic validates a JSON text."""


class Recursive(NamedTuple):
    """A type alias inside itself."""

    annotation: Any


class BsonValue(NamedTuple):
    """A class of the bson package without an entry in the registry, stored as it is."""

    kind: type


class Other(NamedTuple):
    """A type without an entry in the registry, stored as pydantic writes it to JSON."""

    annotation: Any


Form: TypeAlias = (
    Anything
    | Scalar
    | Member
    | OneOf
    | AnyOf
    | Items
    | Entries
    | Model
    | Record
    | Hidden
    | Chosen
    | Encoded
    | JsonText
    | Recursive
    | BsonValue
    | Other
)


class Shape(NamedTuple):
    """What an annotation allows.

    Parameters:
        form: The values besides None.
        metadata: The metadata of `Annotated`, the innermost first.
        is_optional: Whether None is allowed as well.
        annotation: The annotation without `Annotated`, which is in `metadata`.
    """

    form: Form
    metadata: tuple[Any, ...] = ()
    is_optional: bool = False
    annotation: Any = Any
