"""All verbs, gathered."""

from __future__ import annotations

import typer

from bench.cli import (
    bundle,
    compare,
    convert,
    devices,
    gc,
    history,
    init,
    logs,
    noise,
    provision,
    recommend,
    report,
    run,
    schema,
    store,
)

app = typer.Typer(
    name="bench", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Convert, quantize and measure neural networks on devices, and report what can be trusted. "
         "Progress goes to standard error, results to standard output. "
         "Exit codes: 0 all well, 1 an expectation is broken, 2 wrong usage or config, 3 incomplete (a device, a "
         "model, the link or the store failed), 70 a bug in bench, 130 interrupted. --debug shows tracebacks.",
)

for verb in (init, devices, run, convert, report, compare, history, recommend, noise, logs, bundle, provision, schema,
             gc, store):
    verb.add_to(app)
