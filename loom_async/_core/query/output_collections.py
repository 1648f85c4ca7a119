"""What a stage may write into the collection of a model, and what it has to add."""

from __future__ import annotations

from typing import Any

from ..errors import QueryError
from ..model.append_only import refuse_change
from ..model.polymorphism import family_of
from ..model.revisions import revision_of
from .stages import AggregationStages


def check_target(target: str | type[Any], action: str, *, replaces: bool) -> None:
    """Let a stage pass that writes into the collection of a model.

    Parameters:
        target: A model; what is in a collection that is given by name is the caller's affair.
        action: What writes: "out" or "merge_into".
        replaces: Whether it changes documents that are there.

    Raises:
        LedgerIsAppendOnly: It would change documents of a ledger.
        QueryError: It would take away documents of other classes, or undo the count of revisions.
    """
    if isinstance(target, str) or not replaces:
        return
    refuse_change(target, action)
    family = family_of(target)
    if action == "out" and family is not None and target is not family.root:
        raise QueryError(
            f"out() replaces the whole collection, in which {target.__name__} is not alone",
            hint=f"merge_into({target.__name__})",
        )
    revision = revision_of(target)
    if revision is not None:
        raise QueryError(
            f"{action}() would write documents of {target.__name__} without counting their "
            f"{revision}, so that writers of old objects would not notice",
            hint='merge_into(…, when_matched="keepExisting") adds what is not there; persist() and '
            "update_dataframe() count",
        )


def tagging(target: str | type[Any]) -> AggregationStages:
    """Return the stages that give documents the tag of a model's family, where they have none."""
    stages = AggregationStages()
    family = None if isinstance(target, str) else family_of(target)
    if family is None or isinstance(target, str):
        return stages
    name, own = family.discriminator, family.tag(target)
    is_root = family.root is target
    return stages.set({name: {"$ifNull": [f"${name}", own]} if is_root else {"$literal": own}})
