"""All recipes, and which of them makes a wanted variant, or why none does."""

from __future__ import annotations

from dataclasses import replace

from bench.convert import executorch, onnx, tflite, torchscript
from bench.convert.recipe import Recipe
from bench.models.spec import SourceKind
from bench.words import FORMATS, PRECISIONS

ALL: tuple[Recipe, ...] = (*onnx.RECIPES, *tflite.RECIPES, *torchscript.RECIPES, *executorch.RECIPES)


def find(kind: SourceKind, format_: str, precision: str, held: str = "fp32") -> Recipe | None:
    """The recipe that makes the variant from a source of that kind; None when there is none.

    `held` is the precision that the source's file holds: what is quantized already is only taken as it is.
    """
    wanted = "fp32" if precision == held else precision
    if held != "fp32" and (precision != held or format_ != kind):
        return None
    for recipe in ALL:
        if kind in recipe.sources and recipe.format == format_ and recipe.precision == wanted:
            return replace(recipe, precision=precision)
    return None


def formats_for(kind: SourceKind) -> tuple[str, ...]:
    """The formats that an fp32 source of that kind can become."""
    return tuple(format_ for format_ in FORMATS if precisions_for(kind, format_))


def precisions_for(kind: SourceKind, format_: str) -> tuple[str, ...]:
    """The precisions of a format that an fp32 source of that kind can become, in the usual order."""
    made = {recipe.precision for recipe in ALL if kind in recipe.sources and recipe.format == format_}
    return tuple(precision for precision in PRECISIONS if precision in made)


def why_not(kind: SourceKind, format_: str, precision: str, held: str = "fp32") -> str:
    """One line that says why `find` gave nothing, and what is possible instead."""
    if held != "fp32":
        return f"source is already {held}: it is only taken as it is, possible: {kind} ({held})"
    possible = "; ".join(f"{name} ({', '.join(precisions_for(kind, name))})" for name in formats_for(kind))
    if format_ in formats_for(kind):
        return f"no recipe makes {precision} {format_} from {kind}, possible from {kind}: {possible}"
    return f"{kind} models cannot become {format_}, possible from {kind}: {possible or 'nothing'}"
