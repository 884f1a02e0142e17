"""A bundle that was made elsewhere: a folder, or an archive of one, that holds an executable `py`."""

from __future__ import annotations

import posixpath
import shutil
import stat
import tarfile
from pathlib import Path

from bench.bundles import library
from bench.bundles.layers import ELSEWHERE, Bundle
from bench.bundles.library import Origin, work_folder
from bench.errors import ConfigError
from bench.models.files import sha256_file

START = "py"
_HINT = "make it anew from one folder that holds py, with files, folders, and links that stay inside alone"


def adopt(root: Path, path: Path) -> Bundle:
    """Make the folder, .tar or .tar.gz at `path` the newest bundle of the library under `root`.

    Raises ConfigError: it has no executable `py`, or holds what is not safe to unpack.
    """
    if not path.exists():
        raise ConfigError(f"there is no folder or archive {path}")
    with work_folder(root) as work:
        folder = path
        if not path.is_dir():
            folder = work / "layer"
            _unpack(path, folder)
        folder = _start_of(folder, path)
        _check_folder(folder)
        files = {} if path.is_dir() else {path.name: sha256_file(path)}
        layer = library.add(root, Origin(ELSEWHERE, (), {}, files, "", ""), folder)
    bundle = Bundle("any", (layer,))
    library.remember(root, bundle)
    return bundle


def _start_of(folder: Path, path: Path) -> Path:
    """The folder that holds `py`: this one, or the only one in it."""
    inside = list(folder.iterdir())
    for chosen in (folder, *(inside if len(inside) == 1 and inside[0].is_dir() else [])):
        start = chosen / START
        if start.is_file():
            if not start.stat().st_mode & 0o100:
                raise ConfigError(f"{START} in {path} is not executable", hint=f"chmod +x {START}")
            return chosen
    raise ConfigError(f"{path} holds no file {START}",
                      hint=f"{START} is the script or program that starts its Python, with Python's own arguments")


def _check_folder(folder: Path) -> None:
    """Raises ConfigError for what an archive may not hold either."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            _check_link(name, str(path.readlink()))
        elif not (path.is_file() or path.is_dir()):
            raise _unsafe(name, "is neither a file nor a folder")


def _unpack(archive: Path, folder: Path) -> None:
    """Write out an archive's files, folders and links. Raises ConfigError for all else, and for what is none."""
    folder.mkdir(parents=True)
    links: set[str] = set()
    try:
        with tarfile.open(archive) as tar:
            for info in tar:
                name = _checked_name(info.name, links)
                if info.issym():
                    _check_link(name, info.linkname)
                    links.add(name)
                _write(tar, info, folder / name, folder)
    except (tarfile.TarError, EOFError, OSError, UnicodeError) as error:
        raise ConfigError(f"{archive} is not a .tar or .tar.gz archive that can be read: {error}") from None


def _write(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path, folder: Path) -> None:
    if info.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.exists():
        raise _unsafe(info.name, "is in it twice")
    if info.issym():
        target.symlink_to(info.linkname)
    elif info.islnk():
        _copy_of(folder / _checked_name(info.linkname, set()), target, info.name)
    elif info.isreg():
        content = tar.extractfile(info)
        assert content is not None
        with target.open("xb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if info.mode & stat.S_IXUSR else 0o644)
    else:
        raise _unsafe(info.name, "is neither a file, a folder nor a link")


def _copy_of(source: Path, target: Path, name: str) -> None:
    if source.is_symlink() or not source.is_file():
        raise _unsafe(name, "is a second name of a file that is not there")
    shutil.copy(source, target)


def _checked_name(name: str, links: set[str]) -> str:
    """The path of a member, made plain. Raises ConfigError when it leads out, or through a link."""
    plain = posixpath.normpath(name)
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise _unsafe(name, "leads out of it")
    steps = plain.split("/")
    if any("/".join(steps[:count]) in links for count in range(1, len(steps))):
        raise _unsafe(name, "leads through a link")
    return plain


def _check_link(name: str, target: str) -> None:
    """Raises ConfigError unless the link stays inside. `..` only at its beginning: further on it may follow a link."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    if target.startswith("/") or ".." in parts[up:] or up > name.count("/"):
        raise _unsafe(name, f"links to {target}, which leads out of it")


def _unsafe(name: str, why: str) -> ConfigError:
    return ConfigError(f"not safe to unpack on a device: {name!r} {why}", hint=_HINT)
