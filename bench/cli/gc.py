"""`bench gc`: prune the cache of converted models."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    @app.command()
    def gc(
        older_than: Annotated[int, typer.Option("--older-than", metavar="DAYS", min=0,
                                                help="Remove what has not been used for so many days.")] = 30,
        everything: Annotated[bool, typer.Option("--all", help="Remove all of it.")] = False,
    ) -> None:
        """Remove converted models that have not been used for a while; results are never removed."""
        from bench.convert.cache import open_cache, prune
        from bench.units import mebibytes

        cache = open_cache()
        count, freed = prune(cache, older_than_days=older_than, everything=everything)
        print(f"{count} entries removed, {mebibytes(freed)} MiB freed in {cache.root}")
