"""What the words of a message are made of: numbers with a range, texts with a length, and words that may be unknown.

A word that a number or a verdict rests on is declared plainly: anything else in its place is an error that names it.
One that only describes is declared as `Told`: anything else in its place counts as unknown, None, and is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from bench.errors import InfrastructureError

SHOWN: Final = 60
"""Characters of a word that is not understood."""
MOST_NOTES: Final = 16
LONGEST_NS: Final = 1 << 62
"""Nanoseconds, 146 years: sums of a few still fit into 64 bits."""
_FOLDER: Final = re.compile(r"/[^\0\n\r]{0,4000}")
_NOTES: Final = "notes"
_PREFIX: Final = re.compile(r"^(Input|Value error,|List|Dictionary|String) ")

Word = TypeVar("Word")
Said = TypeVar("Said", bound="Words")


class Words(BaseModel):
    """The words of a message or of a part of one. Nothing is converted; words that are not declared are dropped."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, frozen=True)


def _whole_text(value: object) -> object:
    """A text that UTF-8 can hold: halves of surrogate pairs are written out."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _told(value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return validate(value)
    except ValidationError:
        notes = (info.context or {}).get(_NOTES)
        if notes is not None and len(notes) < MOST_NOTES:
            notes.append(f"{info.field_name}: {shown(value)}")
        return None


Told = Annotated[Word | None, WrapValidator(_told)]
"""What only describes: None where it is not told, or not understood."""
Text = Annotated[str, BeforeValidator(_whole_text), Field(max_length=4096)]
Name = Annotated[str, BeforeValidator(_whole_text), Field(min_length=1, max_length=300)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=1 << 40)]
Nanoseconds = Annotated[int, Field(ge=0, le=LONGEST_NS)]
Bytes = Annotated[int, Field(ge=0, le=1 << 60)]
Celsius = Annotated[float, Field(ge=-273.15, le=1000)]
Texts = Annotated[list[Text], Field(max_length=4096)]


def _folder(value: Any) -> Any:
    """Bytes that are no UTF-8 stand there as halves of surrogate pairs: pydantic's own texts do not take them."""
    if not isinstance(value, str) or not _FOLDER.fullmatch(value):
        raise ValueError("should be the path of a folder, absolute and of at most 4000 characters")
    return value


Folder = Annotated[Any, AfterValidator(_folder)]


def take(kind: type[Said], message: Mapping[str, Any], where: str) -> tuple[Said, list[str]]:
    """The message, which the errors call `where`, and notes on what is told and not understood.

    Raises InfrastructureError, naming the word, for one that a result would rest on.
    """
    notes: list[str] = []
    try:
        return kind.model_validate(message, context={_NOTES: notes}), notes
    except ValidationError as error:
        raise refused(error, where) from None


def refused(error: ValidationError, where: str) -> InfrastructureError:
    """The error of the first word that is not what was wanted."""
    first = error.errors(include_url=False)[0]
    word = ".".join(str(part)[:SHOWN] for part in (where, *first["loc"]))
    wanted = _PREFIX.sub("", first["msg"])
    if first["type"] == "missing":
        return InfrastructureError(f"the agent's word {word} is missing")
    return InfrastructureError(f"the agent's word {word} is {shown(first['input'])}: it {_lower(wanted)}")


def shown(value: object) -> str:
    """The beginning of a value from a device, in ASCII, with what it is where that does not show."""
    if isinstance(value, str):
        return ascii(value if len(value) <= SHOWN else value[:SHOWN] + "...")
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 64 else f"a number of {value.bit_length()} bits"
    kind = "list" if isinstance(value, list) else "mapping"
    return f"a {kind} of {len(value)}" if isinstance(value, list | Mapping) else f"a {type(value).__name__}"


def text_of(value: object, longest: int) -> str:
    """A text from a device as UTF-8 can hold it, of at most so many characters: the last of a longer one."""
    text = value if isinstance(value, str) else "" if value is None else shown(value)
    return str(_whole_text(text[-longest:]))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
