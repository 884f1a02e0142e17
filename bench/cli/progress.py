"""Progress on standard error: a live table on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.transports.text import printable
from bench.units import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.run.events import Event

LONGEST_LINE = 4096


@dataclass
class _Row:
    """What one device is doing. Trials done give the time that is left."""

    text: str = ""
    done: int = 0
    total: int = 0
    failed: int = 0
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> str:
        if not 0 < self.done < self.total:
            return ""
        return "about " + duration((time.monotonic() - self.begun) / self.done * (self.total - self.done))


class Plain:
    """A line per step that lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def notify(self, event: Event) -> None:
        """Print what the event says, if it is worth a line; of a device that waits, why it began to."""
        line = _line(event)
        with self._lock:
            known = event.kind == "waiting" and event.device in self._waiting
            (self._waiting.add if event.kind == "waiting" else self._waiting.discard)(event.device)
            if line and not known:
                print(line, file=sys.stderr, flush=True)

    def interrupted(self) -> None:
        """Say what Ctrl-C does."""
        print("stopping after the trial under way; Ctrl-C again stops now", file=sys.stderr, flush=True)


class Live:
    """A table with a row per device, and the lasting lines above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._lock = threading.Lock()
        self._rows: dict[str, _Row] = {}
        self._console = Console(stderr=True)
        self.live = RichLive(console=self._console, get_renderable=self._table, refresh_per_second=4, transient=True)

    def notify(self, event: Event) -> None:
        """Take the event into the table."""
        with self._lock:
            if event.device:
                self._update(self._rows.setdefault(event.device, _Row()), event)
        if event.kind in ("note", "converted", "refused", "trial-failed", "closed", "contention"):
            self._console.print(_line(event), markup=False, highlight=False)

    def interrupted(self) -> None:
        """Say what Ctrl-C does."""
        self._console.print("stopping after the trial under way; Ctrl-C again stops now")

    def _update(self, row: _Row, event: Event) -> None:
        if event.kind in ("trial-ok", "trial-failed", "closed"):
            row.done, row.total = event.done, event.total
            row.failed += event.kind == "trial-failed"
        elif event.kind in ("waiting", "phase"):
            row.text = f"{event.cell.partition('@')[0]}: {event.text}"
        else:
            row.text = f"{event.cell.partition('@')[0]} {event.text}".strip()

    def _table(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, row in sorted(self._rows.items()):
            failed = f"{row.failed} failed" if row.failed else ""
            doing = Text(printable(row.text))
            table.add_row(name, f"{row.done}/{row.total}" if row.total else "", row.left(), failed, doing)
        return table


@contextmanager
def showing() -> Iterator[Plain | Live]:
    """The display that suits standard error, shown while the body runs."""
    if not sys.stderr.isatty():
        yield Plain()
        return
    display = Live()
    with display.live:
        yield display


def _line(event: Event) -> str:
    texts = {
        "note": event.text,
        "convert": f"converting {event.text}",
        "converted": f"converted {event.text}",
        "refused": f"refused {event.text}",
        "device": f"{event.device}: {event.text}",
        "contention": f"{event.device}: {event.text}",
        "waiting": f"{event.device}: {event.text}",
        "closed": f"{event.cell}: {event.text}",
        "trial-ok": f"[{event.done}/{event.total}] {event.cell}",
        "trial-failed": f"[{event.done}/{event.total}] {event.cell}: failed: {event.text}",
    }
    return printable(texts.get(event.kind, ""), LONGEST_LINE)
