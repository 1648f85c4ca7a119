"""What stands in place of the result of a call that could not be joined with others."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Alone(Enum):
    """The type of `ALONE`."""

    ALONE = "alone"


#: The call has to be made by itself.
ALONE: Final = Alone.ALONE
