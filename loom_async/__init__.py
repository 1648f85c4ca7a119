"""Loom: an async-first object-document mapper for MongoDB on pydantic."""

from ._core.collections.index_comparison import IndexDifference
from ._core.collections.timeseries import declare_timeseries
from ._core.errors import (
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
    LedgerIsAppendOnly,
    LoomError,
    LossyConversion,
    ObjectInUse,
    OperationFailed,
    OperationTimeout,
    OutcomeUnknown,
    QueryError,
    StaleDocument,
    TransactionAborted,
    TransactionError,
    UnknownFieldError,
)
from ._core.frames.results import FrameError, InsertResult, RowError, UpdateResult
from ._core.model.blob import BlobVersion
from ._core.model.change_event import Change
from ._core.model.declaration import declare_persist_db
from ._core.model.fields import (
    IncrCounter,
    PyObjectId,
    Revision,
    StrLower,
    StrUpper,
    TimeInserted,
    TimeUpdated,
)
from ._core.model.indexes import Index
from ._core.model.markers import CoalesceOnInsert, NormalizeValue, RefreshOnSet
from ._core.model.skipped_documents import SkippedDocuments, skipped_documents
from ._core.model.write_results import PersistResult, UpdateCount
from ._core.query.expressions import Predicate, raw, text
from ._core.query.fields import Field, element, fld
from ._core.query.grouping import Accumulator, count
from ._core.query.paging import Page
from ._core.query.stages import AggregationStages
from ._core.query.time_query import TimeQuery
from ._core.settings import Settings, config_context, configure, settings
from ._core.types.stored_as import StoredAs, StoredName
from .collections.find import get_async_local_db_client, get_async_remote_db_client
from .connection.context_managers import connect, embedded, using
from .connection.open_and_close import close, open, open_embedded
from .models.blob_model import BlobModel
from .models.ledger import LedgerModel, TimeSeriesLedgerModel
from .models.persistable import Persistable, PersistableBase
from .operations.transactions import in_transaction, transaction, transactional
from .queries.aggregation import Aggregation
from .queries.change_stream import Changes
from .queries.load_directive import LoadDirective
from .queries.view_query import ViewQuery

__all__ = [
    # Connecting
    "close",
    "connect",
    "embedded",
    "get_async_local_db_client",
    "get_async_remote_db_client",
    "open",
    "open_embedded",
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
    "BlobModel",
    "BlobVersion",
    "CoalesceOnInsert",
    "IncrCounter",
    "Index",
    "IndexDifference",
    "InsertResult",
    "LedgerModel",
    "NormalizeValue",
    "StoredAs",
    "StoredName",
    "PersistResult",
    "Persistable",
    "PersistableBase",
    "PyObjectId",
    "RefreshOnSet",
    "Revision",
    "RowError",
    "StrLower",
    "StrUpper",
    "TimeInserted",
    "TimeSeriesLedgerModel",
    "TimeUpdated",
    "UpdateResult",
    "declare_persist_db",
    "declare_timeseries",
    # Queries
    "Accumulator",
    "Aggregation",
    "AggregationStages",
    "Field",
    "LoadDirective",
    "Page",
    "Predicate",
    "SkippedDocuments",
    "TimeQuery",
    "UpdateCount",
    "ViewQuery",
    "count",
    "element",
    "fld",
    "raw",
    "skipped_documents",
    "text",
    # Changes
    "Change",
    "Changes",
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
    "LedgerIsAppendOnly",
    "LoomError",
    "LossyConversion",
    "ObjectInUse",
    "OperationFailed",
    "OperationTimeout",
    "OutcomeUnknown",
    "QueryError",
    "StaleDocument",
    "TransactionAborted",
    "TransactionError",
    "UnknownFieldError",
]
