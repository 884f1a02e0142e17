"""`bench logs`: what converter, agent and worker printed for a cell."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import STORE, StorePath, opened


def add_to(app: typer.Typer) -> None:
    @app.command()
    def logs(
        cell: Annotated[str, typer.Argument(help="A cell's name, or a part of it that only one cell has.")],
        run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Another run than the newest.")] = None,
        store: StorePath = STORE,
    ) -> None:
        """Show what the converter, the agent and the worker printed for a cell."""
        from bench.errors import ConfigError
        from bench.words import nearest

        with opened(store) as source:
            stored = source.load(source.find_run(run))
        names = [record.cell for record in stored.cells]
        matching = [name for name in names if name == cell] or [name for name in names if cell in name]
        if len(matching) != 1:
            found = f"{len(matching)} cells" if matching else "no cell"
            raise ConfigError(f"{cell!r} names {found} of run {stored.run.id}{nearest(cell, matching or names)}")
        record = next(record for record in stored.cells if record.cell == matching[0])
        _section("conversion", record.reason, record.log)
        for trial in stored.trials:
            if trial.cell == record.cell:
                title = f"{trial.kind} trial {trial.number}, attempt {trial.attempt}: {trial.state}"
                _section(title, trial.reason, trial.log)


def _section(title: str, reason: str | None, log: str | None) -> None:
    from bench.transports.text import printable

    print(f"== {title}")
    if reason:
        print(printable(reason, 10_000))
    print(printable(log or "", 1_000_000).rstrip() or "(nothing was printed)")
