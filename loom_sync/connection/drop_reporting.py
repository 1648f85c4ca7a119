# Generated from loom_async/connection/drop_reporting.py by `nox -s sync`: edit that file.
"""Clients that report each database or collection that is dropped through them.

After a drop, the declared indexes have to be created again. A command listener would see drops too,
but takes a tenth of the time of a small query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bson.codec_options import CodecOptions
from pymongo import MongoClient, WriteConcern
from pymongo.read_concern import ReadConcern
from pymongo.synchronous.client_session import ClientSession
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

from loom_async._core import drops

from .client_cache import cache_of


def drop_reporting_client(uri: str, **options: Any) -> MongoClient[dict[str, Any]]:
    """Return a client of pymongo that reports the drops made through it."""
    client = _Client(uri, **options)
    drops.register(client, _forget)
    return client


def _forget(client: Any, database: str, collection: str | None) -> None:
    cache_of(client).forget(database, collection)


class _Client(MongoClient[dict[str, Any]]):
    """pymongo's client, whose databases are of the class below."""

    def __getitem__(self, name: str) -> Database[dict[str, Any]]:
        return self.get_database(name)

    def get_database(
        self,
        name: str | None = None,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> Database[dict[str, Any]]:
        if name is None:
            name = super().get_database().name
        options = (codec_options, read_preference, write_concern, read_concern)
        return _Database(self, name, *options)

    def get_default_database(
        self,
        default: str | None = None,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> Database[dict[str, Any]]:
        name = super().get_default_database(default).name
        options = (codec_options, read_preference, write_concern, read_concern)
        return _Database(self, name, *options)

    def drop_database(
        self,
        name_or_database: str | Database[Any],
        session: ClientSession | None = None,
        comment: Any | None = None,
    ) -> None:
        try:
            super().drop_database(name_or_database, session, comment)
        finally:  # also after an error: it may have happened
            drops.report(_name(name_or_database))


class _Database(Database[dict[str, Any]]):
    """pymongo's database; `drop` of a collection calls `drop_collection` too."""

    def with_options(
        self,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> Database[Any]:
        return _Database(
            self.client,
            self.name,
            codec_options or self.codec_options,
            read_preference or self.read_preference,
            write_concern or self.write_concern,
            read_concern or self.read_concern,
        )

    def drop_collection(
        self,
        name_or_collection: str | Collection[Any],
        session: ClientSession | None = None,
        comment: Any | None = None,
        encrypted_fields: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            return super().drop_collection(name_or_collection, session, comment, encrypted_fields)
        finally:
            drops.report(self.name, _name(name_or_collection))


def _name(value: object) -> str:
    return value if isinstance(value, str) else cast("Any", value).name


# Users see the names of pymongo's classes, in a repr for example.
_Client.__name__ = MongoClient.__name__
_Database.__name__ = Database.__name__
