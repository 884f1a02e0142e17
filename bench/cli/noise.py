"""`bench noise`: how far equal cells differ by chance on a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEVICES, STORE, AsJson, DevicesFile, StorePath, Wait, opened

if TYPE_CHECKING:
    from bench.run.job import RunRequest
    from bench.run.noise import Needed, Noise
    from bench.store.records import RunRecord
    from bench.store.store import Store

DevicesToLearn = Annotated[list[str], typer.Option("-d", "--device", metavar="NAME", help="The device; may be given "
                                                   "several times.")]


def add_to(app: typer.Typer) -> None:
    @app.command()
    def noise(
        device: DevicesToLearn,
        suite: Annotated[Path | None, typer.Argument(help="A suite file; without one, the embedded demo.")] = None,
        trials: Annotated[int, typer.Option("--trials", min=2, max=500, metavar="N",
                                            help="Fresh processes of each side: it takes twice as many.")] = 20,
        runtimes: Annotated[str | None, typer.Option("--runtimes", metavar="LIST", help="Only these, e.g. "
                                                     "onnxruntime,tflite; default: the suite's.")] = None,
        every: Annotated[bool, typer.Option("--all", help="Every cell of the suite, not one per runtime.")] = False,
        devices_file: DevicesFile = DEVICES,
        store: StorePath = STORE,
        wait: Wait = None,
        as_json: AsJson = False,
    ) -> None:
        """Measure the same cell twice, by turns, and learn what difference is noise on a device: A/A.

        One cell per runtime: the suite's first model in the precision of its source. Verdicts and the trials they ask
        for use what is stored; reports leave these runs out.
        """
        from dataclasses import replace

        from bench.cli.options import runtime_names, wait_seconds
        from bench.cli.run import request_of
        from bench.run.noise import noise_request

        chosen = runtime_names(runtimes) if runtimes is not None else []
        request = replace(request_of(suite, devices_file, device, False), wait_s=wait_seconds(wait))
        raise typer.Exit(_measure(noise_request(request, trials), chosen, every, store, as_json))


def _measure(request: RunRequest, runtimes: list[str], every: bool, path: Path, as_json: bool) -> int:
    """The exit code after an A/A run."""
    from bench.cli.progress import showing
    from bench.convert.cache import open_cache
    from bench.convert.uses import using
    from bench.errors import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK
    from bench.run.job import prepare, run
    from bench.run.noise import noise_cells
    from bench.run.stop import Stop

    stop, cache = Stop(), open_cache()
    with using(cache), opened(path, create=True) as store:
        with showing() as progress, stop.listening(progress.interrupted):
            prepared = noise_cells(prepare(request, cache), runtimes, every=every)
            run_id = run(request, prepared, store, cache, stop, progress.notify)
        record = store.find_run(run_id)
        (_print_json if as_json else _print)(record, _read(store, record))
    if stop.soft.is_set():
        return EXIT_INTERRUPTED
    return EXIT_OK if record.state == "finished" else EXIT_INCOMPLETE


def _read(store: Store, record: RunRecord) -> list[Noise]:
    from bench.judge.noise import find_floors
    from bench.run.noise import read_noise

    return read_noise(store, store.load(record), find_floors(store))


def _print_json(record: RunRecord, found: list[Noise]) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps({"run": record.id, "state": record.state, "cells": [asdict(noise) for noise in found]}, indent=2))


def _print(record: RunRecord, found: list[Noise]) -> None:
    for noise in found:
        print("\n".join(_lines(noise)))
    print(f"kept as run {record.id}; verdicts and recommended trials use it from now on")


def _lines(noise: Noise) -> list[str]:
    """The cell's noise in words."""
    from bench.report.text import visible
    from bench.run.noise import USUAL_TRIALS
    from bench.units import duration

    title = visible(noise.cell)
    if noise.reason is not None:
        return [f"{title}: not measured: {visible(noise.reason)}", ""]
    trials = "1 trial" if noise.trials == 1 else f"{noise.trials} trials"
    lines = [f"{title}: {trials} of each side, {duration(noise.seconds or 0.0)} each"]
    if noise.floor is None or noise.smallest is None:
        lines.append("  too few trials for a noise floor")
    else:
        lines.append(f"  noise floor of {noise.runtime}: {_share(noise.floor.trial_sd)} between trials, learnt from "
                     f"{noise.floor.trials}")
        lines.append(f"  with {USUAL_TRIALS} trials of each side, a difference below {_share(noise.smallest)} is not "
                     "told from noise")
        lines += [_needed(needed) for needed in noise.needed]
    if noise.seen is not None:
        lines.append(f"  B against A here: {_change(noise.seen.ratio)}{_interval(noise)}")
    return [*lines, ""]


def _needed(needed: Needed) -> str:
    from bench.units import duration

    wanted = f"  to find {_share(needed.effect)} more, judged with a margin of {_share(needed.margin)}: "
    if needed.trials is None or needed.seconds is None:
        return wanted + "no number of trials would do"
    return wanted + f"{needed.trials} trials of each side, {duration(needed.seconds)} a cell"


def _share(fraction: float) -> str:
    return f"{100 * fraction:.2g} %"


def _change(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.2g} %"


def _interval(noise: Noise) -> str:
    assert noise.seen is not None
    if noise.seen.low is None or noise.seen.high is None:
        return ""
    return f" (95 % interval {_change(noise.seen.low)} to {_change(noise.seen.high)})"
