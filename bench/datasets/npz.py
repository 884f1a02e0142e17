"""Arrays in one file, the same arrays always as the same bytes."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from bench.errors import ModelError
from bench.models.files import sha256_file

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip entry can have."""
_READERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write_npz(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Write `arrays` (sorted by name, uncompressed, without times) to `path`; returns the file's sha256.

    Raises ValueError for arrays of Python objects.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(entry, "w", force_zip64=True) as member:
                array = np.asarray(arrays[name], order="C")
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
    return sha256_file(path)


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays in `path` by name, uncompressed: together they are no larger than the file.

    Raises ModelError for a damaged file, for one that claims more than it has, and for pickled objects in it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("wanted uncompressed arrays, found compressed ones")
            if sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise ValueError("its parts claim to be larger than the whole")
            return {entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in entries}
    except Exception as error:  # zipfile, numpy's header and Python's parser beneath it: a dozen kinds
        raise ModelError(f"{path} is no file of arrays that can be read: {error or type(error).__name__}") from None


def _array(data: bytes) -> npt.NDArray[Any]:
    """The array of a member's bytes; numpy's own reader takes memory for what the header claims before it looks."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _READERS:
        raise ValueError(f"wanted a header of version 1 or 2, found {version}")
    shape, fortran, dtype = _READERS[version](stream)
    if dtype.hasobject or dtype.kind not in "biufc":
        raise ValueError(f"Object arrays and the like are not read: found {dtype}")
    content = data[stream.tell():]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"a header claims shape {shape} of {dtype}, which {len(content)} bytes are not")
    order: Literal["F", "C"] = "F" if fortran else "C"
    return np.ndarray(shape, dtype, buffer=content or bytes(dtype.itemsize), order=order).copy(order)
