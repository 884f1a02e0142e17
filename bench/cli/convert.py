"""`bench convert`: make a suite's variants, without any device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import AsJson

LONGEST = 1 << 16
"""Bytes of what is told of a variant; it may hold a model's own words."""


def add_to(app: typer.Typer) -> None:
    @app.command()
    def convert(
        suite: Annotated[Path | None, typer.Argument(help="A suite file; without one, the embedded demo.")] = None,
        output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FOLDER",
                                                    help="Copy the converted files there.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Convert and quantize a suite's models, check the outputs, and say what cannot be converted and why."""
        import json

        from bench.cli.progress import showing
        from bench.config.check import check_files
        from bench.config.load import load_suite
        from bench.convert.cache import open_cache
        from bench.convert.uses import using
        from bench.errors import EXIT_INCOMPLETE
        from bench.run.conversions import convert_suite, copy_to, described
        from bench.zoo import DEMO

        loaded = load_suite(suite or DEMO)
        check_files(loaded)
        cache = open_cache()
        with using(cache):
            with showing() as progress:
                results = convert_suite(loaded, cache, progress.notify)
            if output is not None:
                copy_to(output, results)
        rows = [described(result) for result in results]
        if as_json:
            print(json.dumps(rows, indent=2))
        else:
            from bench.transports.text import printable

            print("\n".join(printable(_line(row), LONGEST) for row in rows))
        fruitless = {row["model"] for row in rows} - {row["model"] for row in rows if row["status"] == "made"}
        if fruitless or any(row["fault"] not in (None, "model") for row in rows):
            raise typer.Exit(EXIT_INCOMPLETE)


def _line(row: dict[str, object]) -> str:
    name = f"{row['model']}  {row['format']:<12}{row['precision']:<14}"
    if row["status"] == "refused":
        return f"{name}refused: {row['reason']}"
    sqnr = row["sqnr_db"]
    shown = "identical to fp32" if sqnr is None else f"SQNR {sqnr:.1f} dB"
    shown = f"not compared: {row['not_compared']}" if row["not_compared"] else shown
    return f"{name}{row['bytes']:>12,} bytes   {shown}   {row['path']}" + "".join(
        f"\n    warning: {text}" for text in row["warnings"])  # type: ignore[attr-defined]
