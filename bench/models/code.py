"""The code that a factory's model is made of, found and hashed without importing any of it.

Followed are static imports, also those inside functions, as long as they lead to files under the suite's folder or
within the factory's own top-level package. Other packages count by name and version. What is imported by a computed
name, and files that the code opens by itself, are not seen: a factory's weights belong under `weights:`.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bench.errors import ConfigError, ModelError
from bench.models.files import sha256_file
from bench.words import nearest

_INSTALLED = frozenset({"site-packages", "dist-packages"})


def factory_sha256(location: str, root: Path) -> str:
    """The hash of a factory `module:function` and of all code it is made of.

    Raises ConfigError when the module or the function is not there, ModelError when its code does not parse.
    """
    module, _, function = location.partition(":")
    _require_function(_require_module(module, root), module, function)
    lines = sorted(_closure(module, root))
    return hashlib.sha256("\n".join([f"factory {location}", *lines]).encode()).hexdigest()


def _require_module(module: str, root: Path) -> Path:
    """The module's file. Raises ConfigError that names the nearest module beside where it was looked for."""
    spec = _find(module, root)
    file = None if spec is None else _file(spec)
    if file is not None:
        return file
    missing = next((name for name in [*_parents(module), module] if _find(name, root) is None), module)
    package, _, last = missing.rpartition(".")
    folders = [Path(place) for place in _places(_find(package, root))] if package else [root]
    names = sorted({path.stem for folder in folders for path in folder.glob("*.py") if path.stem != "__init__"})
    where = f"in package {package}" if package else f"in {root} or among installed packages"
    raise ConfigError(f"wanted the module {missing}, found none {where}{nearest(last, names)}",
                      hint="a factory's module is imported from the suite's folder, or from an installed package")


def _require_function(file: Path, module: str, function: str) -> None:
    if file.suffix != ".py":
        return
    body = _parse(file).body
    names = set(_bound(body))
    if function not in names and "*" not in names:
        defined = sorted(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))
        raise ConfigError(f"wanted {function} in module {module} ({file}), found none{nearest(function, defined)}")


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """The names that a module's statements bind; `*` for an import of everything."""
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.Assign(targets=targets):
                yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If() | ast.Try() | ast.With():
                for inner in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
                    yield from _bound(inner)
                for handler in getattr(statement, "handlers", []):
                    yield from _bound(handler.body)


def _closure(module: str, root: Path) -> Iterator[str]:
    """One line for each own module (its hash) and each other package (its version) that `module` leads to."""
    top = module.partition(".")[0]
    waiting, seen = [module], {module}
    while waiting:
        name = waiting.pop()
        spec = _find(name, root)
        file = None if spec is None else _file(spec)
        wanted: list[str] = []
        if _is_own(name, top, file, root):
            wanted = _parents(name)
            if spec is not None and file is not None:
                yield f"module {name} {sha256_file(file)}"
                wanted += _imports(file, name, package=spec.submodule_search_locations is not None)
        elif "." in name:
            wanted = [name.partition(".")[0]]
        else:
            yield from _versions(name)
        new = set(wanted) - seen
        waiting += sorted(new)
        seen |= new


def _is_own(name: str, top: str, file: Path | None, root: Path) -> bool:
    """Whether a module is the user's: of the factory's package, or under the suite's folder and not installed there."""
    if name.partition(".")[0] == top:
        return True
    if file is None or not file.resolve().is_relative_to(root.resolve()):
        return False
    return not _INSTALLED.intersection(file.resolve().relative_to(root.resolve()).parts)


def _parents(name: str) -> list[str]:
    """The packages that importing `name` runs, too."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _imports(file: Path, name: str, *, package: bool) -> list[str]:
    """The absolute names of what a file may import, whether module or attribute."""
    if file.suffix != ".py":
        return []
    found = []
    for node in ast.walk(_parse(file)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, name, package=package)
            found += [base] + [f"{base}.{alias.name}" for alias in node.names if alias.name != "*"]
    return [entry for entry in found if entry]


def _base(node: ast.ImportFrom, name: str, *, package: bool) -> str:
    """The module that `from ... import` names, relative ones resolved against the module `name`."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    parts = parts[:len(parts) - node.level + (1 if package else 0)]
    return ".".join([*parts, node.module] if node.module else parts)


def _find(name: str, root: Path) -> ModuleSpec | None:
    """Where a module would be imported from, `root` first; None when nowhere. Runs no code of it."""
    top, *rest = name.split(".")
    try:
        spec = PathFinder.find_spec(top, [str(root), *sys.path]) or importlib.util.find_spec(top)
        for part in rest:  # by its last part: a dotted name would ask for its parents in sys.modules
            spec = None if spec is None else PathFinder.find_spec(part, _places(spec))
    except (ValueError, ImportError):
        return None
    return spec


def _places(spec: ModuleSpec | None) -> list[str]:
    return list((spec and spec.submodule_search_locations) or [])


def _file(spec: ModuleSpec) -> Path | None:
    """The file of a module; None for built-in ones and for packages without one."""
    return Path(spec.origin) if spec.has_location and spec.origin else None


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise ModelError(f"{file}:{error.lineno}: wanted Python, found: {error.msg}") from None
    except ValueError as error:
        raise ModelError(f"{file}: wanted Python, found: {error}") from None


def _versions(package: str) -> list[str]:
    """`package NAME==VERSION` for each distribution that has the top-level package; none for the standard library."""
    if package in sys.stdlib_module_names:
        return []
    try:
        return [f"package {package}=={metadata.version(package)}"]
    except metadata.PackageNotFoundError:
        owners = sorted(set(_owners().get(package, [])))
        return [f"package {name}=={metadata.version(name)}" for name in owners]


@functools.cache
def _owners() -> dict[str, list[str]]:
    """The distributions of each top-level package whose name is not its own; slow, as it reads them all."""
    return {name: list(owners) for name, owners in metadata.packages_distributions().items()}
