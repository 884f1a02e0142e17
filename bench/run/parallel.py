"""Several devices at once, a thread each."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundles.agent import build_agent
from bench.bundles.layers import Bundle
from bench.config.devices import DeviceConfig
from bench.config.suite import SuiteConfig
from bench.convert.cache import Cache, work_folder
from bench.deadline import Deadline
from bench.host import devices_at_once, shortages_told
from bench.run.device import NEVER, DeviceJob, measure_device
from bench.run.events import Notify
from bench.run.link import AgentKit
from bench.run.stop import Stop
from bench.run.tasks import Agenda
from bench.store.store import Store


@dataclass(frozen=True)
class Lab:
    """What measuring needs beside the trials themselves."""

    suite: SuiteConfig
    devices: Mapping[str, DeviceConfig]
    bundle: Bundle | None
    store: Store
    cache: Cache
    wait: Deadline = NEVER
    """Until when a device that somebody else uses is waited for."""


def measure_all(lab: Lab, run: str, agendas: Mapping[str, Agenda], stop: Stop, notify: Notify) -> None:
    """Measure every device's agenda, in parallel, as many at once as this host may have files open for.

    Ctrl-C meanwhile ends after the trials under way.

    An unexpected error of one device is raised when all have ended.
    """
    archive = build_agent(lab.cache.root / "agent")
    stop.interruptible = False
    try:
        with work_folder(lab.cache) as folder:
            jobs = [DeviceJob(run, name, lab.devices[name], lab.suite, AgentKit(archive, lab.bundle, agenda.runtimes),
                              folder, agenda, lab.wait) for name, agenda in agendas.items() if not agenda.empty]
            _in_parallel(jobs, lab.store, stop, notify)
    finally:
        stop.interruptible = True


def _in_parallel(jobs: list[DeviceJob], store: Store, stop: Stop, notify: Notify) -> None:
    errors: list[Exception] = []
    room = threading.Semaphore(devices_at_once())

    def work(job: DeviceJob) -> None:
        try:
            with room:
                measure_device(job, store, stop, notify)
        except Exception as error:  # the edge of a device's thread: handed to the main one
            errors.append(error)

    threads = [threading.Thread(target=work, args=(job,), name=f"device-{job.name}", daemon=True) for job in jobs]
    with shortages_told():
        for thread in threads:
            thread.start()
    for thread in threads:
        while thread.is_alive() and not stop.overdue():
            thread.join(0.2)  # short, so that this thread hears Ctrl-C
    for error in errors:
        raise error
