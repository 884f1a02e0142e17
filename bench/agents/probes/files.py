"""Reading the small files of /proc and /sys, any of which may be missing or refuse."""

from __future__ import annotations

import glob
from typing import List, Optional


def text(path: str) -> Optional[str]:
    """A file's content without NULs and outer white space; None where it cannot be read."""
    try:
        with open(path, errors="replace") as file:
            return file.read().replace("\0", "").strip()
    except OSError:
        return None


def number(path: str) -> Optional[int]:
    """A file's content as an integer; None where it is none."""
    content = text(path)
    try:
        return int(content) if content else None
    except ValueError:
        return None


def numbers(pattern: str) -> List[int]:
    """The integers in all files that match, in the order of their names with numbers compared as numbers."""
    found = (number(path) for path in sorted(glob.glob(pattern), key=lambda path: (len(path), path)))
    return [value for value in found if value is not None]
