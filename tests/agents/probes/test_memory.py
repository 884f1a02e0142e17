"""Memory, where the kernel tells of it and where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from bench.agents.probes import files, memory


def test_this_process_has_a_peak_and_a_share() -> None:
    peak, share = memory.peak_rss(), memory.pss()
    assert peak and share and 1 << 20 < share < peak


def test_a_kernel_that_refuses_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(files, "open", refuse, raising=False)
    assert (memory.pss(), memory.peak_rss()) == (None, None)
