"""The emulated phone's programs, as tests share them."""

from __future__ import annotations

import subprocess

import pytest

from bench.errors import ConfigError
from bench.testing.android.needs import why_not
from bench.testing.android.programs import Programs, programs
from bench.testing.android.root import AndroidRoot
from tests.fakes.caches import test_cache


def shared_programs() -> Programs:
    """Those in the tests' cache, downloaded once; the test is skipped where no phone can run."""
    if why_not():
        pytest.skip(why_not())
    try:
        return programs(test_cache() / "android")
    except ConfigError as error:
        pytest.skip(str(error))


def on(phone: AndroidRoot, line: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """What the phone's shell makes of a line."""
    process = phone.spawn(line)
    out, err = process.communicate(given, timeout=60)
    return subprocess.CompletedProcess(line, process.returncode, out.decode(), err.decode())
