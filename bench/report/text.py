"""Text from models, devices and converters, made safe to show. Whatever comes from outside passes through here."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 400
_FORMULA = re.compile(r"^\s*[=+\-@]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$!])")


def visible(text: object, longest: int = LONGEST) -> str:
    """`text` on one line, with control, direction and unpaired surrogate characters written out: ESC as \\x1b."""
    line = re.sub(r"[\t\r\n]+", " ", str(text)).strip()
    shown = "".join(map(_shown, line))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def markdown_cell(text: str) -> str:
    """`text` as the literal content of a table cell of GitHub's Markdown: no markup, no HTML, no mention."""
    escaped = _MARKDOWN.sub(r"\\\1", text.replace("&", "&amp;"))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("@", "&#64;").replace("://", "&#58;//")


def csv_cell(text: str) -> str:
    """`text` with a leading quote where a spreadsheet would take it for a formula (= + - @)."""
    return f"'{text}" if _FORMULA.match(text) else text


def _shown(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else f"\\x{ord(character):02x}"
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return f"\\u{ord(character):04x}" if unseen else character
