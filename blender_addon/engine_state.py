"""Which engine there is, told from a few files: cheap enough to be asked while Blender draws. Plain Python, no bpy."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .ghmr_engine import __version__, installed, places

ROOT = Path(__file__).resolve().parent
"""The extension, with the engine's code and install.py."""


@dataclass(frozen=True)
class EngineState:
    """What the preferences say."""

    kind: Literal["missing", "unfinished", "outdated", "ready"]
    text: str
    """A line or two."""
    python: Path | None = None
    """What runs the engine, where it is ready."""
    downloads: bool = True
    """Whether installing needs the network, or a folder of wheels."""
    installs: bool = True
    """Whether installing helps: not where another environment is chosen that is not there."""


def engine_state(chosen: Path | None = None, root: Path = ROOT) -> EngineState:
    """The state of the environment that the user chose (its Python), or of the one that set-up makes."""
    if chosen is not None:
        if chosen.is_file():
            return EngineState("ready", f"An environment of your own: {chosen}", chosen)
        return EngineState("missing", f"There is no file {chosen}. Clear the path, or choose another", installs=False)
    python, done = places.engine_python(), installed.finished()
    if not python.is_file() and not done:
        if done is None:
            return EngineState("missing", "The engine is not installed")
        return EngineState("unfinished", "The engine's installation was stopped. It goes on where it was")
    if done is False:
        return EngineState("unfinished", "The engine's installation was stopped. It goes on where it was")
    if not python.is_file() or _orphaned(places.env_dir()):
        text = "The Python that the engine was installed with is gone, with its Blender perhaps. Install again"
        return EngineState("unfinished", text)
    return _compared(python, root)


def _compared(python: Path, root: Path) -> EngineState:
    """The engine that is there against the one that this add-on carries."""
    found = installed.read_installed()
    if found is None:
        return EngineState("ready", f"Engine: {python}", python)
    if not (Path(found.source) / "ghmr_engine").is_dir():
        text = f"The engine's code is gone from {found.source}. Update the engine"
        return EngineState("outdated", text, downloads=_packages(root, found))
    if found.copied and found.code != _code_key(root):
        there, own = found.version, __version__
        which = f"version {there}, the add-on {own}" if there != own else f"another build of version {there}"
        more = _packages(root, found)
        text = f"The engine is {which}. Update it{'' if more else ': it takes seconds'}"
        return EngineState("outdated", text, downloads=more)
    where = "the CPU" if found.device == "cpu" else found.device
    return EngineState(
        "ready", f"Engine {found.version} on {where}, {found.landmarks_ms:.0f} ms a person in a frame", python
    )


def _packages(root: Path, found: installed.Installed) -> bool:
    """Whether an update downloads something."""
    try:
        return found.packages != _packages_key(root)
    except OSError:
        return True


def _orphaned(env: Path) -> bool:
    """Whether the Python that the environment was made with is gone: on Windows the environment's own stays."""
    config = env / "pyvenv.cfg"
    try:
        home = _home_of(config, config.stat().st_mtime_ns)
    except OSError:
        return False
    return home is not None and not home.is_dir()


@functools.lru_cache(maxsize=4)
def _home_of(config: Path, _changed: int) -> Path | None:
    for line in config.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            return Path(value.strip())
    return None


# An extension's own files stay as they are while it is loaded.
_code_key = functools.lru_cache(maxsize=2)(installed.code_key)
_packages_key = functools.lru_cache(maxsize=2)(installed.packages_key)
