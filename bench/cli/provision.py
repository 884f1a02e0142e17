"""`bench provision`: runtimes for boards that have a Python of their own and no internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEVICES, AsJson, DevicesFile, devices_text, runtime_names

if TYPE_CHECKING:
    from bench.config.devices import DeviceConfig
    from bench.devices.provision import Outcome, Plan

OneDevice = Annotated[str, typer.Option("-d", "--device", metavar="NAME", help="The board.")]
Runtimes = Annotated[str | None, typer.Option("--runtimes", metavar="LIST", help="Only these, e.g. onnxruntime,tflite; "
                                              "default: those of the device's `runtimes`, else all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be pushed, and stop.")]


def add_to(app: typer.Typer) -> None:
    @app.command()
    def provision(device: OneDevice, runtimes: Runtimes = None, dry_run: DryRun = False,
                  devices_file: DevicesFile = DEVICES, as_json: AsJson = False) -> None:
        """Push runtimes to a board that lacks them: wheels for its own Python, chosen and downloaded here.

        They are unpacked into the board's work folder; nothing is installed into its Python, and what it has installed
        itself wins. A phone, and a board with `python: bundle`, is given the bundle instead.
        """
        from bench.config.load import parse_devices
        from bench.config.select import named_devices
        from bench.errors import EXIT_INCOMPLETE, ConfigError

        config = named_devices(parse_devices(devices_text(devices_file), devices_file), [device])[device]
        chosen = _runtimes(runtimes, config)
        if config.brings_python and as_json:
            raise ConfigError(f"--json tells of wheels, and {device} is given the bundle",
                              hint="see: bench bundle list --json")
        if config.brings_python:
            _give_bundle(device, config, chosen, dry_run)
        elif not _give_wheels(device, config, chosen, dry_run, as_json):
            raise typer.Exit(EXIT_INCOMPLETE)


def _runtimes(text: str | None, device: DeviceConfig) -> list[str] | None:
    """Those that were asked for; None when nobody did. Raises ConfigError."""
    from bench.words import RUNTIMES

    if text is None:
        return [str(runtime) for runtime in device.runtimes or () if runtime in RUNTIMES] or None
    return runtime_names(text)


def _give_wheels(name: str, device: DeviceConfig, asked: list[str] | None, dry_run: bool, as_json: bool) -> bool:
    """Whether the board has, or would have, what was asked for; without asking, whether it has anything."""
    from bench.bundles.agent import build_agent
    from bench.convert.cache import open_cache, work_folder
    from bench.devices.provision import carry_out, opened, plan, probe
    from bench.words import RUNTIMES

    cache = open_cache()
    archive = build_agent(cache.root / "agent")
    with opened(name, device, archive) as board:
        python = probe(board)
    outcome = None
    with work_folder(cache) as folder:
        made = plan(python, asked or RUNTIMES, folder, _tell)
        if not as_json:
            print(_plan_text(name, f"{device.folder}/wheels/{python.tag}", made))
        if not dry_run and (made.wheels or made.present):
            with opened(name, device, archive) as board:
                outcome = carry_out(board, made, _tell)
    if as_json:
        _print_json(name, made, outcome)
    elif outcome is not None:
        print(_outcome_text(name, outcome))
    failed = outcome.failed if outcome else {}
    there = [runtime for runtime in (*made.present, *made.wanted) if runtime not in failed]
    return not failed and (bool(there) if asked is None else len(there) == len(asked))


def _tell(text: str) -> None:
    import sys

    print(text, file=sys.stderr, flush=True)


def _plan_text(name: str, root: str, plan: Plan) -> str:
    from bench.units import mebibytes

    lines = [f"{name}: {plan.python}; nothing is installed into it"]
    lines += [f"  there already: {', '.join(plan.present)}"] if plan.present else []
    lines += [f"  left out: {runtime}: {reason}" for runtime, reason in plan.lacking.items()]
    if not plan.wheels:
        return "\n".join([*lines, "  nothing to push"])
    lines.append(f"  to push into {root}:")
    lines += [f"    {f'{wheel.name} {wheel.version}':<28}{mebibytes(wheel.size_bytes):>6} MiB"
              for wheel in plan.wheels]
    return "\n".join([*lines, f"    {'in all':<28}{mebibytes(plan.size_bytes):>6} MiB, unpacked "
                              f"{mebibytes(plan.unpacked_bytes)} MiB"])


def _outcome_text(name: str, outcome: Outcome) -> str:
    from bench.units import mebibytes

    lines = [f"{name}: {mebibytes(outcome.pushed_bytes)} MiB pushed"]
    lines += [f"  {runtime}: {version}, imported there" if runtime != "numpy" else f"  numpy {version}, imported there"
              for runtime, version in outcome.versions.items()]
    return "\n".join([*lines, *(f"  {runtime}: cannot be imported there: {reason}"
                                for runtime, reason in outcome.failed.items())])


def _print_json(name: str, plan: Plan, outcome: Outcome | None) -> None:
    import json

    print(json.dumps({
        "device": name, "python": str(plan.python), "tag": plan.python.tag, "present": list(plan.present),
        "lacking": plan.lacking, "pushed_bytes": outcome.pushed_bytes if outcome else 0,
        "wheels": [{"name": wheel.name, "version": wheel.version, "bytes": wheel.size_bytes,
                    "unpacked_bytes": wheel.unpacked_bytes, "sha256": wheel.sha256} for wheel in plan.wheels],
        "imported": outcome.versions if outcome else {}, "failed": outcome.failed if outcome else {},
    }, indent=2))


def _give_bundle(name: str, device: DeviceConfig, asked: list[str] | None, dry_run: bool) -> None:
    from bench.cli.bundle import newest, push_to
    from bench.units import mebibytes

    bundle = newest()
    chosen = device if asked is None else device.model_copy(update={"runtimes": tuple(asked)})
    print(f"{name} is given the bundle's Python, as by: bench bundle push -d {name}")
    if not dry_run:
        push_to(name, chosen, bundle)
        return
    for layer in bundle.for_runtimes(bundle.runtimes if chosen.runtimes is None else chosen.runtimes).layers:
        print(f"  {layer.folder:<30}{mebibytes(layer.archive_bytes):>6} MiB, unless it is there")
