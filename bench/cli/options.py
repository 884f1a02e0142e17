"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.store.records import RunRecord
    from bench.store.store import Store

DEVICES = Path("devices.yaml")
LONGEST_WARNING = 2000
"""Characters."""
STORE = Path("reports/bench.sqlite")

DevicesFile = Annotated[Path, typer.Option("--devices", metavar="FILE", help="The devices.")]
DeviceNames = Annotated[list[str] | None, typer.Option("-d", "--device", metavar="NAME",
                                                       help="Only this device; may be given several times.")]
StorePath = Annotated[Path, typer.Option("--store", metavar="PATH", help="The SQLite file that holds results.")]
Wait = Annotated[str | None, typer.Option("--wait", metavar="TIME", help="How long to wait for a device that another "
                                          "controller uses, such as 10m; without it, not at all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[Store]:
    """The store at `path`; what could not be read of it is told on standard error at the end."""
    import sys

    from bench.store.damage import warning
    from bench.store.store import Store
    from bench.transports.text import printable

    with Store(path, create=create) as store:
        try:
            yield store
        finally:
            if store.damage:
                print(f"warning: {printable(warning(path, store.damage), LONGEST_WARNING)}", file=sys.stderr)


def newest_run(store: Store, wanted: str | None) -> RunRecord:
    """The run that is wanted; without a name the newest that came to its end, and on standard error what is newer."""
    import sys

    from bench.report.text import visible

    if wanted is not None:
        return store.find_run(wanted)
    found = store.newest_ended()
    for run in reversed(store.runs()):
        if run.order > found.order:
            says = ("is in progress" if run.state == "running"
                    else "was interrupted; bench run --resume goes on with it")
            print(f"run {visible(run.id)} of {visible(run.suite)}, which is newer, {says}: this is run "
                  f"{visible(found.id)}, the newest that came to its end", file=sys.stderr)
    return found


def devices_text(path: Path) -> str:
    """The devices file's text; where there is no devices.yaml and none was named, this machine alone."""
    from bench.config.files import read_text

    if path == DEVICES and not path.exists():
        return "version: 1\ndevices:\n  this-machine: {local: {}}\n"
    return read_text(path)


def wait_seconds(text: str | None) -> float:
    """What --wait says in seconds, 0 where it was not given. Raises ConfigError."""
    from bench.config.quantities import parse_duration
    from bench.errors import ConfigError

    try:
        return 0.0 if text is None else parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--wait: {error}") from None


def runtime_names(text: str) -> list[str]:
    """The runtimes of a list such as onnxruntime,tflite, each once. Raises ConfigError for others, and for none."""
    from bench.errors import ConfigError
    from bench.words import RUNTIMES, nearest

    names = [word.strip() for word in text.split(",") if word.strip()]
    for name in names:
        if name not in RUNTIMES:
            raise ConfigError(f"--runtimes: no runtime {name!r}{nearest(name, RUNTIMES)}")
    if not names:
        raise ConfigError(f"--runtimes: wanted names such as onnxruntime,tflite, found {text!r}")
    return list(dict.fromkeys(names))
