"""Whole runs of somebody whose name and folders are in every message: no report passes them on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.store.store import Store
from tests.fakes.runs import NET, Place
from tests.fakes.sshd import Sshd, make_key

BROKEN = '''
from pathlib import Path

WEIGHTS = Path(__file__).parent.parent / "private" / "weights.pt"


def net():
    raise FileNotFoundError(f"no weights at {WEIGHTS}, nor beside {__file__}; ask alice@example.org")
'''
FORMATS = ("html", "md", "csv", "json", "junit", "summary", "comment")


@pytest.fixture
def alices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sshd: Sshd) -> Place:
    """Her home with a suite, a model that cannot be made, and boards that let nobody in."""
    home = tmp_path / "home" / "alice"
    folder = home / "suites"
    folder.mkdir(parents=True)
    (home / ".ssh").mkdir()
    for name, value in {"HOME": str(home), "USER": "alice", "LOGNAME": "alice"}.items():
        monkeypatch.setenv(name, value)
    place = Place(folder, home / ".cache" / "bench")
    place.net()
    (folder / "hers.py").write_text(BROKEN)
    place.suite(f"{NET}, broken: {{source: {{torch: 'hers:net'}}, inputs: {{x: {{shape: [1, 4], dtype: float32}}}}}}")
    key = make_key(home / ".ssh" / "alices_key")
    known = sshd.known_hosts.read_text()
    (home / ".ssh" / "known_hosts").write_text(known)
    ssh = f"ssh: {{host: 127.0.0.1, port: {sshd.port}, user: alice, key: {key}}}"
    gone = f"ssh: {{host: 127.0.0.1, port: 1, user: alice, key: {key}}}"
    place.devices(f"this-machine: {{local: {{}}, workdir: {folder / 'work'}}}", f"refused: {{{ssh}}}",
                  f"gone: {{{gone}}}")
    return place


def test_no_report_holds_the_users_name_or_home(alices: Place) -> None:
    done = alices.bench("run", "--json")
    assert done.returncode == 3, done.stderr
    with Store(alices.store) as store:
        stored = store.load(store.find_run(None))
    reasons = " ".join(str(cell.reason) for cell in stored.cells) + " ".join(str(each.reason) for each in stored.trials)
    assert "alice" in stored.run.suite_path and "alice" in reasons and "alices_key" in reasons, "the store keeps all"
    shown = {"run": done.stdout}
    for name in FORMATS:
        shown[name] = alices.bench("report", "--format", name, "-o", "out").stderr + (alices.folder / "out").read_text()
    shown["history"] = alices.bench("history", "--format", "json", "--store", str(alices.store)).stdout
    shown["recommend"] = alices.bench("recommend", "net", "--format", "json", "--store", str(alices.store)).stdout
    found = {name: text[max(0, text.index("alice") - 200):][:400] for name, text in shown.items() if "alice" in text}
    assert found == {}
    assert "~/private/weights.pt" in shown["json"] and "nor beside hers.py" in shown["json"]
