"""Raw samples as bytes: little-endian int64 nanoseconds, deflated."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pack(samples_ns: Sequence[int]) -> bytes:
    """`samples_ns` packed."""
    import numpy as np

    return zlib.compress(np.asarray(samples_ns, dtype="<i8").tobytes())


def unpack(packed: bytes) -> NDArray[np.int64]:
    """The samples in ns, shape (n,)."""
    import numpy as np

    return np.frombuffer(zlib.decompress(packed), dtype="<i8").astype(np.int64)
