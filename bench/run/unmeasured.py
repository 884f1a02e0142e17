"""What can be judged while all devices of a run are in use: the sizes of its files, and scores known of the same files.

Nothing is stored: the cache keeps the files, and the run takes place another time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bench.convert import variants
from bench.convert.cache import Cache
from bench.convert.process import Limits
from bench.convert.types import Artifact, Refusal
from bench.convert.variants import Request
from bench.results import Judgement, RunResult
from bench.run.events import Event, Notify
from bench.run.in_use import AllInUse
from bench.run.job import Prepared, RunRequest, cells_of, new_record
from bench.run.judging import judge_unstored
from bench.run.variants import described, event_of, left_out
from bench.store.records import CellRecord
from bench.store.store import Store
from bench.words import counted

OF_FILES: Final = ("size", "accuracy_drop")
"""What can be expected of a file without its device."""


def judge_files(request: RunRequest, prepared: Prepared, store: Store, cache: Cache, error: AllInUse, notify: Notify,
                baseline: str | None = None) -> RunResult | None:
    """The run as it stands without its devices, judged; None where the suite expects nothing of files.

    What is not in the cache is converted, unless this host is itself one of the devices in use: that would disturb
    whoever measures on it. Raises KeyboardInterrupt, and InfrastructureError when the cache cannot be written.
    """
    suite = request.suite.config
    if suite.expect is None or not any(metric in OF_FILES for metric, _ in suite.expect.entries()):
        return None
    notify(Event("note", error.line))
    planned = cells_of(record := new_record(request, store), prepared)
    requests = {cell.cell: Request(prepared.usable[cell.model].job, cell.format, cell.precision) for cell in planned
                if cell.status == "planned"}
    disturbs = any(request.devices[name].local is not None for name in error.held)
    made = _made(request, list(dict.fromkeys(requests.values())), cache, notify, disturbs=disturbs)
    cells = [_cell(cell, made.get(requests[cell.cell]), prepared, error) if cell.cell in requests else cell
             for cell in planned]
    result = judge_unstored(store, record, cells, suite, baseline)
    missing = sum(cell.fault == "busy" and cell.artifact is None for cell in cells)
    assert result.run.judgement is not None
    return replace(result, run=replace(result.run, judgement=_with_note(result.run.judgement, missing)))


def _made(request: RunRequest, wanted: list[Request], cache: Cache, notify: Notify, *,
          disturbs: bool) -> dict[Request, Artifact | Refusal]:
    def tell(event: variants.Event) -> None:
        notify(event_of(event))

    if disturbs:
        return variants.cached(wanted, cache, tell)
    convert = request.suite.config.convert
    return variants.convert(wanted, cache, Limits(convert.timeout, convert.memory_mib), variants.default_jobs(), tell)


def _cell(cell: CellRecord, made: Artifact | Refusal | None, prepared: Prepared, error: AllInUse) -> CellRecord:
    if isinstance(made, Refusal):
        return left_out(cell, made)
    artifact = described(made, prepared.usable[cell.model], None) if made else None
    return replace(cell, status="skipped", fault="busy", reason=error.held[cell.device].message, artifact=artifact)


def _with_note(judgement: Judgement, missing: int) -> Judgement:
    if not missing:
        return judgement
    note = (f"{counted(missing, 'cell')} of files that are not made yet: converting on this host would disturb what "
            "is measured on it")
    return replace(judgement, notes=(*judgement.notes, note))
