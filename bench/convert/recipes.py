"""All recipes, and which of them makes a wanted variant, or why none does."""

from __future__ import annotations

from dataclasses import replace

from bench.convert import executorch, onnx, tflite, torchscript
from bench.convert.recipe import Recipe
from bench.models.spec import SourceKind
from bench.words import FORMATS, PRECISIONS

HALVES = ("fp16", "bf16")
ALL: tuple[Recipe, ...] = (*onnx.RECIPES, *tflite.RECIPES, *torchscript.RECIPES, *executorch.RECIPES)


def find(kind: SourceKind, format_: str, precision: str, held: str = "fp32") -> Recipe | None:
    """The recipe that makes the variant from a source of that kind; None when there is none.

    `held` is the precision of the source's own weights: what is not fp32 is only taken as it is.
    """
    if held != "fp32" and (precision != held or format_ not in formats_as_it_is(kind, held)):
        return None
    wanted = "fp32" if precision == held else precision
    for recipe in ALL:
        if kind in recipe.sources and recipe.format == format_ and recipe.precision == wanted:
            return replace(recipe, precision=precision)
    return None


def formats_as_it_is(kind: SourceKind, held: str) -> tuple[str, ...]:
    """The formats that a source with weights of the precision `held` can be written in without touching them: a file's
    own, and all that torch exports to where they are 16-bit floats."""
    if held in HALVES:
        return formats_for(kind)
    return (kind,) if kind in FORMATS else ()


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
        possible = " ".join(formats_as_it_is(kind, held)) or "nothing"
        if held in HALVES and precision == held:
            return f"{kind} models cannot become {format_}, possible from {kind} with {held} weights: {possible}"
        return f"source is already {held}: it is only taken as it is, possible: {possible} ({held})"
    possible = "; ".join(f"{name} ({', '.join(precisions_for(kind, name))})" for name in formats_for(kind))
    if format_ in formats_for(kind):
        return f"no recipe makes {precision} {format_} from {kind}, possible from {kind}: {possible}"
    return f"{kind} models cannot become {format_}, possible from {kind}: {possible or 'nothing'}"
