"""Checks and stages for `out` and `merge_into` into the collection of a model."""

from __future__ import annotations

from typing import Any

from ..errors import QueryError
from ..model.append_only import refuse_change
from ..model.polymorphism import family_of
from ..model.revisions import revision_of
from .stages import AggregationStages


def check_target(target: str | type[Any], action: str, *, replaces: bool) -> None:
    """Raise an error if a stage must not write into the collection of a model.

    Parameters:
        target: A model, or a collection's name, which is not checked.
        action: The method called: "out" or "merge_into".
        replaces: Whether it changes or removes existing documents.

    Raises:
        LedgerIsAppendOnly: It would change documents of a ledger.
        QueryError: It would remove documents of other classes, or overwrite revisions.
    """
    if isinstance(target, str) or not replaces:
        return
    refuse_change(target, action)
    family = family_of(target)
    if action == "out" and family is not None and target is not family.root:
        raise QueryError(
            f"out() replaces the whole collection, which {target.__name__} shares with others",
            hint=f"use merge_into({target.__name__})",
        )
    revision = revision_of(target)
    if revision is not None:
        raise QueryError(
            f"{action}() would write documents of {target.__name__} without counting their "
            f"{revision}, so writers of stale objects would not notice",
            hint='merge_into(…, when_matched="keepExisting") only adds documents; persist() and '
            "update_dataframe() count revisions",
        )


def tagging_stages(target: str | type[Any]) -> AggregationStages:
    """Return the stages that tag documents as those of a model of a family; else no stages."""
    stages = AggregationStages()
    family = None if isinstance(target, str) else family_of(target)
    if family is None or isinstance(target, str):
        return stages
    name, own = family.discriminator, family.tag(target)
    is_root = family.root is target
    return stages.set({name: {"$ifNull": [f"${name}", own]} if is_root else {"$literal": own}})
