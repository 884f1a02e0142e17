"""`bench schema`: the JSON schemas of the files that people write and tools read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Which(StrEnum):
    """The schemas there are."""

    devices = "devices"
    suite = "suite"
    results = "results"


def add_to(app: typer.Typer) -> None:
    @app.command()
    def schema(which: Annotated[Which, typer.Argument(help="devices.yaml, a suite, or the results as JSON.")]) -> None:
        """Print the JSON schema of devices.yaml, of a suite or of the results."""
        import json

        from bench.config.schema import json_schema

        print(json.dumps(json_schema(which.value), indent=2))
