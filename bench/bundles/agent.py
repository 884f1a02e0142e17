"""The agent as one reproducible file: agent.pyz, named by its own hash."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import bench

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAIN = b"import sys\nfrom bench.agents.agent import main\nsys.exit(main())\n"


@dataclass(frozen=True)
class AgentArchive:
    """The agent's file on this host. `name` is what it is called on a device."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        return f"agent-{self.sha256[:16]}.pyz"


def build_agent(folder: Path) -> AgentArchive:
    """The agent archive under `folder`, built anew unless it is there. The same sources give the same bytes."""
    content = _archive()
    digest = hashlib.sha256(content).hexdigest()
    archive = AgentArchive(folder / f"agent-{digest[:16]}.pyz", digest)
    if not archive.path.exists() or archive.path.read_bytes() != content:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = archive.path.with_suffix(".part")
        temporary.write_bytes(content)
        temporary.replace(archive.path)
    return archive


def _archive() -> bytes:
    package = Path(bench.__file__).parent
    sources = sorted([package / "protocol.py", *package.glob("agents/**/*.py")])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        _add(file, "__main__.py", _MAIN)
        _add(file, "bench/__init__.py", b"")
        for source in sources:
            _add(file, f"bench/{source.relative_to(package).as_posix()}", source.read_bytes())
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Stored, not deflated: bytes of a deflated member depend on the zlib that made them.
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)
