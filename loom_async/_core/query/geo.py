"""The operands of `$near` and `$geoWithin`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..errors import QueryError

# In metres: the radius by which MongoDB converts metres to radians.
_EARTH_RADIUS = 6_378_100.0


def near(
    point: tuple[float, float] | Mapping[str, Any],
    max_distance: float | None,
    min_distance: float | None,
) -> dict[str, Any]:
    """Return the operand of `$near`; distances are in metres."""
    geometry = deepcopy(dict(point)) if isinstance(point, Mapping) else _point(point)
    if geometry.get("type") != "Point":
        raise QueryError(f"near() takes a point, not a {geometry.get('type')!r}")
    _position(geometry.get("coordinates"))
    distances = {"$maxDistance": max_distance, "$minDistance": min_distance}
    for name, distance in distances.items():
        if distance is not None and distance < 0:
            raise QueryError(f"near(): {name[1:]} is negative: {distance!r}")
    return {"$geometry": geometry, **{k: v for k, v in distances.items() if v is not None}}


def within(
    area: Mapping[str, Any] | None, center: tuple[float, float] | None, radius: float | None
) -> dict[str, Any]:
    """Return the operand of `$geoWithin`; the radius is in metres."""
    if area is not None and not isinstance(area, Mapping):
        raise QueryError(f"within() takes a GeoJSON Polygon or MultiPolygon, not {area!r}")
    if area is not None and center is None and radius is None:
        if area.get("type") not in ("Polygon", "MultiPolygon") or "coordinates" not in area:
            raise QueryError(
                f"within() takes a GeoJSON Polygon or MultiPolygon, not {dict(area)!r}",
                hint='{"type": "Polygon", "coordinates": [[[lon, lat], …]]}',
            )
        return {"$geometry": deepcopy(dict(area))}
    if area is None and center is not None and radius is not None and radius >= 0:
        return {"$centerSphere": [_position(center), radius / _EARTH_RADIUS]}
    raise QueryError(
        "within() takes an area, or both a center and a radius in metres",
        hint="for example within(center=(14.42, 50.08), radius=5_000)",
    )


def _point(position: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": _position(position)}


def _position(position: Any) -> list[float]:
    try:
        longitude, latitude = (float(number) for number in position)
    except (TypeError, ValueError):
        raise QueryError(
            f"{position!r} is not a position", hint="give (longitude, latitude) in degrees"
        ) from None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise QueryError(
            f"{position!r} is not a position: degrees from -180 to 180, then from -90 to 90",
            hint="the longitude comes first",
        )
    return [longitude, latitude]
