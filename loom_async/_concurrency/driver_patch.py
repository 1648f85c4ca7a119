"""A fix for pymongo on Python 3.11: a cancelled call must not keep a condition's lock.

pymongo waits on its conditions by `asyncio.wait_for`, which before Python 3.12 waits in a separate
task. If the caller is cancelled while that task acquires the lock again, the lock stays locked,
and every later call of the client hangs. Importing this module replaces that function of pymongo.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pymongo.asynchronous import pool, topology


async def _wait_on(condition: Any, timeout: float | None) -> bool:
    """Wait for a notification; hold the condition's lock afterwards, also if cancelled."""
    try:
        async with asyncio.timeout(timeout):
            return bool(await condition.wait())
    except TimeoutError:
        return False


if sys.version_info < (3, 12):
    for _module in (pool, topology):
        vars(_module)["_async_cond_wait"] = _wait_on
