"""The result of a call that could not be part of a batch."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Unbatched(Enum):
    """The type of `UNBATCHED`."""

    UNBATCHED = "unbatched"


#: Takes the place of a result: the call has not been made, and has to be made alone.
UNBATCHED: Final = Unbatched.UNBATCHED
