"""What all config models share: frozen, no unknown keys, and the few kinds of text that users write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationInfo

from bench.config.problems import found, quoted

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
WORD_PATTERN: Final = r"^[^\s\x00-\x1f\x7f-\x9f-][^\s\x00-\x1f\x7f-\x9f]*$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name that is safe in a path, a shell and a report."""

Line = Annotated[str, StringConstraints(pattern=LINE_PATTERN)]
"""One line of text, not empty."""

Word = Annotated[str, StringConstraints(pattern=WORD_PATTERN)]
"""Text without spaces that no command could take for an option."""


def _version(value: object) -> object:
    if type(value) is not int:  # True and 1.0 equal 1
        raise ValueError(f"wanted 1, the version of the file's format, found {found(value, None)}")
    return value


Version = Annotated[Literal[1], BeforeValidator(_version)]
"""The version of the file format."""


def _path(value: Path) -> Path:
    text = str(value)
    if text == "." or not text.isprintable():
        raise ValueError(f"wanted the path of a file, found {'nothing' if text == '.' else quoted(text)}")
    try:
        return value.expanduser()
    except RuntimeError:
        raise ValueError(f"wanted the path of a file, found {quoted(text)}, and there is no such user") from None


def _host_path(value: Path, info: ValidationInfo) -> Path:
    root = (info.context or {}).get("root")
    return value if root is None else Path(root) / value


FilePath = Annotated[Path, AfterValidator(_path)]
"""A file's path, `~` expanded; a relative one starts at the folder of the file that names it."""

HostPath = Annotated[FilePath, AfterValidator(_host_path)]
"""A file's path on this machine, `~` expanded, absolute once read from a file."""


class Strict(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
