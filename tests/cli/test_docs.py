"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.write_commands import PAGE, VERBS, page

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_commands_is_the_help() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/write_commands.py"


def test_the_page_has_every_verb() -> None:
    from bench.cli.app import app

    verbs = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert verbs | {group.name for group in app.registered_groups} == set(VERBS)


def test_every_command_in_the_readme_exists_with_its_options() -> None:
    helps = PAGE.read_text(encoding="utf-8")
    for verb, rest in re.findall(r"^bench (\w+)(.*)$", README, re.MULTILINE):
        assert f"## bench {verb}\n" in helps
        section = helps.split(f"## bench {verb}\n")[1].split("\n## ")[0]
        for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", rest):
            assert option in section, f"bench {verb} has no {option}"


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_extra_in_the_readme_is_an_extra() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == set(extras) - {"all", "dev"}


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.slow
def test_the_five_minute_guide_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    blocks = re.findall(r"```(\w+)\n(.*?)```", README.split("## Five minutes")[1].split("## Add a board")[0], re.DOTALL)
    code = next(text for kind, text in blocks if kind == "python")
    suite = next(text for kind, text in blocks if kind == "yaml")
    (tmp_path / "mymodels").mkdir()
    (tmp_path / "mymodels" / "vision.py").write_text(code)
    (tmp_path / "vision.yaml").write_text(suite)
    shutil.copy(ROOT / "devices.yaml", tmp_path)
    commands = next(text for kind, text in blocks if kind == "sh").splitlines()
    for command in commands:
        words = command.split()
        quick = ["--quick"] if words[1] == "run" else []
        done = subprocess.run([sys.executable, "-m", *words, *quick], cwd=tmp_path, capture_output=True, text=True,
                              timeout=280, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "6 of 6" in done.stdout or "mobilenet" in done.stdout
    assert list((tmp_path / "reports").glob("*.html"))
