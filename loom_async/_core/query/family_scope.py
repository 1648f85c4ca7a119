"""The documents of a family that an update may change: those of classes that have its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import QueryError
from ..model.codecs import model_codec
from ..model.family_fields import members_of
from ..model.polymorphism import Family, family_of


def update_scope(
    model: type[Any], update: dict[str, Any] | Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the filter for the documents whose class declares all fields of an update.

    Parameters:
        model: The class that is queried.
        update: The MongoDB update, or the stages of its pipeline.

    Raises:
        QueryError: No class declares all of them.
    """
    family = family_of(model)
    if family is None:
        return {}
    stages: Sequence[Mapping[str, Any]] = [update] if isinstance(update, dict) else [*update]
    operands = [operand for stage in stages for operand in stage.values()]
    fields = {path.partition(".")[0] for operand in operands for path in operand}
    fields.discard(family.discriminator)
    members = members_of(model, family)
    able = [member for member in members if _has(member, fields)]
    if len(able) == len(members):
        return {}
    if not able:
        raise QueryError(
            f"no class of {model.__name__} has all of the fields {', '.join(sorted(fields))}",
            hint="update the fields of each class by itself",
        )
    return class_condition(family, able, members)


def class_condition(
    family: Family, models: list[type[Any]], members: list[type[Any]]
) -> dict[str, Any]:
    """Return the filter for the documents of some classes of a family.

    Parameters:
        family: The family.
        models: The classes.
        members: All classes of the query.
    """
    if family.root in models:  # a document without a tag is one of the root
        others = [family.tag(member) for member in members if member not in models]
        return {family.discriminator: {"$nin": sorted(others)}}
    return {family.discriminator: {"$in": sorted(map(family.tag, models))}}


def _has(member: type[Any], fields: set[str]) -> bool:
    codec = model_codec(member)
    return codec.allows_extra or fields <= codec.stored_names
