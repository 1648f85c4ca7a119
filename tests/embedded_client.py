"""A client process of an embedded server, which exits when its standard input is closed.

Run `embedded_client.py MODULE DATA_DIR ID [fork]`: it takes a lease, inserts a document with this
id, and prints the port. With `fork`, the parent exits and its child does the rest.
"""

import asyncio
import importlib
import inspect
import os
import sys
from pathlib import Path

from pymongo import MongoClient


def main(module: str, data_dir: str, document: str, *flags: str) -> None:
    lease = importlib.import_module(module).start_embedded(Path(data_dir))
    if inspect.iscoroutine(lease):
        lease = asyncio.run(lease)
    if "fork" in flags and os.fork() != 0:
        os._exit(0)
    with MongoClient(lease.uri) as client:
        client.shop.items.insert_one({"_id": document})
    print(lease.port, flush=True)
    sys.stdin.read()


main(*sys.argv[1:])
