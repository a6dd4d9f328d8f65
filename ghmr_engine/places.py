"""Where Recover Motion keeps what it installs and makes. Standard library only: install.py and the add-on use it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

HOME_VARIABLE = "RECOVER_MOTION_HOME"


def home(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The one folder with environments, models and caches; removing it uninstalls everything.

    RECOVER_MOTION_HOME where it is set, else the user's data folder as the platform has it.
    """
    values = os.environ if environ is None else environ
    if values.get(HOME_VARIABLE):
        return Path(values[HOME_VARIABLE]).expanduser().absolute()
    if platform == "win32":
        local = values.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "Recover Motion"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Recover Motion"
    data = values.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path there is to be ignored.
    return (Path(data) if data.startswith("/") else Path.home() / ".local" / "share") / "recover-motion"


def env_dir() -> Path:
    """The engine's own virtual environment."""
    return home() / "env"


def blender_env(version: str) -> Path:
    """The virtual environment that holds Blender `version` as a Python module."""
    return home() / f"bpy-{version}"


def interpreter(env: Path, platform: str = sys.platform) -> Path:
    """The Python program of a virtual environment."""
    return env / "Scripts" / "python.exe" if platform == "win32" else env / "bin" / "python"


def engine_python() -> Path:
    """The Python program that runs the engine (`-m ghmr_engine.cli`, `-m ghmr_engine.serve`)."""
    return interpreter(env_dir())


def models_dir() -> Path:
    """Model files, fetched at set-up or added by the user."""
    return home() / "models"


def cache_dir() -> Path:
    """Results of stages, kept for the next run."""
    return home() / "cache"


def body_path() -> Path:
    """The open body, built at set-up."""
    return models_dir() / "open_body.npz"
