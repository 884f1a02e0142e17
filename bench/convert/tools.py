"""Which packages decide what comes out, and in which versions: part of every cache key."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from typing import Any, Final

from bench.errors import MissingExtra
from bench.models.spec import Source

PACKAGES_OF_KIND: Final = {
    "torch": ("torch", "torch"), "exported": ("torch", "torch"), "torchscript": ("torch", "torch"),
    "onnx": ("onnx", "onnxruntime"), "tflite": ("tflite", "ai-edge-litert"),
}
"""For each kind of source the extra that runs it, and the distribution that does."""


PACKAGE_OF_FORMAT: Final = {"onnx": "onnxruntime", "tflite": "ai-edge-litert", "torchscript": "torch",
                            "executorch": "executorch"}
"""The distribution that runs a format, and so decides at the gate."""


def versions_of(extra: str, *packages: str, purpose: str) -> dict[str, str]:
    """The installed versions of distributions, by name. Raises MissingExtra for the first that is not installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError as error:
            raise MissingExtra(package, extra, purpose) from error
    return versions


def located(source: Source) -> Source:
    """The source with absolute paths, as a child that runs in another folder needs it."""
    root = source.root.resolve()
    location = source.location if source.kind == "torch" else str(root / source.location)
    return replace(source, root=root, location=location, weights=root / source.weights if source.weights else None)


def source_identity(source: Source) -> dict[str, Any]:
    """What tells two sources apart: the content, and which function of a module; not where a file lies."""
    return {"kind": source.kind, "sha256": source.sha256,
            "function": source.location if source.kind == "torch" else None}
