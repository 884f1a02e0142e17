"""`bench store`: the file that holds results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.cli.options import STORE, AsJson, StorePath

if TYPE_CHECKING:
    from bench.store.check import Checked

MOST_LINES = 40
"""Of a kind of damage."""


def add_to(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
                        help="Look after the file that holds results.")
    _add_check(verbs)
    app.add_typer(verbs, name="store")


def _add_check(verbs: typer.Typer) -> None:
    @verbs.command()
    def check(store: StorePath = STORE, as_json: AsJson = False) -> None:
        """Find damage: in the file's pages, in its rows, by their checksums and samples; and say what to do.

        Nothing is written. Exit code 0 for a sound store, 3 for a damaged one, 2 for what is no store.
        """
        from bench.errors import EXIT_INCOMPLETE
        from bench.store.check import check as look

        checked = look(store)
        (_print_json if as_json else _print)(store, checked)
        if not checked.is_sound:
            raise typer.Exit(EXIT_INCOMPLETE)


def _print_json(path: Path, checked: Checked) -> None:
    import json

    from bench.store.check import findings, ways_on

    print(json.dumps({"schema": 1, "store": str(path), "state": "sound" if checked.is_sound else "damaged",
                      "rows": dict(checked.rows), "findings": list(findings(checked)),
                      "next": ways_on(path, checked)}, indent=2))


def _print(path: Path, checked: Checked) -> None:
    from bench.store.check import ways_on
    from bench.store.damage import NOUNS
    from bench.transports.text import printable
    from bench.words import counted

    rows = ", ".join(counted(count, NOUNS[table]) for table, count in checked.rows if table in NOUNS)
    if checked.is_sound:
        print(f"{path} is sound: {rows}")
        return
    print(f"{path} is damaged" + (f"; can be read: {rows}" if rows else ""))
    for line in _lines(checked):
        print(printable(line, 1000))
    for number, way in enumerate(ways_on(path, checked), 1):
        print(f"{'what to do:' if number == 1 else '           '} {number}. {way}")


def _lines(checked: Checked) -> list[str]:
    from bench.store.damage import lines

    digests = [f"the digest of {cell} in run {run} cannot be read" for run, cell in checked.digests]
    odd = [f"run {each.run}: trial {each.first} ({each.cell}) has not the samples that were counted"
           for each in checked.odd]
    kinds = [[checked.lost] if checked.lost else [], [f"SQLite: {problem}" for problem in checked.problems],
             lines(checked.damage), odd, digests]
    found = []
    for kind in kinds:
        found += kind[:MOST_LINES]
        if len(kind) > MOST_LINES:
            found.append(f"and {len(kind) - MOST_LINES} more of the kind")
    return [f"  {line}" for line in found]
