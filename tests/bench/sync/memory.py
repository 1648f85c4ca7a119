# Generated from tests/bench/memory.py by `nox -s sync`: edit that file.
"""The memory per loaded model of one contender, in bytes; arguments: URI and contender."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc

from tests.bench.sync.contenders import CONTENDERS, make_rows

_COUNT = 10_000


def main(uri: str, name: str) -> None:
    """Print the size as JSON."""
    contender = next(one for one in (make(uri) for make in CONTENDERS) if one.name == name)
    contender.open()
    contender.drop()
    contender.insert_many(contender.build(make_rows(_COUNT)))
    contender.get(contender.find_all()[0].id)  # fills caches before the measurement
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    models = contender.find_all()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    print(json.dumps({"bytes": (after - before) / len(models)}))
    contender.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
