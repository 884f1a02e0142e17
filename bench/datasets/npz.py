"""Arrays in one file, the same arrays always as the same bytes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.errors import ModelError
from bench.models.files import sha256_file

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip entry can have."""


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
    """The arrays in `path` by name. Raises ModelError for a damaged file and for pickled objects in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as error:
        raise ModelError(f"{path} is no file of arrays that can be read: {error}") from None


def _array(data: bytes) -> npt.NDArray[Any]:
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
