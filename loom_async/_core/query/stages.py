"""`AggregationStages`: the stages of MongoDB 6, which the modules `stages_*` define."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import QueryError
from ..type_guards import is_sequence
from .stages_joining import JoiningStages
from .stages_reporting import ReportingStages
from .stages_shaping import ShapingStages


class AggregationStages(ShapingStages, JoiningStages, ReportingStages):
    """An immutable aggregation pipeline; each method returns a new one with a further stage.

    Methods have the snake_case names of MongoDB's stages, and parameters those of the stages'
    fields. `merge_into` is `$merge`; it and `out` write.

    Parameters:
        *stages: The first stages, as dicts.

    Raises:
        QueryError: An argument is not a stage.

    Example:
        >>> import loom_async as lm
        >>> lm.AggregationStages().match({"age": {"$gt": 25}}).count("adults").to_list()
        [{'$match': {'age': {'$gt': 25}}}, {'$count': 'adults'}]
    """

    __slots__ = ()


def as_stages(stages: AggregationStages | Sequence[Mapping[str, Any]]) -> AggregationStages:
    """Return a pipeline, also one that is given as a list of dicts.

    Raises:
        QueryError: It is no pipeline.
    """
    if isinstance(stages, AggregationStages):
        return stages
    if not is_sequence(stages):
        raise QueryError(
            f"{stages!r:.200} is not a pipeline", hint="AggregationStages().match({…}).count()"
        )
    return AggregationStages(*stages)
