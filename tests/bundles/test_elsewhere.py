"""Bundles that were made elsewhere: taken when they are safe, refused with the member's name when they are not."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.bundles import library
from bench.bundles.elsewhere import adopt
from bench.errors import ConfigError
from tests.fakes.bundles import made_elsewhere

Fill = Callable[[tarfile.TarFile], None]


def _file(tar: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = 3, mode
    tar.addfile(info, io.BytesIO(b"abc"))


def _other(name: str, kind: bytes, target: str = "") -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tar.addfile(info)
    return fill


def _archive(path: Path, *fills: Fill) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        _file(tar, "py")
        for fill in fills:
            fill(tar)
    return path


def test_a_folder_and_its_archives_become_the_same_layer(tmp_path: Path) -> None:
    folder = made_elsewhere(tmp_path / "made")
    with tarfile.open(tmp_path / "flat.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    with tarfile.open(tmp_path / "nested.tar", "w") as tar:
        tar.add(folder, "made")
    bundles = [adopt(tmp_path / "root", path) for path in (folder, tmp_path / "flat.tar.gz", tmp_path / "nested.tar")]
    assert len({bundle.layers[0].folder for bundle in bundles}) == 1
    assert library.newest(tmp_path / "root") == bundles[0]
    assert bundles[0].architecture == "any" and bundles[0].layers[0].files == 2
    assert bundles[0].for_runtimes(["torch"]) == bundles[0]
    assert sorted(path.name for path in (tmp_path / "root").iterdir()) == ["bundle-aarch64.json", "layers"]


@pytest.mark.parametrize(("fill", "why"), [
    (lambda tar: _file(tar, "/etc/owned"), "'/etc/owned' leads out"),
    (lambda tar: _file(tar, "lib/../../owned"), "leads out"),
    (_other("pipe", tarfile.FIFOTYPE), "'pipe' is neither"),
    (_other("null", tarfile.CHRTYPE), "'null' is neither"),
    (_other("link", tarfile.SYMTYPE, "/etc/passwd"), "links to /etc/passwd"),
    (_other("a/link", tarfile.SYMTYPE, "../../x"), "links to ../../x"),
    (_other("link", tarfile.SYMTYPE, "py/../../x"), "links to py/../../x"),
    (_other("hard", tarfile.LNKTYPE, "/etc/passwd"), "leads out"),
    (_other("hard", tarfile.LNKTYPE, "absent"), "not there"),
    (lambda tar: _file(tar, "py"), "'py' is in it twice"),
])
def test_what_is_not_safe_is_refused(tmp_path: Path, fill: Fill, why: str) -> None:
    with pytest.raises(ConfigError, match="not safe") as caught:
        adopt(tmp_path / "root", _archive(tmp_path / "a.tar.gz", fill))
    assert why in caught.value.message
    assert not list((tmp_path / "root").glob("layers/*")) and not (tmp_path / "owned").exists()


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    fills = [_other("lib", tarfile.DIRTYPE), _other("link", tarfile.SYMTYPE, "lib"),
             lambda tar: _file(tar, "link/data")]
    with pytest.raises(ConfigError, match="'link/data' leads through a link"):
        adopt(tmp_path / "root", _archive(tmp_path / "a.tar.gz", *fills))


def test_a_folder_is_held_to_the_same_rules(tmp_path: Path) -> None:
    folder = made_elsewhere(tmp_path / "made")
    (folder / "lib" / "out").symlink_to("../../x")
    with pytest.raises(ConfigError, match="links to"):
        adopt(tmp_path / "root", folder)
    (folder / "lib" / "out").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(ConfigError, match="'pipe' is neither"):
        adopt(tmp_path / "root", folder)


def test_without_an_executable_py_it_is_no_bundle(tmp_path: Path) -> None:
    folder = made_elsewhere(tmp_path / "made")
    (folder / "py").chmod(0o644)
    with pytest.raises(ConfigError, match="not executable"):
        adopt(tmp_path / "root", folder)
    (folder / "py").unlink()
    with pytest.raises(ConfigError, match="holds no file py"):
        adopt(tmp_path / "root", folder)
    with pytest.raises(ConfigError, match="no folder or archive"):
        adopt(tmp_path / "root", tmp_path / "absent")


@pytest.mark.parametrize("damage", [lambda data: b"text", lambda data: data[:len(data) // 2]])
def test_a_broken_archive_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(made_elsewhere(tmp_path / "made"), ".")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ConfigError, match=r"a\.tar\.gz is not a \.tar"):
        adopt(tmp_path / "root", path)
