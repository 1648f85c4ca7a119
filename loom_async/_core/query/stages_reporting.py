"""Aggregation stages that report on a collection or server; each begins its pipeline."""

from __future__ import annotations

from typing import Any, Self

from .stage_base import Document, StageSequence


class ReportingStages(StageSequence):
    """Stages that return reports in place of a collection's documents."""

    __slots__ = ()

    def change_stream(
        self,
        *,
        full_document: str | None = None,
        full_document_before_change: str | None = None,
        resume_after: Document | None = None,
        start_after: Document | None = None,
        start_at_operation_time: Any = None,
        all_changes_for_cluster: bool | None = None,
        show_expanded_events: bool | None = None,
    ) -> Self:
        """Return the changes of a collection as they happen."""
        return self._then_options(
            "changeStream",
            fullDocument=full_document,
            fullDocumentBeforeChange=full_document_before_change,
            resumeAfter=resume_after,
            startAfter=start_after,
            startAtOperationTime=start_at_operation_time,
            allChangesForCluster=all_changes_for_cluster,
            showExpandedEvents=show_expanded_events,
        )

    def coll_stats(
        self,
        *,
        latency_stats: Document | None = None,
        storage_stats: Document | None = None,
        count: Document | None = None,
        query_exec_stats: Document | None = None,
    ) -> Self:
        """Report latencies, storage and counts of the collection."""
        return self._then_options(
            "collStats",
            latencyStats=latency_stats,
            storageStats=storage_stats,
            count=count,
            queryExecStats=query_exec_stats,
        )

    def current_op(
        self,
        *,
        all_users: bool | None = None,
        idle_connections: bool | None = None,
        idle_cursors: bool | None = None,
        idle_sessions: bool | None = None,
        local_ops: bool | None = None,
    ) -> Self:
        """List the running operations; requires the `admin` database."""
        return self._then_options(
            "currentOp",
            allUsers=all_users,
            idleConnections=idle_connections,
            idleCursors=idle_cursors,
            idleSessions=idle_sessions,
            localOps=local_ops,
        )

    def index_stats(self) -> Self:
        """Report how often each index has been used."""
        return self._then("indexStats", {})

    def list_local_sessions(self, options: Document | None = None) -> Self:
        """List the sessions cached by the server."""
        return self._then("listLocalSessions", dict(options or {}))

    def list_sessions(self, options: Document | None = None) -> Self:
        """List the sessions of the deployment."""
        return self._then("listSessions", dict(options or {}))

    def plan_cache_stats(self) -> Self:
        """List the query plans in the collection's plan cache."""
        return self._then("planCacheStats", {})

    def sharded_data_distribution(self) -> Self:
        """Report how data is distributed over shards; requires the `admin` database."""
        return self._then("shardedDataDistribution", {})
