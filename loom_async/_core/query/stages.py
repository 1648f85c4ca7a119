"""`AggregationStages`: the stages of MongoDB 6, which the modules `stages_*` define."""

from __future__ import annotations

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
