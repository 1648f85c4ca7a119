# Generated from loom_async/__init__.py by `nox -s sync`: edit that file, not this one.
"""Loom: an object-document mapper for MongoDB on pydantic."""

from loom_async._core.errors import (
    AuthenticationFailed,
    BulkEntry,
    BulkError,
    ConfigurationError,
    ConnectionFailed,
    DocumentNotFound,
    DuplicateKey,
    EmbeddedServerError,
    EncodingError,
    IndexConflict,
    InvalidDocument,
    InvalidId,
    LoomError,
    LossyConversion,
    ObjectInUse,
    OperationFailed,
    OperationTimeout,
    OutcomeUnknown,
    QueryError,
    TransactionAborted,
    TransactionError,
    UnknownFieldError,
)
from loom_async._core.frames.results import FrameError, InsertResult, RowError, UpdateResult
from loom_async._core.model.fields import (
    IncrCounter,
    PyObjectId,
    StrLower,
    StrUpper,
    TimeInserted,
    TimeUpdated,
)
from loom_async._core.model.index_plan import IndexDifference
from loom_async._core.model.markers import CoalesceOnInsert, NormalizeValue, RefreshOnSet
from loom_async._core.model.metadata import Index, declare_persist_db
from loom_async._core.model.results import PersistResult, UpdateCount
from loom_async._core.query.expressions import Predicate, raw, text
from loom_async._core.query.fields import Field, element, fld
from loom_async._core.query.grouping import Accumulator, count
from loom_async._core.query.stages import AggregationStages
from loom_async._core.query.time_query import TimeQuery
from loom_async._core.settings import Settings, config_context, configure, settings
from loom_async.clients import get_async_local_db_client, get_async_remote_db_client

from .aggregation import Aggregation
from .clients import close, get_local_db_client, get_remote_db_client
from .database import connect, embedded, using
from .directive import LoadDirective
from .persistable import Persistable, PersistableBase
from .transactions import in_transaction, transaction, transactional

__all__ = [
    # Connecting
    "close",
    "get_async_local_db_client",
    "get_async_remote_db_client",
    "connect",
    "embedded",
    "get_local_db_client",
    "get_remote_db_client",
    "using",
    # Transactions
    "in_transaction",
    "transaction",
    "transactional",
    # Settings
    "Settings",
    "config_context",
    "configure",
    "settings",
    # Models
    "CoalesceOnInsert",
    "IncrCounter",
    "Index",
    "IndexDifference",
    "InsertResult",
    "NormalizeValue",
    "PersistResult",
    "Persistable",
    "PersistableBase",
    "PyObjectId",
    "RefreshOnSet",
    "RowError",
    "StrLower",
    "StrUpper",
    "TimeInserted",
    "TimeUpdated",
    "UpdateResult",
    "declare_persist_db",
    # Queries
    "Accumulator",
    "Aggregation",
    "AggregationStages",
    "Field",
    "LoadDirective",
    "Predicate",
    "TimeQuery",
    "UpdateCount",
    "count",
    "element",
    "fld",
    "raw",
    "text",
    # Errors
    "AuthenticationFailed",
    "BulkEntry",
    "BulkError",
    "ConfigurationError",
    "ConnectionFailed",
    "DocumentNotFound",
    "DuplicateKey",
    "EmbeddedServerError",
    "EncodingError",
    "FrameError",
    "IndexConflict",
    "InvalidDocument",
    "InvalidId",
    "LoomError",
    "LossyConversion",
    "ObjectInUse",
    "OperationFailed",
    "OperationTimeout",
    "OutcomeUnknown",
    "QueryError",
    "TransactionAborted",
    "TransactionError",
    "UnknownFieldError",
]
