"""What reports leave out: whose machine it was, and where its files lie.

Reports are passed on; the store is not, and keeps all. Everything that reports show of a run goes through here, once:
`bench.collect.cells.run_info` and `bench.collect.digests.read_run`.
"""

from __future__ import annotations

import dataclasses
import getpass
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from bench.results import CellResult, DeviceSummary, RunInfo, RunResult
from bench.store.records import RunRecord

USER: Final = "[user]"
KEY: Final = "[key]"
"""What stands for a user's name and for the file of a key."""
COMMON: Final = frozenset({
    "admin", "android", "app", "bench", "build", "ci", "debian", "dev", "jenkins", "jetson", "lab", "linux", "model",
    "node", "nobody", "nvidia", "orangepi", "pi", "root", "runner", "shell", "system", "test", "ubuntu", "user"})
"""Names that say nothing of anybody, and are words of their own: left out only where they can be nothing else."""
OF_CELL: Final = ("reason", "outputs", "accuracy", "behaviour", "warnings", "circumstances", "throttled")
OF_DEVICE: Final = ("facts", "versions", "warnings")
OF_RUN: Final = ("host", "notes", "judgement")
"""The fields that hold free text. Names of cells, models and devices are what users call them."""
NAMES: Final = frozenset({"cell", "baseline", "expectation", "state", "part", "metric", "on_not_judged"})
"""Fields within those that hold none."""
_HOMES: Final = r"(?:/home|/Users|/var/home)/[^/\s'\":,;)(\]\[]+"
_END: Final = r"(?=$|[/\s'\":,;)(\]\[])"
_BEGIN: Final = r"(?<![\w/.~-])"

Noun = TypeVar("Noun", RunInfo, CellResult, DeviceSummary)


def of_run(info: RunInfo, run: RunRecord) -> RunInfo:
    """The run itself without names of users and absolute paths."""
    return _changed(info, OF_RUN, _rules(run))


def of_result(result: RunResult, run: RunRecord) -> RunResult:
    """The cells and devices of a run (its own description is `of_run`'s) without them."""
    rules = _rules(run)
    return dataclasses.replace(result, cells=tuple(_changed(cell, OF_CELL, rules) for cell in result.cells),
                               devices=tuple(_changed(device, OF_DEVICE, rules) for device in result.devices))


def without_homes(text: str) -> str:
    """The text with `~` for every folder of a user's."""
    return re.sub(rf"{_BEGIN}(?:{'|'.join([*map(re.escape, _own_homes()), _HOMES])}){_END}", "~", text)


def _rules(run: RunRecord) -> Callable[[str], str]:
    return _rules_of(run.suite_path, run.devices_path, run.devices_text)


@lru_cache(maxsize=64)
def _rules_of(suite_path: str, devices_path: str, devices_text: str) -> Callable[[str], str]:
    """How a text of a run is to read: paths within the suite's folder from there, `~` for homes, no names."""
    folder = Path(suite_path).parent
    inside = re.compile(rf"{_BEGIN}{re.escape(str(folder))}/(?=[^\s'\":,;)(\]\[])") if len(folder.parts) > 1 else None
    keys = _alternatives(re.findall(r"\bkey:\s*[\"']?([^\s\"',}]+)", devices_text), whole=False)
    people = {*re.findall(r"\buser:\s*[\"']?([\w.-]+)", devices_text), *_own_names(),
              *(Path(home).name for path in (suite_path, devices_path) for home in re.findall(f"^{_HOMES}", path))}
    rare = _alternatives(name for name in people if name.lower() not in COMMON and len(name) > 2)
    common = _alternatives(people)
    quoted = re.compile(rf"(?<![\w.])(?P<quote>['\"]?){common}(?:(?P=quote)(?<=['\"])|(?=@))") if common else None
    named = re.compile(rf"(?<![\w]){rare}(?![\w])") if rare else None
    secret = re.compile(keys) if keys else None

    def changed(text: str) -> str:
        if secret:
            text = secret.sub(KEY, text)
        if inside:
            text = inside.sub("", text)
        text = without_homes(text) if "/" in text else text
        if quoted:
            text = quoted.sub(lambda found: re.sub(common, USER, found[0]), text)
        return named.sub(USER, text) if named else text

    return changed


def _alternatives(words: Iterable[str], *, whole: bool = True) -> str:
    found = sorted({word for word in words if word and (whole or "/" in word)}, key=len, reverse=True)
    expanded = [*found, *(f"{home}{word[1:]}" for word in found if word.startswith("~/") for home in _own_homes())]
    return f"(?:{'|'.join(map(re.escape, expanded))})" if expanded else ""


@lru_cache(maxsize=1)
def _own_homes() -> tuple[str, ...]:
    """Of whoever makes the report; also where a link leads."""
    try:
        home = Path.home()
    except RuntimeError:
        return ()
    return tuple(dict.fromkeys(str(path) for path in (home, home.resolve()) if len(path.parts) > 1))


@lru_cache(maxsize=1)
def _own_names() -> tuple[str, ...]:
    try:
        return (getpass.getuser(), Path(_own_homes()[0]).name) if _own_homes() else (getpass.getuser(),)
    except (KeyError, OSError):
        return ()


def _changed(noun: Noun, names: Iterable[str], rules: Callable[[str], str]) -> Noun:
    new = {name: _mapped(getattr(noun, name), rules) for name in names}
    return dataclasses.replace(noun, **{name: value for name, value in new.items() if value != getattr(noun, name)})


def _mapped(value: Any, rules: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return rules(value)
    if isinstance(value, dict):
        return {key: held if key in NAMES else _mapped(held, rules) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(item, rules) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return cast(Any, dataclasses.replace(value, **{
            name: _mapped(held, rules) for name, held in fields.items() if name not in NAMES and held is not None}))
    return value
