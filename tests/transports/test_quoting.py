"""Any words reach the other side byte for byte, and no other module builds lines for a shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bench
from bench.deadline import Deadline
from bench.errors import ConfigError
from bench.transports.base import Transport
from bench.transports.quoting import LONGEST_LINE, check_remote, command_line

ANY_BYTES = st.binary(max_size=40).map(lambda data: os.fsdecode(data.replace(b"\0", b"")))
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
WORDS = st.lists(st.text(CHARACTERS, max_size=40) | ANY_BYTES, max_size=6)
ECHO = ["printf", "%s\\0"]


def expected(words: list[str], home: str) -> bytes:
    """What printf shows for these words; without any it shows one empty word."""
    homed = [home + word[1:] if word.startswith("~/") else word for word in words]
    return b"".join(os.fsencode(word) + b"\0" for word in homed or [""])


@given(WORDS)
@example(["~", "~/", "~/a b'", "~root/x", " ~/x", "--", "-n", "", "a=b", "*", "\n", "'\\''", "!!", "\udcff"])
@settings(deadline=None, max_examples=150)
def test_any_words_come_back_through_a_real_shell(words: list[str]) -> None:
    for shell in ("sh", "bash"):
        line = os.fsencode(command_line([*ECHO, *words]))
        shown = subprocess.run([shell, "-c", line], env={**os.environ, "HOME": "/home of/x"}, stdout=subprocess.PIPE,
                               check=True).stdout
        assert shown == expected(words, "/home of/x")


@given(WORDS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_come_back_through_a_real_sshd(board: Transport, words: list[str]) -> None:
    home = board.run(["sh", "-c", 'printf %s "$HOME"'], Deadline(20)).stdout.decode()
    assert board.run([*ECHO, *words], Deadline(20)).stdout == expected(words, home)


@given(st.dictionaries(st.from_regex(r"X_[A-Z0-9_]{1,8}", fullmatch=True),
                       st.text(CHARACTERS, max_size=20), max_size=4))
@settings(deadline=None, max_examples=50)
def test_any_environment_arrives(env: dict[str, str]) -> None:
    line = command_line(["env", "-0"], env)
    shown = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    home = os.environ["HOME"]
    for name, value in env.items():
        assert f"{name}={home + value[1:] if value.startswith('~/') else value}" in shown


@pytest.mark.parametrize("argv", [[], [""], ["-x"], ["A=b", "c"], ["=b"], ["echo", "a\0b"]])
def test_what_no_line_can_carry_is_refused(argv: list[str]) -> None:
    with pytest.raises(ValueError, match="command"):
        command_line(argv)


def test_a_program_in_a_folder_with_an_equals_sign_is_no_assignment(tmp_path: Path) -> None:
    program = tmp_path / "A=b" / "c"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    assert subprocess.run(["sh", "-c", command_line([str(program)])], stdout=subprocess.PIPE).stdout == b"here\n"
    with pytest.raises(ValueError, match="command"):
        command_line([str(program)], {"A": "b"})


@pytest.mark.parametrize("name", ["", "1A", "A B", "A;reboot", "A\n"])
def test_a_bad_variable_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="variable"):
        command_line(["true"], {name: "x"})


def test_a_line_that_linux_would_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="push a file"):
        command_line(["echo", "x" * LONGEST_LINE])


def test_a_remote_path_of_a_relative_kind_is_refused_with_the_nearest_choice() -> None:
    assert check_remote("~/a b") == "~/a b"
    with pytest.raises(ConfigError, match=r"'~/models/m\.onnx'"):
        check_remote("models/m.onnx")


def test_no_other_module_builds_lines_for_a_shell() -> None:
    package = Path(bench.__file__).parent
    forbidden = re.compile(r"\bshlex\.(quote|join)\b|shell\s*=\s*True|\bos\.(system|popen)\b|exec_command|getoutput")
    allowed = {Path("transports/quoting.py"): {"shlex.quote", "shlex.join"},
               Path("transports/ssh_link.py"): {"exec_command"}}
    for file in package.rglob("*.py"):
        found = {match[0] for match in forbidden.finditer(file.read_text())}
        assert found <= allowed.get(file.relative_to(package), set()), file
