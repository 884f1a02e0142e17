"""One deadline, handed down through every wait."""

from __future__ import annotations

import time

from bench.errors import DeadlineExceeded


class Deadline:
    """A point in monotonic time by which something must have happened."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; 0.0 when it has passed."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        return self.left() == 0.0

    def sooner(self, seconds: float) -> Deadline:
        """A deadline in `seconds` from now, or this one where that is earlier."""
        return Deadline(seconds) if seconds < self.left() else self

    def check(self, waiting_for: str) -> float:
        """Seconds left. Raises DeadlineExceeded, naming what was waited for, when there are none."""
        left = self.left()
        if left == 0.0:
            raise DeadlineExceeded(f"{waiting_for}: no answer within {self.seconds:g} s")
        return left
