"""The memory per loaded model of one contender, in bytes; arguments: URI and contender."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc

from tests.bench.contenders import CONTENDERS, make_rows

_COUNT = 10_000


async def main(uri: str, name: str) -> None:
    """Print the size as JSON."""
    contender = next(one for one in (make(uri) for make in CONTENDERS) if one.name == name)
    await contender.open()
    await contender.drop()
    await contender.insert_many(contender.build(make_rows(_COUNT)))
    await contender.get((await contender.find_all())[0].id)  # fills caches before the measurement
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    models = await contender.find_all()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    print(json.dumps({"bytes": (after - before) / len(models)}))
    await contender.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
