"""`AggregationStages`: every stage of MongoDB 6 by its name, in immutable sequences."""

from __future__ import annotations

from .stages_joining import JoiningStages
from .stages_reporting import ReportingStages
from .stages_shaping import ShapingStages


class AggregationStages(ShapingStages, JoiningStages, ReportingStages):
    """An aggregation pipeline under construction; every method returns a new, longer one.

    The methods have the names of MongoDB's stages in snake_case, and their parameters those of the
    stages' fields. Stages that write are `out` and `merge_into`.

    Parameters:
        *stages: Stages to begin with, as MongoDB reads them.

    Raises:
        QueryError: Something is no stage.

    Example:
        >>> import loom_async as lm
        >>> lm.AggregationStages().match({"age": {"$gt": 25}}).count("adults").to_list()
        [{'$match': {'age': {'$gt': 25}}}, {'$count': 'adults'}]
    """

    __slots__ = ()
