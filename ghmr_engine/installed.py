"""What set-up leaves behind for the add-on to read: which engine is installed, from which code, on which device.

Standard library only: install.py writes it, and the add-on, which must not start anything to draw a line, reads it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from . import places

NEEDED = ("env environment", "env engine", "env torch", "env source", "open body", "self-test")
"""Steps of set-up (names in setup.json) without which the engine does not run."""
_LOCKS = ("assets/requirements-engine.txt", "assets/requirements-torch.txt", "assets/models.json")


@dataclass(frozen=True)
class Installed:
    """The engine that is installed."""

    version: str
    code: str
    """code_key of its source."""
    packages: str
    """packages_key of its source: where it stays, an update downloads nothing."""
    source: str
    """Folder that the environment imports it from."""
    copied: bool
    """Whether that folder is a copy in the home folder; a checkout of the project changes under it, and may."""
    torch: str
    device: str
    """cpu, or the GPU's name."""
    landmarks_ms: float
    """What finding one person's landmarks took in the self-test."""


def code_key(root: Path) -> str:
    """A key for the engine's code in `root`: sources by their content, weights by name and size."""
    digest = hashlib.sha256()
    for path in sorted((root / "ghmr_engine").rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for path in sorted((root / "assets").glob("*.safetensors")):
        digest.update(f"{path.name} {path.stat().st_size}\0".encode())
    return digest.hexdigest()[:20]


def packages_key(root: Path) -> str:
    """A key for what set-up downloads."""
    digest = hashlib.sha256()
    for name in _LOCKS:
        digest.update((root / name).read_bytes() + b"\0")
    return digest.hexdigest()[:20]


def record_path() -> Path:
    """Where it is written."""
    return places.home() / "engine.json"


def encode(installed: Installed) -> bytes:
    """As the file has it."""
    return json.dumps(asdict(installed), indent=1).encode()


def read_installed() -> Installed | None:
    """What set-up wrote last; None where it is not there or not understood. Cheap while the file stays the same."""
    try:
        return Installed(**_read(record_path(), _version(record_path())))
    except (OSError, ValueError, TypeError):
        return None


def finished() -> bool | None:
    """Whether set-up came to its end; None where no set-up was at work here."""
    path = places.home() / "setup.json"
    try:
        stamps = _read(path, _version(path))
    except OSError:
        return None
    except ValueError:
        return False
    return all(stamps.get(name) for name in NEEDED)


def _version(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=8)
def _read(path: Path, _version: tuple[int, int]) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
