# Generated from loom_async/collections/create.py by `nox -s sync`: edit that file.
"""Collections made as they are declared."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pymongo.errors import CollectionInvalid, OperationFailure

from loom_async._core.collections.timeseries import TimeSeries, timeseries_of
from loom_async._core.errors import ConfigurationError
from loom_async._core.traced_call import TracedCall

from ..connection.driver_types import MongoCollection

_log = logging.getLogger("loom")
_NAMESPACE_EXISTS = 48


def ensure_collection(model: type, collection: MongoCollection) -> bool:
    """Make a model's collection if it is declared to be a time series and is not there.

    Returns:
        True if it was made.

    Raises:
        ConfigurationError: There is another kind of collection.
    """
    series = timeseries_of(model)
    if series is None:
        return False
    return create(model, collection)


def create(model: type, collection: MongoCollection) -> bool:
    """Make a model's collection as it is declared, unless it is there.

    Returns:
        True if it was made.

    Raises:
        ConfigurationError: There is another kind of collection.
    """
    series = timeseries_of(model)
    with TracedCall(f"create the collection of {model.__name__}"):
        existing = _info(collection)
        if existing is None:
            options = {} if series is None else series.options()
            try:
                collection.database.create_collection(collection.name, **options)
            except (CollectionInvalid, OperationFailure) as error:
                # Somebody else was faster.
                existing = _info(collection)
                is_there = isinstance(error, CollectionInvalid) or error.code == _NAMESPACE_EXISTS
                if existing is None or not is_there:
                    raise
            else:
                return True
    if series is not None:
        _compare(model, series, existing)
    return False


def _info(collection: MongoCollection) -> Mapping[str, Any] | None:
    wanted = {"name": collection.name}
    found = collection.database.list_collections(filter=wanted).to_list()
    return found[0] if found else None


def _compare(model: type, series: TimeSeries, existing: Mapping[str, Any]) -> None:
    if existing.get("type") != "timeseries":
        raise ConfigurationError(
            f"the collection {existing['name']} of {model.__name__} is there and no time series",
            hint="move its documents, or declare the model with another collection or version",
        )
    for name, wanted, there in series.differences(existing):
        if name in ("timeField", "metaField"):
            raise ConfigurationError(
                f"the time series {existing['name']} of {model.__name__} has the {name} {there!r}, "
                f"and is declared with {wanted!r}, which cannot be changed",
                hint="declare the model with another collection or version",
            )
        _log.warning(
            "the time series %s of %s has %s=%r and is declared with %r; it was left alone: "
            "MongoDB's collMod changes it",
            existing["name"], model.__name__, name, there, wanted,
        )  # fmt: skip
