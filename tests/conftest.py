"""What all tests share: no test of this project may touch the user's cache or home, and CI may not skip in silence."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.runs import Place
from tests.fakes.sshd import Sshd, running_sshd, why_not

MAY_BE_MISSING = ("no Python 3.", "this machine allows no mounts")
"""Reasons that even continuous integration has: other interpreters, and containers that forbid mounts."""


@pytest.fixture(scope="session", autouse=True)
def usual_signals() -> None:
    """Children of tests are hung up and interrupted as usual, also when the tests run under `nohup` or in a shell's
    background, which they would inherit."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of the whole test run, also where several processes share the tests."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def own_test_cache(shared_folder: Path) -> Iterator[None]:
    """What tests download or build is kept for the session at most, unless BENCH_TEST_CACHE names a folder."""
    with pytest.MonkeyPatch.context() as patch:
        if "BENCH_TEST_CACHE" not in os.environ:
            patch.setenv("BENCH_TEST_CACHE", str(shared_folder / "test-cache"))
        yield


@pytest.fixture(scope="session")
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that tests share: conversions are keyed by content."""
    return tmp_path_factory.mktemp("conversions")


@pytest.fixture
def place(tmp_path: Path, cache_root: Path) -> Place:
    """A folder with the small network, a suite of it in fp32, and this machine as the device."""
    place = Place(tmp_path, cache_root)
    place.net()
    place.suite()
    place.devices()
    return place


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if why_not():
        pytest.skip(why_not())
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(autouse=True)
def own_adb_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No adb server is at hand but one that a test brings: the user's own is neither asked nor started."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is shared by this process's tests at most, unless a test brings its own."""
    if "BENCH_CACHE" not in os.environ:
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files are begun first, so that the other processes do the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In continuous integration everything that tests need is installed: a skip is then a failure."""
    if os.environ.get("CI") != "true":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [_reason(report) for report in reporter.stats.get("skipped", [])] if reporter else []
    wrong = [reason for reason in skipped if not any(word in reason for word in MAY_BE_MISSING)]
    if wrong:
        reporter.write_line("\nskipped, and must not be here:\n  " + "\n  ".join(sorted(set(wrong))), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reason(report: pytest.TestReport) -> str:
    where, _, why = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
    return f"{Path(where).name}: {why}"
