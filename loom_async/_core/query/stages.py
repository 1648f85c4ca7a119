"""`AggregationStages`: a method for every aggregation stage of MongoDB 6."""

from __future__ import annotations

from .stages_joining import JoiningStages
from .stages_reporting import ReportingStages
from .stages_shaping import ShapingStages


class AggregationStages(ShapingStages, JoiningStages, ReportingStages):
    """An immutable aggregation pipeline; each method returns a new one with a further stage.

    Methods and parameters are named after MongoDB's stages and their fields, in snake_case. The
    stages that write are `out` and `merge_into`.

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
