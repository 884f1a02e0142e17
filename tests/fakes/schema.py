"""A JSON schema validator for the few keywords that bench's schemas use; an unknown keyword is an error."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": (int, float),
}
NOTES = {"$schema", "$defs", "title", "description", "default", "examples", "format"}


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$") -> list[str]:
    """What in `value` breaks `schema`, each as `$.path: keyword`."""
    root = root or schema
    found: list[str] = []
    for keyword, argument in schema.items():
        if keyword in NOTES:
            continue
        if keyword in CHILDREN:
            found += CHILDREN[keyword](value, argument, schema, root, at)
        elif not PLAIN[keyword](value, argument):
            found.append(f"{at}: {keyword}")
    return found


def _is(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


PLAIN: dict[str, Any] = {
    "type": _is,
    "const": lambda value, wanted: value == wanted,
    "enum": lambda value, wanted: value in wanted,
    "pattern": lambda value, pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
    "required": lambda value, keys: not isinstance(value, dict) or all(key in value for key in keys),
    "minimum": lambda value, limit: not isinstance(value, int | float) or value >= limit,
    "maximum": lambda value, limit: not isinstance(value, int | float) or value <= limit,
    "exclusiveMinimum": lambda value, limit: not isinstance(value, int | float) or value > limit,
    "minItems": lambda value, count: not isinstance(value, list) or len(value) >= count,
    "maxItems": lambda value, count: not isinstance(value, list) or len(value) <= count,
    "minProperties": lambda value, count: not isinstance(value, dict) or len(value) >= count,
}


def _ref(value: Any, name: str, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    return violations(value, root["$defs"][name.removeprefix("#/$defs/")], root, at)


def _any_of(value: Any, options: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    return [] if any(not violations(value, option, root, at) for option in options) else [f"{at}: anyOf"]


def _one_of(value: Any, options: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    fitting = sum(not violations(value, option, root, at) for option in options)
    return [] if fitting == 1 else [f"{at}: oneOf"]


def _items(value: Any, inner: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    values = value if isinstance(value, list) else []
    return [text for index, item in enumerate(values) for text in violations(item, inner, root, f"{at}[{index}]")]


def _prefix(value: Any, inners: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    values = value if isinstance(value, list) else []
    return [text for item, inner in zip(values, inners, strict=False) for text in violations(item, inner, root, at)]


def _properties(value: Any, inners: dict[str, Any], schema: dict[str, Any], root: dict[str, Any],
                at: str) -> list[str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return [text for key, item in pairs if key in inners for text in violations(item, inners[key], root, f"{at}.{key}")]


def _patterned(value: Any, inners: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return [text for key, item in pairs for pattern, inner in inners.items() if re.search(pattern, key)
            for text in violations(item, inner, root, f"{at}.{key}")]


def _others(value: Any, inner: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    pairs = value.items() if isinstance(value, dict) else ()
    others = [(key, item) for key, item in pairs if key not in schema.get("properties", {})
              and not any(re.search(pattern, key) for pattern in schema.get("patternProperties", {}))]
    if inner is False:
        return [f"{at}.{key}: additionalProperties" for key, _ in others]
    return [] if inner is True else [text for key, item in others for text in violations(item, inner, root, at)]


def _names(value: Any, inner: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    keys = value if isinstance(value, dict) else ()
    return [text for key in keys for text in violations(key, inner, root, f"{at}.{key}")]


CHILDREN: dict[str, Any] = {
    "$ref": _ref, "anyOf": _any_of, "oneOf": _one_of, "items": _items, "prefixItems": _prefix,
    "properties": _properties, "patternProperties": _patterned, "additionalProperties": _others,
    "propertyNames": _names,
}
