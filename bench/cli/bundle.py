"""`bench bundle`: the Python that is put on devices which have none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEVICES, AsJson, DeviceNames, DevicesFile, devices_text

if TYPE_CHECKING:
    from bench.bundles.layers import Bundle, Layer
    from bench.config.devices import DeviceConfig


def add_to(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
                        help="Make, show and push the self-contained Python for aarch64 devices that have none.")
    _add_build(verbs)
    _add_list(verbs)
    _add_push(verbs)
    app.add_typer(verbs, name="bundle")


def _add_build(verbs: typer.Typer) -> None:
    @verbs.command()
    def build(
        runtimes: Annotated[str | None, typer.Option(metavar="A,B", help="Only these runtimes; default all.")] = None,
        source: Annotated[Path | None, typer.Option("--from", metavar="PATH", help="Take a folder or .tar.gz made "
                                                    "elsewhere; it holds an executable `py`.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Build it from Debian's arm64 packages and aarch64 wheels; what is there already is not built again."""
        import sys

        from bench.bundles.build import build as build_layers
        from bench.bundles.elsewhere import adopt
        from bench.errors import ConfigError
        from bench.words import RUNTIMES

        if source is not None and runtimes is not None:
            raise ConfigError("--from and --runtimes exclude each other: what was made elsewhere is taken as it is")
        if source is not None:
            bundle = adopt(_library(), source)
        else:
            chosen = RUNTIMES if runtimes is None else [name.strip() for name in runtimes.split(",") if name.strip()]
            bundle = build_layers(_library(), chosen, lambda text: print(text, file=sys.stderr, flush=True))
        _show(bundle, as_json)


def _add_list(verbs: typer.Typer) -> None:
    @verbs.command(name="list")
    def list_(as_json: AsJson = False) -> None:
        """Show the layers of the newest bundle: what is in them, and their sizes."""
        _show(newest(), as_json)


def _add_push(verbs: typer.Typer) -> None:
    @verbs.command()
    def push(device: DeviceNames = None, devices_file: DevicesFile = DEVICES) -> None:
        """Put the newest bundle on devices, and start its Python there; `bench run` does the same when it needs it."""
        import sys

        from bench.config.load import parse_devices
        from bench.config.select import named_devices
        from bench.errors import EXIT_INCOMPLETE, BenchError, ConfigError
        from bench.transports.text import printable

        if not device:
            raise ConfigError("no device was named to push to", hint="name one with -d; bench devices shows them")
        devices = named_devices(parse_devices(devices_text(devices_file), devices_file), device)
        bundle = newest()
        failed = False
        for name, config in devices.items():
            try:
                push_to(name, config, bundle)
            except BenchError as error:
                failed = True
                print(f"{name}: {printable(str(error))}", file=sys.stderr)
        if failed:
            raise typer.Exit(EXIT_INCOMPLETE)


def push_to(name: str, device: DeviceConfig, bundle: Bundle) -> None:
    """Put the layers that the device's `runtimes` need on it, and say which. Raises what `deploy` raises."""
    import sys

    from bench.deadline import Deadline
    from bench.devices.bundle import CONNECT_WITHIN_S, deploy
    from bench.transports.connect import connect
    from bench.units import mebibytes

    chosen = bundle.for_runtimes(bundle.runtimes if device.runtimes is None else device.runtimes)
    transport = connect(name, device, Deadline(CONNECT_WITHIN_S))
    try:
        deployed = deploy(transport, device.folder, chosen,
                          lambda text: print(f"{name}: {text}", file=sys.stderr, flush=True))
    finally:
        transport.close()
    for layer in chosen.layers:
        done = "pushed" if layer.name in deployed.pushed else "was there"
        print(f"{name}: {layer.folder:<29}{done}")
    print(f"{name}: {mebibytes(deployed.pushed_bytes)} MiB sent; its Python is {deployed.python}")


def _show(bundle: Bundle, as_json: bool) -> None:
    """One line per layer, and their sum."""
    import json

    from bench.units import mebibytes

    if as_json:
        print(json.dumps({"architecture": bundle.architecture, "layers": list(map(_plain, bundle.layers))}, indent=2))
        return
    for layer in bundle.layers:
        print(f"{layer.name:<13}{layer.digest}  {mebibytes(layer.archive_bytes):>6} MiB  "
              f"{mebibytes(layer.unpacked_bytes):>6} MiB unpacked  {_contents(layer)}".rstrip())
    archives = sum(layer.archive_bytes for layer in bundle.layers)
    unpacked = sum(layer.unpacked_bytes for layer in bundle.layers)
    print(f"{'all':<29}  {mebibytes(archives):>6} MiB  {mebibytes(unpacked):>6} MiB unpacked")


def _contents(layer: Layer) -> str:
    shown = [f"{name} {version}" for name, version in layer.versions.items()]
    return ", ".join(shown[:2]) + (f" and {len(shown) - 2} more" if len(shown) > 2 else "")


def _plain(layer: Layer) -> dict[str, object]:
    return {"name": layer.name, "digest": layer.digest, "archive": str(layer.archive),
            "archive_bytes": layer.archive_bytes, "unpacked_bytes": layer.unpacked_bytes, "files": layer.files,
            "needs": list(layer.needs), "versions": dict(layer.versions)}


def _library() -> Path:
    from bench.convert.cache import open_cache

    return open_cache().bundles


def newest() -> Bundle:
    """The newest bundle. Raises ConfigError when there is none."""
    from bench.bundles import library
    from bench.errors import ConfigError

    bundle = library.newest(_library())
    if bundle is None:
        raise ConfigError("no bundle has been built", hint="bench bundle build")
    return bundle
