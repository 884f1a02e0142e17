"""`bench run`: convert, measure, record, and print the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEVICES, STORE, AsJson, DeviceNames, DevicesFile, StorePath, Wait, devices_text, opened

if TYPE_CHECKING:
    from bench.config.devices import DeviceConfig
    from bench.config.load import LoadedSuite
    from bench.convert.cache import Cache
    from bench.report.morning import Morning
    from bench.results import RunInfo
    from bench.run.in_use import AllInUse
    from bench.run.job import Prepared, RunRequest
    from bench.store.records import StoredRun
    from bench.store.store import Store

LEAST_WIDTH = 100
"""Columns that the comparison needs; a narrower terminal wraps it rather than losing digits."""


def add_to(app: typer.Typer) -> None:
    @app.command()
    def run(
        suite: Annotated[Path | None, typer.Argument(help="A suite file; without one, the embedded demo.")] = None,
        device: DeviceNames = None,
        devices_file: DevicesFile = DEVICES,
        store: StorePath = STORE,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with its reasons, and stop.")] = False,
        quick: Annotated[bool, typer.Option("--quick", help="Few and short trials: a look, not a result.")] = False,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest unfinished run of the store; "
                                                              "saved trials are not measured again.")] = False,
        baseline: Annotated[str | None, typer.Option("--baseline", metavar="RUN", help="Judge by this run wherever "
                                                     "the suite says last-green.")] = None,
        wait: Wait = None,
        as_json: AsJson = False,
    ) -> None:
        """Convert, quantize and measure a suite on devices, judge it by what it expects; write the HTML report.

        Ends with 0 when all is well, 1 when an expectation is broken, or inconclusive and must not be; 3 when something
        could not be measured or judged and nothing is broken, also where another controller uses a device; 130 after
        Ctrl-C.
        """
        from dataclasses import replace

        from bench.cli.options import wait_seconds
        from bench.convert.cache import open_cache
        from bench.run.job import prepare

        wait_s, cache = wait_seconds(wait), open_cache()
        earlier = _earlier(store, suite, device or [], quick) if resume else None
        request = _resumed(earlier) if earlier else request_of(suite, devices_file, device or [], quick)
        if dry_run:
            _print_plan(prepare(request, cache), cache, as_json)
            return
        raise typer.Exit(_run(replace(request, wait_s=wait_s), store, earlier, baseline, as_json))


def _run(request: RunRequest, path: Path, earlier: StoredRun | None, baseline: str | None, as_json: bool) -> int:
    """The exit code after a whole run."""
    from bench.cli.progress import showing
    from bench.convert.cache import open_cache
    from bench.convert.uses import using
    from bench.errors import EXIT_INTERRUPTED, ConfigError
    from bench.report.morning import gather
    from bench.run.in_use import AllInUse
    from bench.run.job import prepare, run
    from bench.run.judging import check_expectations, judge_with_retries
    from bench.run.stop import Stop

    stop, cache = Stop(), open_cache()
    with using(cache), opened(path, create=True) as store:
        baseline = check_expectations(request.suite, store, baseline)
        if earlier and baseline == earlier.run.id:
            raise ConfigError(f"--baseline {baseline} is the very run that --resume goes on with",
                              hint="name another run, or leave it out")
        try:
            with showing() as progress, stop.listening(progress.interrupted):
                prepared = prepare(request, cache)
                run_id = run(request, prepared, store, cache, stop, progress.notify, earlier)
                if not stop.soft.is_set():
                    judge_with_retries(request, run_id, prepared, store, cache, stop, progress.notify, baseline)
        except AllInUse as error:
            return _judge_files(error, request, prepared, store, baseline, earlier, as_json)
        morning = gather(store, store.find_run(run_id))
    _print_result(morning, path, as_json)
    return EXIT_INTERRUPTED if stop.soft.is_set() else _exit_code(morning.result.run)


def _judge_files(error: AllInUse, request: RunRequest, prepared: Prepared, store: Store, baseline: str | None,
                 earlier: StoredRun | None, as_json: bool) -> int:
    """Print what can be told of the files while the devices are in use. Raises `error` where nothing is asked of it."""
    from rich.console import Console

    from bench.cli.progress import showing
    from bench.convert.cache import open_cache
    from bench.errors import EXIT_EXPECTATION
    from bench.report.judgement import terminal
    from bench.run.unmeasured import judge_files

    with showing() as progress:
        result = None if earlier else judge_files(request, prepared, store, open_cache(), error, progress.notify,
                                                  baseline)
    if result is None or result.run.judgement is None:
        raise error
    Console(stderr=as_json).print("nothing was measured; by its files alone:", terminal(result))
    broken = any(outcome.state == "broken" for outcome in result.run.judgement.outcomes)
    return EXIT_EXPECTATION if broken else error.exit_code


def _exit_code(run: RunInfo) -> int:
    """What is broken comes first: a regression is one also where a device was lost. What only cannot be told is the
    lab's doing in a run that is incomplete."""
    from bench.errors import EXIT_EXPECTATION, EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK

    judgement = run.judgement
    if run.state == "interrupted":
        return EXIT_INTERRUPTED
    if judgement and any(outcome.state == "broken" for outcome in judgement.outcomes):
        return EXIT_EXPECTATION
    if run.state != "finished":
        return EXIT_INCOMPLETE
    if judgement and judgement.state in ("not judged", "partly judged"):
        return {"fail": EXIT_EXPECTATION, "pass": EXIT_OK}.get(judgement.on_not_judged or "", EXIT_INCOMPLETE)
    return EXIT_EXPECTATION if judgement and judgement.state == "red" else EXIT_OK


