"""The type arguments of dataclasses, `TypedDict`s and `NamedTuple`s, put into their annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo
from typing_extensions import get_original_bases

from .registry import is_record

Arguments: TypeAlias = Mapping[Any, Any]


def has_default(variable: Any) -> bool:
    """Say whether a type variable has a default."""
    # Those of typing have the method since Python 3.13.
    return hasattr(variable, "has_default") and bool(variable.has_default())


def with_arguments(annotation: Any, arguments: Arguments) -> Any:
    """Return an annotation with type arguments in the place of type variables.

    Parameters:
        annotation: The annotation.
        arguments: The arguments by their variables.
    """
    if not arguments:
        return annotation
    info = FieldInfo(annotation=annotation)  # pydantic's own substitution: both agree
    info.apply_typevars_map(arguments)
    return info.annotation


def arguments_of(annotation: Any) -> Arguments:
    """Return the type arguments of an annotation by the variables of its class.

    Parameters:
        annotation: A class, which has none, or a class with its arguments.
    """
    given = get_args(annotation)
    found: dict[Any, Any] = {}
    variables = getattr(get_origin(annotation), "__parameters__", ())
    for index, variable in enumerate(variables):
        if index < len(given):
            found[variable] = given[index]
        elif has_default(variable):
            found[variable] = with_arguments(variable.__default__, found)
    return found


def hints_of(kind: Any) -> dict[str, Any]:
    """Return the annotations of a class and its bases.

    Raises:
        NameError: An annotation names something that does not exist.
    """
    # A class that was defined in a function may name itself.
    return get_type_hints(kind, localns={kind.__name__: kind}, include_extras=True)


def has_generic_bases(kind: Any) -> bool:
    """Say whether a base of a class has type arguments, as in `class Seconds(Box[int])`."""
    return any(get_origin(base) is not None or has_generic_bases(base) for base in _bases(kind))


def resolved_hints(kind: Any, arguments: Arguments) -> dict[str, Any]:
    """Return the annotations of a class and its bases, with the type arguments of the bases.

    Parameters:
        kind: The class.
        arguments: The arguments of the class itself.
    """
    found: dict[str, Any] = {}
    inherited: dict[str, Any] = {}
    for base in reversed(_bases(kind)):
        origin = get_origin(base) or base
        of_base = {k: with_arguments(v, arguments) for k, v in arguments_of(base).items()}
        found |= resolved_hints(origin, of_base)
        inherited |= _declared(origin)
    hints = hints_of(kind)
    # A `TypedDict` has the annotations of its bases as well.
    own = [k for k, v in _declared(kind).items() if inherited.get(k) is not v]
    return found | {name: with_arguments(hints[name], arguments) for name in own if name in hints}


def annotation_key(annotation: Any) -> Any:
    """Return what identifies an annotation in a dict: `Annotated` may hold what has no hash.

    The annotation has to live as long as the dict.
    """
    try:
        hash(annotation)
    except TypeError:
        parts = tuple(map(annotation_key, get_args(annotation)))
        return (get_origin(annotation), *parts) if parts else id(annotation)
    return annotation


def _bases(kind: Any) -> list[Any]:
    """Return the bases of a class that are records, with their type arguments."""
    bases = get_original_bases(get_origin(kind) or kind)
    return [base for base in bases if is_record(get_origin(base) or base)]


def _declared(kind: Any) -> Mapping[str, Any]:
    return getattr(kind, "__annotations__", None) or {}
