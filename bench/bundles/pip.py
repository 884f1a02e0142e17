"""This Python's own pip, as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from bench.errors import ConfigError, DeadlineExceeded, InfrastructureError

FETCH_WITHIN_S = 1800.0


class NothingFits(InfrastructureError):
    """The index was reached, and has nothing that was asked for."""


def download(words: Sequence[str], purpose: str) -> None:
    """`pip download` with these words; `purpose` ("a bundle is made from") begins the error when there is no pip.

    Raises ConfigError (no pip), NothingFits, InfrastructureError (with pip's own reason), DeadlineExceeded.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
    try:
        done = subprocess.run([*command, *words], env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL, timeout=FETCH_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"pip download: no end within {FETCH_WITHIN_S:g} s") from None
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise ConfigError(f"{purpose} wheels that pip downloads, and this Python has no pip",
                          hint=f"install it with: {sys.executable} -m ensurepip")
    errors = [line.removeprefix("ERROR:").strip() for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    reason = errors[0] if errors else (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    unreached = "Retrying (" in done.stderr
    kind = NothingFits if "No matching distribution" in done.stderr and not unreached else InfrastructureError
    raise kind(f"pip could not download the wheels: {reason}",
               hint="check that pip reaches its package index from here")
