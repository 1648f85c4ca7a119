"""The server's error codes that Loom tells apart, by MongoDB's names (`error_codes.yml`)."""

from __future__ import annotations

# Credentials and commands.
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
COMMAND_NOT_FOUND = 59
INVALID_NAMESPACE = 73
COMMAND_NOT_SUPPORTED_ON_VIEW = 166
UNKNOWN_COMMAND_FIELD = 40415
OPERATION_NOT_SUPPORTED_IN_TRANSACTION = 263

# Collections and indexes.
NAMESPACE_NOT_FOUND = 26
NAMESPACE_EXISTS = 48
CANNOT_CREATE_INDEX = 67
INDEX_OPTIONS_CONFLICT = 85
INDEX_KEY_SPECS_CONFLICT = 86

# Written documents.
BAD_VALUE = 2
TYPE_MISMATCH = 14
PATH_NOT_VIABLE = 28
SHARD_KEY_NOT_FOUND = 61
IMMUTABLE_FIELD = 66
DOCUMENT_VALIDATION_FAILURE = 121
DUPLICATE_KEY = 11000
OUT_OF_DISK_SPACE = 14031
BSON_OBJECT_TOO_LARGE = 10334
# MongoDB has no names for these two: an update would make a document too large.
MODIFIED_DOCUMENT_TOO_LARGE = 17419
UPSERTED_DOCUMENT_TOO_LARGE = 17420

# Change streams.
INVALID_RESUME_TOKEN = 260
CHANGE_STREAM_HISTORY_LOST = 286
# MongoDB has no name for it: the server is not a member of a replica set.
CHANGE_STREAM_WITHOUT_REPLICA_SET = 40573

# Replica sets.
ALREADY_INITIALIZED = 23
NOT_YET_INITIALIZED = 94
SHUTDOWN_IN_PROGRESS = 91
PRIMARY_STEPPED_DOWN = 189
LEGACY_NOT_PRIMARY = 10058
NOT_WRITABLE_PRIMARY = 10107
INTERRUPTED_AT_SHUTDOWN = 11600
INTERRUPTED_DUE_TO_REPL_STATE_CHANGE = 11602
NOT_PRIMARY_NO_SECONDARY_OK = 13435
NOT_PRIMARY_OR_SECONDARY = 13436

# Connections between servers.
HOST_UNREACHABLE = 6
HOST_NOT_FOUND = 7
NETWORK_TIMEOUT = 89
SOCKET_EXCEPTION = 9001
READ_CONCERN_MAJORITY_NOT_AVAILABLE_YET = 134

# Time limits and interruptions.
MAX_TIME_MS_EXPIRED = 50
EXCEEDED_TIME_LIMIT = 262
CLIENT_DISCONNECT = 279
INTERRUPTED = 11601

#: The documents that an operation writes would exceed 16 MB.
TOO_LARGE = frozenset(
    {BSON_OBJECT_TOO_LARGE, MODIFIED_DOCUMENT_TOO_LARGE, UPSERTED_DOCUMENT_TOO_LARGE}
)
#: The documents, another index or MongoDB's rules do not allow an index.
INDEX_REFUSALS = frozenset(
    {DUPLICATE_KEY, CANNOT_CREATE_INDEX, INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT}
)
#: A stored value has another type than an update needs. MongoDB has no names for the last four, of
#: `$concatArrays`, `$setDifference`, `$add` and `$setField`.
TYPE_CONFLICTS = frozenset(
    {BAD_VALUE, TYPE_MISMATCH, PATH_NOT_VIABLE, 28664, 17048, 16554, 4161105}
)
#: The server stops being the primary (driver specification "Retryable Writes").
STEPPING_DOWN = frozenset(
    {
        SHUTDOWN_IN_PROGRESS,
        PRIMARY_STEPPED_DOWN,
        NOT_WRITABLE_PRIMARY,
        INTERRUPTED_AT_SHUTDOWN,
        INTERRUPTED_DUE_TO_REPL_STATE_CHANGE,
        NOT_PRIMARY_NO_SECONDARY_OK,
        NOT_PRIMARY_OR_SECONDARY,
    }
)
#: The read may succeed when it is sent again (driver specification "Retryable Reads").
UNREACHED = STEPPING_DOWN | {
    LEGACY_NOT_PRIMARY,
    HOST_UNREACHABLE,
    HOST_NOT_FOUND,
    NETWORK_TIMEOUT,
    SOCKET_EXCEPTION,
    READ_CONCERN_MAJORITY_NOT_AVAILABLE_YET,
    EXCEEDED_TIME_LIMIT,
}
#: An operation took longer than its time limit.
TIMEOUTS = frozenset({MAX_TIME_MS_EXPIRED, EXCEEDED_TIME_LIMIT})
#: The server ended an operation that had begun.
INTERRUPTIONS = STEPPING_DOWN | TIMEOUTS | {INTERRUPTED, CLIENT_DISCONNECT}
#: The server refused the whole command before it looked at any statement.
COMMAND_REFUSALS = frozenset(
    {
        UNAUTHORIZED,
        AUTHENTICATION_FAILED,
        COMMAND_NOT_FOUND,
        INVALID_NAMESPACE,
        COMMAND_NOT_SUPPORTED_ON_VIEW,
    }
)