def request_of(suite: Path | None, devices_file: Path, names: list[str], quick: bool) -> RunRequest:
    """What these files and options ask for. Raises ConfigError."""
    from bench.config.check import check_against_devices, check_files
    from bench.config.load import load_suite, parse_devices
    from bench.config.select import select_devices
    from bench.zoo import DEMO

    text = devices_text(devices_file)
    devices = parse_devices(text, devices_file)
    loaded = load_suite(suite or DEMO)
    check_files(loaded)
    check_against_devices(loaded, devices)
    return _build(loaded, select_devices(loaded.config, devices, names), text, devices_file, quick)


def _earlier(path: Path, suite: Path | None, names: list[str], quick: bool) -> StoredRun:
    """The newest unfinished run. Raises ConfigError when what was asked for beside --resume is not what it did."""
    from bench.errors import ConfigError
    from bench.store.store import INCOMPLETE

    with opened(path) as store:
        found = store.load(store.find_run(None, INCOMPLETE))
    run, did = found.run, found.run.settings
    same_suite = suite is None or str(suite.resolve()) == run.suite_path
    same_devices = not names or set(names) == set(did["devices"])
    if not (same_suite and same_devices and (did["quick"] or not quick)):
        what = f"{run.suite_path} on {', '.join(did['devices'])}" + (", --quick" if did["quick"] else "")
        raise ConfigError(
            f"the newest unfinished run is {run.id}, of {what}",
            hint="write --resume alone to go on with it, or start a new run without --resume")
    return found


def _resumed(earlier: StoredRun) -> RunRequest:
    """The request of that run, from what the store kept of it."""
    from bench.config.load import parse_devices, parse_suite
    from bench.config.select import select_devices

    run = earlier.run
    suite_path, devices_path = Path(run.suite_path), Path(run.devices_path)
    loaded = parse_suite(run.suite_text, suite_path, suite_path.parent)
    devices = select_devices(loaded.config, parse_devices(run.devices_text, devices_path), run.settings["devices"])
    return _build(loaded, devices, run.devices_text, devices_path, run.settings["quick"])


def _build(loaded: LoadedSuite, devices: dict[str, DeviceConfig], text: str, path: Path, quick: bool) -> RunRequest:
    from dataclasses import replace

    from bench.run.job import RunRequest

    if quick:
        measure = loaded.config.measure.quick()
        loaded = replace(loaded, config=loaded.config.model_copy(update={"measure": measure}))
    return RunRequest(loaded, devices, text, str(path.resolve()), quick)


def _print_plan(prepared: Prepared, cache: Cache, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from bench.run.chance import known_by_now

    if as_json:
        words = {name: dict(model.words) for name, model in prepared.usable.items()}
        print(json.dumps([{**asdict(planned.cell), "cell": planned.cell.id, "reason": planned.reason,
                           "warnings": list(planned.warnings), "inputs": words.get(planned.cell.model, {})}
                          for planned in prepared.planned], indent=2))
        return
    for text in [*prepared.said, *known_by_now(prepared.usable.values(), cache)]:
        print(text)
    for planned in prepared.planned:
        print(f"{planned.cell.id}: {f'left out: {planned.reason}' if planned.reason else 'to be measured'}")
    kept = sum(planned.reason is None for planned in prepared.planned)
    print(f"{kept} of {len(prepared.planned)} cells to be measured; whether they convert shows when they are converted")


def _print_result(morning: Morning, path: Path, as_json: bool) -> None:
    import sys

    from bench.report import report
    from bench.report.write import write_report

    if as_json:
        print(report(morning, "json"), end="")
    else:
        from rich.console import Console, Group

        from bench.report.judgement import terminal
        from bench.report.terminal import table

        console = Console()
        shown = Group(table(morning.result), terminal(morning.result))
        Console(width=max(console.width, LEAST_WIDTH)).print(shown)
    page = path.parent / f"{morning.result.run.id}.html"
    write_report(report(morning, "html"), page)  # after the table: it may meet a full disk
    print(f"report: {page}", file=sys.stderr if as_json else sys.stdout)
