"""The results of writes."""

from __future__ import annotations

import copy
import pickle

from loom_async import UpdateCount


def test_an_update_count_can_be_copied_and_pickled() -> None:
    count = UpdateCount(1, 2)
    for twin in (copy.copy(count), copy.deepcopy(count), pickle.loads(pickle.dumps(count))):
        assert (twin, twin.modified, twin.matched) == (1, 1, 2)
