"""What holds between the values of a file, beyond each one's own type. Rules read raw data and pass over what is not
of the right type, so that they speak up even when another part of the file is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from bench.config.devices import TRANSPORT_KEYS
from bench.config.expect import METRICS
from bench.config.problems import Problem, quoted, suggest
from bench.config.quantities import parse_duration
from bench.config.suite import SOURCE_KEYS, MeasureConfig, WarmupConfig
from bench.config.yaml import Document, Place
from bench.words import DELEGATES_OF_RUNTIME, RUNTIMES

Rule = Callable[[dict[str, Any]], Iterator[Problem]]


def broken_rules(document: Document, rules: Iterable[Rule]) -> Iterator[Problem]:
    """The problems that `rules` find in `document`, and its repeated keys."""
    for place, line, first in document.repeated:
        yield Problem(place, f"the key is written twice, first on line {first}", line)
    data = document.data
    if isinstance(data, dict):
        for rule in rules:
            yield from rule(data)


def _mapping(data: Any, *place: str) -> dict[str, Any]:
    """The mapping at `place` in `data`, empty where there is none."""
    for key in place:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _list(data: Any, *place: str) -> list[Any]:
    """The list at `place` in `data`, empty where there is none."""
    value = _mapping(data, *place[:-1]).get(place[-1])
    return value if isinstance(value, list) else []


def _one_of(data: dict[str, Any], place: Place, keys: tuple[str, ...], at_least: int = 1) -> Iterator[Problem]:
    given = [key for key in keys if data.get(key) is not None]
    wanted = f"wanted {'exactly' if at_least else 'at most'} one of {', '.join(keys)}"
    if len(given) > 1:
        yield Problem((*place, given[1]), f"{wanted}, found {' and '.join(given)}")
    elif len(given) < at_least:
        empty = [key for key in keys if key in data][:1]
        found = f"{empty[0]} with nothing in it" if empty else "none"
        yield Problem((*place, *empty), f"{wanted}, found {found}{': write local: {}' if empty == ['local'] else ''}")


def _repeats(values: list[Any], place: Place) -> Iterator[Problem]:
    seen = set()
    for index, value in enumerate(values):
        if isinstance(value, str | int) and (type(value), value) in seen:
            yield Problem((*place, index), f"{quoted(str(value))} is listed twice")
        elif isinstance(value, str | int):
            seen.add((type(value), value))


def each_device_has_one_transport(data: dict[str, Any]) -> Iterator[Problem]:
    """Devices with none or several of local, ssh and adb."""
    for name, device in _mapping(data, "devices").items():
        if isinstance(device, dict):
            yield from _one_of(device, ("devices", name), TRANSPORT_KEYS)
            yield from _repeats(_list(device, "runtimes"), ("devices", name, "runtimes"))


def each_model_has_one_source(data: dict[str, Any]) -> Iterator[Problem]:
    """Models with none or several sources, and sources that cannot be what they say."""
    for name, model in _mapping(data, "models").items():
        source = model.get("source") if isinstance(model, dict) else None
        if not isinstance(source, dict):
            continue
        place = ("models", name, "source")
        yield from _one_of(source, place, SOURCE_KEYS)
        other = [key for key in SOURCE_KEYS if key != "torch" and source.get(key) is not None]
        if source.get("weights") is not None and source.get("torch") is None and other:
            yield Problem((*place, "weights"), "weights go with torch only; other sources hold their own")


def each_input_has_one_origin(data: dict[str, Any]) -> Iterator[Problem]:
    """Inputs whose values are given in several ways."""
    for name, model in _mapping(data, "models").items():
        for key, settings in _mapping(model, "inputs").items():
            place = ("models", name, "inputs", key)
            given = _mapping(settings)
            yield from _one_of(given, place, ("range", "value", "file"), at_least=0)
            low, high = [*_list(given, "range"), None, None][:2]
            if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
                yield Problem((*place, "range"), f"wanted [low, high], found [{low}, {high}]")
            if given.get("value") is not None and not _numbers(given["value"]):
                yield Problem((*place, "value"), "wanted a number, true or false, or nested lists of them, "
                                                 "found something else")


def each_model_is_calibrated_on_one_thing(data: dict[str, Any]) -> Iterator[Problem]:
    """Models whose calibration inputs are given twice."""
    for name, model in _mapping(data, "models").items():
        inner = _mapping(model, "dataset").get("calibration")
        if inner is not None and _mapping(model).get("calibration") is not None:
            yield Problem(("models", name, "dataset", "calibration"),
                          f"models.{name}.calibration gives the calibration inputs, too: remove this one")


def _numbers(value: Any) -> bool:
    return all(map(_numbers, value)) if isinstance(value, list) else isinstance(value, int | float)


def nothing_is_listed_twice(data: dict[str, Any]) -> Iterator[Problem]:
    """Lists that name something twice."""
    for key in ("precisions", "runtimes", "threads"):
        yield from _repeats(_list(data, key), (key,))


def each_old_name_is_free(data: dict[str, Any]) -> Iterator[Problem]:
    """Models that were what another model of the suite is or was."""
    models = _mapping(data, "models")
    seen: dict[str, str] = {}
    for name in models:
        was = _mapping(models, name).get("was")
        for old in was if isinstance(was, list) else [was]:
            if not isinstance(old, str):
                continue
            if old in models:
                yield Problem(("models", name, "was"), f"{quoted(old)} is a model of this suite: its history is its "
                                                       "own")
            elif seen.setdefault(old, name) != name:
                yield Problem(("models", name, "was"), f"{quoted(old)} is what {quoted(seen[old])} was, too")


def each_delegate_is_its_runtimes(data: dict[str, Any]) -> Iterator[Problem]:
    """Delegates that their runtime does not have."""
    for runtime, options in _mapping(data, "runtime_options").items():
        place = ("runtime_options", runtime, "delegates")
        delegates = _list(options, "delegates")
        yield from _repeats(delegates, place)
        known = DELEGATES_OF_RUNTIME.get(runtime, ())
        for index, delegate in enumerate(delegates):
            if known and isinstance(delegate, str) and delegate not in known:
                yield Problem((*place, index),
                              f"{runtime} has no delegate {quoted(delegate)}{suggest(delegate, known)}")


def warmup_can_end(data: dict[str, Any]) -> Iterator[Problem]:
    """Warm-ups whose minimum is above their maximum."""
    warmup = _mapping(data, "measure", "warmup")
    try:
        least, most = [parse_duration(warmup[key]) if key in warmup else getattr(WarmupConfig(), key)
                       for key in ("min_time", "max_time")]
    except ValueError:
        return
    if least > most:
        key = "max_time" if "max_time" in warmup else "min_time"
        yield Problem(("measure", "warmup", key),
                      f"wanted max_time of at least min_time, found {most:g} s and {least:g} s")


LEAST_WITH_UNTIL: Final = 3
"""Trials of every cell, before it can be told where further ones are needed most: two give no usable interval."""


def measuring_until_can_end(data: dict[str, Any]) -> Iterator[Problem]:
    """`until` with too few trials to begin with, or more than it may end with; what goes with `until`, without it."""
    measure = _mapping(data, "measure")
    if measure.get("until") is None:
        for key in ("max_trials", "budget"):
            if measure.get(key) is not None:
                yield Problem(("measure", key), "it limits the further trials of until:, and there is no until:")
        return
    least, most = [measure.get(key, getattr(MeasureConfig(), key)) for key in ("trials", "max_trials")]
    if type(least) is not int or type(most) is not int:
        return
    if least < LEAST_WITH_UNTIL:
        yield Problem(("measure", "trials"), f"wanted at least {LEAST_WITH_UNTIL} with until:, found {least}: "
                                             "fewer do not tell which cells need more")
    if most < least:
        key = "max_trials" if "max_trials" in measure else "trials"
        yield Problem(("measure", key), f"wanted max_trials of at least trials, found {most} and {least}")


def each_exclude_matches_something(data: dict[str, Any]) -> Iterator[Problem]:
    """Exclusions that no cell of the suite can match."""
    models = _mapping(data, "models")
    keys = ("model", "format", "precision", "runtime", "device")
    for index, entry in enumerate(_list(data, "exclude")):
        if not isinstance(entry, dict):
            continue
        if all(entry.get(key) is None for key in keys):
            yield Problem(("exclude", index), f"wanted at least one of {', '.join(keys)}, found none: "
                                              "it would leave out everything")
        model = entry.get("model")
        if isinstance(model, str) and models and model not in models:
            yield Problem(("exclude", index, "model"),
                          f"this suite has no model {quoted(model)}{suggest(model, models)}")


def each_expectation_covers_something(data: dict[str, Any]) -> Iterator[Problem]:
    """Expectations of a model, runtime or precision that the suite does not have, and of an accuracy that it does not
    measure."""
    models = _mapping(data, "models")
    has = {"model": tuple(models),
           **{key: _words(data, f"{key}s", usual) for key, usual in (("runtime", RUNTIMES), ("precision", ("fp32",)))}}
    for place, entry in _expectations(data):
        for key, known in has.items():
            named = entry.get(key)
            if known and isinstance(named, str) and named not in known:
                yield Problem((*place, key), f"this suite has no {key} {quoted(named)}{suggest(named, known)}")
        named = entry.get("model")
        unlabelled = isinstance(named, str) and named in models and _mapping(models, named).get("dataset") is None
        if place[1] == "accuracy_drop" and unlabelled:
            yield Problem((*place, "model"), f"the model {quoted(str(named))} has no dataset: its accuracy is not "
                                             "measured")


def _expectations(data: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    for metric in METRICS:
        said = _mapping(data, "expect").get(metric)
        if isinstance(said, dict):
            yield ("expect", metric), said
        for index, entry in enumerate(said if isinstance(said, list) else []):
            if isinstance(entry, dict):
                yield ("expect", metric, index), entry


def _words(data: dict[str, Any], key: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    """What a list of the suite names, or what it is by default."""
    return tuple(value for value in _list(data, key) if isinstance(value, str)) if key in data else usual


DEVICE_RULES: Final[tuple[Rule, ...]] = (each_device_has_one_transport,)
SUITE_RULES: Final[tuple[Rule, ...]] = (
    each_model_has_one_source, each_input_has_one_origin, each_model_is_calibrated_on_one_thing, each_old_name_is_free,
    nothing_is_listed_twice, each_delegate_is_its_runtimes, warmup_can_end, measuring_until_can_end,
    each_exclude_matches_something, each_expectation_covers_something,
)
