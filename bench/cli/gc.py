"""`bench gc`: prune the cache of this machine, or remove what bench keeps on devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEVICES, DeviceNames, DevicesFile, devices_text

if TYPE_CHECKING:
    from bench.config.devices import DeviceConfig

DAYS = 30
DryRun = Annotated[bool, typer.Option("--dry-run", help="With -d: say what would be removed, and stop.")]


def add_to(app: typer.Typer) -> None:
    @app.command()
    def gc(
        device: DeviceNames = None,
        devices_file: DevicesFile = DEVICES,
        dry_run: DryRun = False,
        older_than: Annotated[int | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Remove what has "
                                                       f"not been used for so many days; default {DAYS}.")] = None,
        everything: Annotated[bool, typer.Option("--all", help="Remove all of it.")] = False,
    ) -> None:
        """Remove converted models and bundle parts that have not been used for a while; results are never removed.

        With -d it removes bench's work folder from these devices instead, all of it, and leaves this machine's cache
        alone. A folder that holds anything else is refused, and so is a device that somebody uses.
        """
        from bench.errors import EXIT_INCOMPLETE, ConfigError

        if device and (older_than is not None or everything):
            raise ConfigError("--older-than and --all are about this machine's cache, and -d is about devices",
                              hint="with -d everything is removed that bench keeps on the device")
        if dry_run and not device:
            raise ConfigError("--dry-run goes with -d NAME")
        if not device:
            _prune(DAYS if older_than is None else older_than, everything)
            return
        done = [_tidy(name, config, dry_run) for name, config in _named(device, devices_file).items()]
        if not all(done):
            raise typer.Exit(EXIT_INCOMPLETE)


def _prune(older_than_days: int, everything: bool) -> None:
    from bench.convert.cache import open_cache, prune
    from bench.convert.uses import used_since
    from bench.devices.tidy import prune_bundles
    from bench.units import mebibytes

    cache = open_cache()
    began = used_since(cache)
    count, freed = prune(cache, older_than_days=older_than_days, everything=everything, used_since=began)
    parts, more = (0, 0) if began else prune_bundles(cache.bundles, older_than_days, everything)
    if began:
        print("a command of bench uses the cache now: what it uses is kept, and so are the parts of bundles")
    print(f"{count + parts} entries removed, {mebibytes(freed + more)} MiB freed in {cache.root}")


def _named(names: list[str], devices_file: Path) -> dict[str, DeviceConfig]:
    from bench.config.load import parse_devices
    from bench.config.select import named_devices

    return named_devices(parse_devices(devices_text(devices_file), devices_file), names)


def _tidy(name: str, device: DeviceConfig, dry_run: bool) -> bool:
    """Whether the device's folder is gone, or could go; why not goes to standard error."""
    import sys

    from bench.devices.tidy import tidy
    from bench.errors import BenchError
    from bench.transports.text import printable
    from bench.units import mebibytes

    try:
        tidied = tidy(name, device, dry_run)
    except BenchError as error:
        print(f"{name}: {printable(str(error))}", file=sys.stderr)
        return False
    if tidied.size_bytes is None:
        print(f"{name}: nothing to remove: {tidied.folder} is not there")
        return True
    size = mebibytes(tidied.size_bytes)
    print(f"{name}: {tidied.folder}: " + (f"{size} MiB would be freed" if dry_run else f"removed, {size} MiB freed"))
    if tidied.kept:
        print(f"  kept, for they are this command's own cache there (bench gc): {', '.join(tidied.kept)}")
    return True
