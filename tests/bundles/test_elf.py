"""Slimmed programs: smaller, and they run as before."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.bundles.elf import slimmed

SOURCE = """
static const char padding[300000] = {1}; int counter = 40; const char *at(int i) { return padding + i; }
int answer(int by) { return counter += by; }
"""


def test_symbols_go_and_the_library_works(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    (tmp_path / "code.c").write_text(SOURCE)
    subprocess.run(["gcc", "-g3", "-shared", "-fPIC", "-o", tmp_path / "fat.so", tmp_path / "code.c"], check=True)
    fat = (tmp_path / "fat.so").read_bytes()
    slim = slimmed(fat + bytes(500_000))
    assert len(slim) < len(fat)
    assert b"code.c" in fat and b"code.c" not in slim
    (tmp_path / "slim.so").write_bytes(slim)
    assert ctypes.CDLL(str(tmp_path / "slim.so")).answer(2) == 42
    assert slimmed(slim) == slim


def test_a_gap_in_the_middle_is_closed(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    (tmp_path / "code.c").write_text(SOURCE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-z,max-page-size=0x10000", "-o", tmp_path / "tight.so",
                    tmp_path / "code.c"], check=True)
    tight = slimmed((tmp_path / "tight.so").read_bytes())
    wide = _widened(tight, 5 << 16)
    assert len(wide) == len(tight) + (5 << 16)
    (tmp_path / "wide.so").write_bytes(wide)
    (tmp_path / "closed.so").write_bytes(slimmed(wide))
    assert ctypes.CDLL(str(tmp_path / "wide.so")).answer(2) == 42
    assert ctypes.CDLL(str(tmp_path / "closed.so")).answer(2) == 42
    assert len(slimmed(wide)) == len(tight)


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_64_bit_program_stays_as_it_is(data: bytes) -> None:
    assert slimmed(data) == data


def _widened(data: bytes, by: int) -> bytes:
    """The last loaded segment, with all that lies in it, moved further back."""
    import struct

    (table,) = struct.unpack_from("<Q", data, 32)
    entry, count = struct.unpack_from("<HH", data, 54)
    starts = [table + index * entry for index in range(count)]
    loads = [struct.unpack_from("<Q", data, start + 8)[0] for start in starts
             if struct.unpack_from("<I", data, start)[0] == 1]
    cut = max(loads)
    wide = bytearray(data)
    for start in starts:
        (offset,) = struct.unpack_from("<Q", data, start + 8)
        if offset >= cut:
            struct.pack_into("<Q", wide, start + 8, offset + by)
    return bytes(wide[:cut]) + b"\xee" * by + bytes(wide[cut:])
