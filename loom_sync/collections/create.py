# Generated from loom_async/collections/create.py by `nox -s sync`: edit that file.
"""Creates collections as their models declare them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pymongo.errors import CollectionInvalid, OperationFailure

from loom_async._core.collections.timeseries import TimeSeries, timeseries_of
from loom_async._core.errors import ConfigurationError
from loom_async._core.server_codes import NAMESPACE_EXISTS
from loom_async._core.traced_call import TracedCall

from ..connection.driver_types import MongoCollection

_log = logging.getLogger("loom")


def ensure_collection(model: type, collection: MongoCollection) -> bool:
    """Create a model's collection if it is a declared time series that does not exist yet.

    MongoDB creates ordinary collections with their first document.

    Returns:
        True if it was created.

    Raises:
        ConfigurationError: A collection of another kind exists.
    """
    return timeseries_of(model) is not None and create(model, collection)


def create(model: type, collection: MongoCollection) -> bool:
    """Create a model's collection as it is declared, unless it exists.

    Returns:
        True if it was created.

    Raises:
        ConfigurationError: A collection of another kind exists.
    """
    series = timeseries_of(model)
    with TracedCall(f"create the collection of {model.__name__}"):
        existing = _info(collection)
        if existing is None:
            options = {} if series is None else series.options()
            try:
                collection.database.create_collection(collection.name, **options)
            except (CollectionInvalid, OperationFailure) as error:
                # Another client may have created it since.
                exists = isinstance(error, CollectionInvalid) or error.code == NAMESPACE_EXISTS
                existing = _info(collection)
                if existing is None or not exists:
                    raise
            else:
                return True
    if series is not None:
        _check(model, series, existing)
    return False


def _info(collection: MongoCollection) -> Mapping[str, Any] | None:
    """Return what `listCollections` says about a collection; None if it does not exist."""
    by_name = {"name": collection.name}
    infos = collection.database.list_collections(filter=by_name).to_list()
    return infos[0] if infos else None


def _check(model: type, series: TimeSeries, existing: Mapping[str, Any]) -> None:
    """Raise or warn if an existing collection is not the declared time series."""
    if existing.get("type") != "timeseries":
        raise ConfigurationError(
            f"the collection {existing['name']} of {model.__name__} is not a time series",
            hint="move its documents, or declare the model with another collection or version",
        )
    for name, declared, found in series.differences(existing):
        if name in ("timeField", "metaField"):
            raise ConfigurationError(
                f"the time series {existing['name']} of {model.__name__} has the {name} {found!r}, "
                f"and is declared with {declared!r}, which cannot be changed",
                hint="declare the model with another collection or version",
            )
        _log.warning(
            "the time series %s of %s has %s=%r and is declared with %r; it was not changed: "
            "MongoDB's collMod changes it",
            existing["name"], model.__name__, name, found, declared,
        )  # fmt: skip
