"""`bench recommend`: which variant and runtime a device should use, within limits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import STORE, DeviceNames, StorePath, newest_run, opened

if TYPE_CHECKING:
    from bench.judge.candidates import Wishes
    from bench.judge.recommend import Recommendation
    from bench.results import RunResult


class Format(StrEnum):
    """The formats there are."""

    text = "text"
    md = "md"
    json = "json"


class Objective(StrEnum):
    """What is to be as small as can be."""

    latency = "latency"
    memory = "memory"
    size = "size"
    energy = "energy"


def add_to(app: typer.Typer) -> None:
    @app.command()
    def recommend(
        model: Annotated[str, typer.Argument(help="A model.")],
        max_latency: Annotated[str | None, typer.Option("--max-latency", metavar="TIME", help="p50, such as 20ms."
                                                        )] = None,
        max_drop: Annotated[str | None, typer.Option("--max-drop", metavar="POINTS", help="Accuracy lost against the "
                                                     "fp32 reference, such as 1pp.")] = None,
        max_memory: Annotated[str | None, typer.Option("--max-memory", metavar="SIZE", help="Peak RSS, such as 100MiB."
                                                       )] = None,
        max_size: Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="The model's file, such as "
                                                     "5MiB.")] = None,
        objective: Annotated[Objective, typer.Option("--objective", help="What is to be as small as can be within the "
                                                     "limits.")] = Objective.latency,
        run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="A run's id or its beginning; without it, "
                                                "the newest.")] = None,
        device: DeviceNames = None,
        format_: Annotated[Format, typer.Option("--format", help="The output's format.")] = Format.text,
        store: StorePath = STORE,
    ) -> None:
        """Recommend a variant and runtime for each device, from the cells of a run that can be relied on.

        Cells that cannot be told from the choice are named as equal; for each other, what it loses and why it was not
        chosen. Exit code 1 when a device has no choice.
        """
        from bench.errors import EXIT_EXPECTATION
        from bench.judge.candidates import Wishes
        from bench.judge.recommend import recommend as choose

        wishes = Wishes(*_limits(max_latency, max_drop, max_memory, max_size), objective.value)
        result = _read(store, run, device or [])
        found = choose(result, model, wishes)
        _show(found, result, wishes, format_)
        if any(item.choice is None for item in found):
            raise typer.Exit(EXIT_EXPECTATION)


def _limits(latency: str | None, drop: str | None, memory: str | None, size: str | None,
            ) -> tuple[float | None, float | None, float | None, float | None]:
    """In ms, as a fraction, and twice in MiB. Raises ConfigError, naming the option."""
    from bench.config.quantities import parse_duration, parse_points, parse_size
    from bench.units import MIB

    seconds = _parsed("--max-latency", latency, parse_duration)
    most_memory, most_size = (_parsed(name, text, lambda given: parse_size(given) / MIB)
                              for name, text in (("--max-memory", memory), ("--max-size", size)))
    latency_ms = None if seconds is None else 1000 * seconds
    return latency_ms, _parsed("--max-drop", drop, parse_points), most_memory, most_size


def _parsed(option: str, text: str | None, parse: Callable[[object], float]) -> float | None:
    from bench.errors import ConfigError

    if text is None:
        return None
    try:
        value = parse(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
    if value <= 0 and option != "--max-drop":
        raise ConfigError(f"{option}: {text!r} excludes everything: it must be above 0")
    return value


def _read(path: Path, run: str | None, devices: Sequence[str]) -> RunResult:
    """The run with its checks, of the devices that are named. Raises ConfigError for one that it does not have."""
    from dataclasses import replace

    from bench.collect.digests import read_run
    from bench.errors import ConfigError
    from bench.judge.noise import find_floors
    from bench.judge.trust import with_checks
    from bench.words import nearest

    with opened(path) as store:
        record = newest_run(store, run)
        result = with_checks(read_run(store, record), find_floors(store, record))
    known = list(dict.fromkeys(cell.device for cell in result.cells))
    for name in devices:
        if name not in known:
            raise ConfigError(f"run {result.run.id} has no device {name!r}{nearest(name, known)}")
    return replace(result, cells=tuple(cell for cell in result.cells if not devices or cell.device in devices))


def _show(found: Sequence[Recommendation], result: RunResult, wishes: Wishes, format_: Format) -> None:
    from bench.report import recommendation

    render = {Format.text: recommendation.to_text, Format.md: recommendation.to_markdown,
              Format.json: recommendation.to_json}
    sys.stdout.write(render[format_](found, result.run, wishes))
