"""Clients that notice when a database or a collection is dropped through them.

Indexes are made once and then taken to be there. A listener of all commands would notice drops as
well, and takes a tenth of the time of a small query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from .._core import drops
from .client_cache import cache_of


def drop_reporting_client(uri: str, **options: Any) -> AsyncMongoClient[dict[str, Any]]:
    """Return pymongo's client, which tells of the drops that are made through it."""
    client = _Client(uri, **options)
    drops.register(client, _forget)
    return client


def _forget(client: Any, database: str, collection: str | None) -> None:
    state = cache_of(client)
    for entry in list(state.indexed):
        if entry[1] == database and collection in (None, entry[2]):
            state.indexed.discard(entry)
    for place, (_, found) in list(state.ready.items()):
        if found.database.name == database and collection in (None, found.name):
            state.ready.pop(place, None)


class _Client(AsyncMongoClient[dict[str, Any]]):
    """pymongo's client, but that its databases are the ones below."""

    def __getitem__(self, name: str) -> AsyncDatabase[dict[str, Any]]:
        return self.get_database(name)

    def get_database(
        self,
        name: str | None = None,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> AsyncDatabase[dict[str, Any]]:
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
    ) -> AsyncDatabase[dict[str, Any]]:
        name = super().get_default_database(default).name
        options = (codec_options, read_preference, write_concern, read_concern)
        return _Database(self, name, *options)

    async def drop_database(
        self,
        name_or_database: str | AsyncDatabase[Any],
        session: AsyncClientSession | None = None,
        comment: Any | None = None,
    ) -> None:
        try:
            await super().drop_database(name_or_database, session, comment)
        finally:  # also where nobody knows whether it has happened
            drops.tell(_name(name_or_database))


class _Database(AsyncDatabase[dict[str, Any]]):
    """pymongo's database; `drop` of a collection comes here too."""

    def with_options(
        self,
        codec_options: CodecOptions[Any] | None = None,
        read_preference: Any | None = None,
        write_concern: WriteConcern | None = None,
        read_concern: ReadConcern | None = None,
    ) -> AsyncDatabase[Any]:
        return _Database(
            self.client,
            self.name,
            codec_options or self.codec_options,
            read_preference or self.read_preference,
            write_concern or self.write_concern,
            read_concern or self.read_concern,
        )

    async def drop_collection(
        self,
        name_or_collection: str | AsyncCollection[Any],
        session: AsyncClientSession | None = None,
        comment: Any | None = None,
        encrypted_fields: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            return await super().drop_collection(
                name_or_collection, session, comment, encrypted_fields
            )
        finally:
            drops.tell(self.name, _name(name_or_collection))


def _name(given: object) -> str:
    return given if isinstance(given, str) else cast("Any", given).name


# They are shown as what they are to their users.
_Client.__name__ = AsyncMongoClient.__name__
_Database.__name__ = AsyncDatabase.__name__
