"""The controller's clock for stamps."""

from __future__ import annotations

import time


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
