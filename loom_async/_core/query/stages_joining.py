"""Aggregation stages that read or write other collections, or run pipelines of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ..errors import QueryError
from .expressions import Predicate
from .stage_base import Document, StageSequence, sub_pipeline


class JoiningStages(StageSequence):
    """Stages that use other collections or sub-pipelines."""

    __slots__ = ()

    def facet(
        self,
        facets: dict[str, StageSequence | Sequence[Document]] | None = None,
        **more: StageSequence | Sequence[Document],
    ) -> Self:
        """Run several pipelines over the same documents, each under its name."""
        named = {**(facets or {}), **more}
        if not named:
            raise QueryError("facet() needs a pipeline", hint="facet(total=stages)")
        return self._then("facet", {name: sub_pipeline(stages) for name, stages in named.items()})

    def graph_lookup(
        self,
        from_: str,
        start_with: Any,
        connect_from_field: str,
        connect_to_field: str,
        as_: str,
        *,
        max_depth: int | None = None,
        depth_field: str | None = None,
        restrict_search_with_match: Document | Predicate | None = None,
    ) -> Self:
        """Add an array of the documents that a chain of references in a collection leads to."""
        return self._then_options(
            "graphLookup",
            **{"from": from_, "as": as_},
            startWith=start_with,
            connectFromField=connect_from_field,
            connectToField=connect_to_field,
            maxDepth=max_depth,
            depthField=depth_field,
            restrictSearchWithMatch=restrict_search_with_match,
        )

    def lookup(
        self,
        from_: str,
        *,
        as_: str,
        local_field: str | None = None,
        foreign_field: str | None = None,
        let: Document | None = None,
        pipeline: StageSequence | Sequence[Document] | None = None,
    ) -> Self:
        """Add the matching documents of another collection as an array."""
        return self._then_options(
            "lookup",
            **{"from": from_, "as": as_},
            localField=local_field,
            foreignField=foreign_field,
            let=let,
            pipeline=sub_pipeline(pipeline) if pipeline is not None else None,
        )

    def union_with(
        self,
        coll: str | None = None,
        *,
        pipeline: StageSequence | Sequence[Document] | None = None,
    ) -> Self:
        """Append the documents of another collection."""
        stages = sub_pipeline(pipeline) if pipeline is not None else None
        return self._then_options("unionWith", coll=coll, pipeline=stages)

    def merge_into(
        self,
        into: str | Document,
        *,
        on: str | Sequence[str] | None = None,
        let: Document | None = None,
        when_matched: str | StageSequence | Sequence[Document] | None = None,
        when_not_matched: str | None = None,
    ) -> Self:
        """Merge the documents into a collection (`$merge`)."""
        matched = when_matched
        if matched is not None and not isinstance(matched, str):
            matched = sub_pipeline(matched)
        return self._then_options(
            "merge",
            into=into,
            on=on if on is None or isinstance(on, str) else list(on),
            let=let,
            whenMatched=matched,
            whenNotMatched=when_not_matched,
        )

    merge = merge_into

    def out(self, target: str | Document) -> Self:
        """Replace the contents of a collection with the documents."""
        return self._then("out", target)
