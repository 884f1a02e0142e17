"""Suites and devices.yaml from disk: frozen, checked models, or one ConfigError that lists every problem by line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from bench.config.base import Strict
from bench.config.devices import DevicesConfig
from bench.config.files import read_text
from bench.config.problems import Problem, config_error, found
from bench.config.rules import DEVICE_RULES, SUITE_RULES, Rule, broken_rules
from bench.config.suite import SuiteConfig
from bench.config.wording import problems_of
from bench.config.yaml import Document, YamlError, read_yaml
from bench.errors import ConfigError

Model = TypeVar("Model", bound=Strict)

OWN: Final = "x-"
"""Sections of a file whose names begin so are the user's: a place for anchors."""


@dataclass(frozen=True)
class LoadedSuite:
    """A suite as read: `path` as the user gave it, `root` its folder (absolute; relative paths in it start there),
    `text` its YAML, from which `parse_suite` makes the same suite again."""

    config: SuiteConfig
    path: Path
    root: Path
    text: str


def load_suite(path: Path) -> LoadedSuite:
    """The suite in the file at `path`. Raises ConfigError."""
    return parse_suite(read_text(path), path, path.parent)


def load_devices(path: Path) -> DevicesConfig:
    """The devices in the file at `path`, as written: see `resolve_devices`. Raises ConfigError."""
    return parse_devices(read_text(path), path)


def parse_suite(text: str, path: Path, root: Path) -> LoadedSuite:
    """The suite in `text`; `path` is named in errors. Raises ConfigError."""
    return LoadedSuite(_parse(text, path, root, SuiteConfig, "suite", SUITE_RULES), path, root.absolute(), text)


def parse_devices(text: str, path: Path) -> DevicesConfig:
    """The devices in `text`; `path` is named in errors, and keys' relative paths start at its folder.

    Raises ConfigError."""
    return _parse(text, path, path.parent, DevicesConfig, "devices", DEVICE_RULES)


def read_document(text: str, path: Path) -> Document:
    """`text` with its lines, without the sections of its own that a user adds. Raises ConfigError for what is no YAML.
    """
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}: {error.text}") from None
    if not isinstance(document.data, dict):
        return document
    return replace(document, data={key: value for key, value in document.data.items() if not key.startswith(OWN)})


def _parse(text: str, path: Path, root: Path, model: type[Model], which: str, rules: Iterable[Rule]) -> Model:
    document = read_document(text, path)
    if not isinstance(document.data, dict):
        what = found(document.data, document.written.get(()))
        raise config_error(path, document, [Problem((), f"wanted a mapping (`key: value`), found {what}")], which)
    problems = list(broken_rules(document, rules))
    config, refused = _validate(document, root, model)
    problems += refused
    if problems or config is None:
        raise config_error(path, document, problems, which)
    return config


def _validate(document: Document, root: Path, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """The model, or what it refuses.

    JSON, because pydantic's strict mode takes lists for tuples and text for paths there, and nothing else for another.
    """
    data: Any = json.dumps(document.data)
    try:
        return model.model_validate_json(data, strict=True, context={"root": root.absolute()}), []
    except ValidationError as error:
        return None, list(problems_of(error, document, model))
