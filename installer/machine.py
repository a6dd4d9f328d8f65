"""What the machine has: Pythons, Blenders, a GPU, shared libraries, room on the disk. Looks, changes nothing."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from installer import child

BLENDER_VARIABLE = "RECOVER_MOTION_BLENDER"
OLDEST_BLENDER = (4, 2)

BPY_PYTHON = {"4.2.23": (3, 11), "5.0.1": (3, 11), "5.2.3": (3, 13)}
"""Blender as a Python module, and the Python that each needs."""


@dataclass(frozen=True)
class SystemPart:
    """Something that comes from the system's packages, and the packages' names."""

    what: str
    debian: str
    fedora: str


BPY_LIBRARIES = (
    SystemPart("libX11.so.6", "libx11-6", "libX11"),
    SystemPart("libXrender.so.1", "libxrender1", "libXrender"),
    SystemPart("libXxf86vm.so.1", "libxxf86vm1", "libXxf86vm"),
    SystemPart("libXfixes.so.3", "libxfixes3", "libXfixes"),
    SystemPart("libXi.so.6", "libxi6", "libXi"),
    SystemPart("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    SystemPart("libSM.so.6", "libsm6", "libSM"),
    SystemPart("libICE.so.6", "libice6", "libICE"),
    SystemPart("libGL.so.1", "libgl1", "mesa-libGL"),
    SystemPart("libEGL.so.1", "libegl1", "mesa-libEGL"),
    SystemPart("libgomp.so.1", "libgomp1", "libgomp"),
)
"""What the bpy wheels link to and do not carry, on Linux; elsewhere they carry all of it."""


def gpu_name() -> str | None:
    """The first NVIDIA GPU that a working driver reports, or None."""
    if not shutil.which("nvidia-smi"):
        return None
    listed = child.ask(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], timeout=20)
    return listed.splitlines()[0].strip() if listed else None


def missing_parts(for_bpy: bool) -> list[SystemPart]:
    """What this Python needs to make environments and, for_bpy, what the bpy wheels would not find."""
    missing = [] if _makes_environments() else [_venv_package(sys.version_info[:2])]
    if for_bpy and sys.platform == "linux":
        missing += [library for library in BPY_LIBRARIES if not _loads(library.what)]
    return missing


def check_parts(for_bpy: bool) -> None:
    """Raises RecoverError system_packages with the one command that installs all that is missing."""
    missing = missing_parts(for_bpy)
    if missing:
        raise RecoverError(
            "system_packages",
            f"This system lacks {', '.join(part.what for part in missing)}.",
            "Run: " + install_line([part.debian for part in missing], [part.fedora for part in missing]),
        )


def install_line(debian: list[str], fedora: list[str]) -> str:
    """The command that installs system packages on this machine."""
    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    if shutil.which("dnf") and not shutil.which("apt-get"):
        return f"{sudo}dnf install -y {' '.join(fedora)}"
    update = "" if any(Path("/var/lib/apt/lists").glob("*Packages*")) else f"{sudo}apt-get update && "
    return f"{update}{sudo}apt-get install -y {' '.join(debian)}"


def check_disk(needed: int) -> None:
    """Raises RecoverError disk_full where fewer than `needed` bytes are free for the home folder."""
    free = free_bytes()
    if free < needed:
        raise RecoverError(
            "disk_full",
            f"{places.home()} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed.",
            f"Make room, or set {places.HOME_VARIABLE} to a folder on another disk.",
        )


def free_bytes() -> int:
    """Room where the home folder is, or will be."""
    folder = places.home()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def find_python(version: tuple[int, int]) -> Path | None:
    """An interpreter of exactly this version that can make environments: this one, or one on the PATH."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    name = f"{version[0]}.{version[1]}"
    candidates = [["py", f"-{name}"]] if sys.platform == "win32" else []
    candidates += [[f"python{name}"]]
    test = "import sys, venv, ensurepip; print(sys.executable, '%d.%d' % sys.version_info[:2], sep='|')"
    for command in candidates:
        if shutil.which(command[0]):
            program, _, found = (child.ask([*command, "-c", test], timeout=20) or "").rpartition("|")
            if found == name:
                return Path(program)
    return None


def blender_programs() -> list[tuple[Path, tuple[int, int]]]:
    """Blenders on this machine that are new enough, with their versions: the chosen one, on the PATH, usual places."""
    found = []
    for program in dict.fromkeys(_blender_candidates()):
        version = blender_version(program)
        if version and version >= OLDEST_BLENDER:
            found.append((program, version))
    return found


def blender_version(program: Path) -> tuple[int, int] | None:
    """(major, minor) of a Blender program, None where it does not start."""
    said = re.match(r"Blender (\d+)\.(\d+)", child.ask([program, "--version"], timeout=60) or "")
    return (int(said[1]), int(said[2])) if said else None


def _blender_candidates() -> list[Path]:
    chosen = os.environ.get(BLENDER_VARIABLE)
    found = [Path(chosen)] if chosen else []
    on_path = shutil.which("blender")
    found += [Path(on_path)] if on_path else []
    if sys.platform == "darwin":
        found += sorted(Path("/Applications").glob("Blender*.app/Contents/MacOS/Blender"), reverse=True)
    elif sys.platform == "win32":
        programs = Path(os.environ.get("PROGRAMFILES", "C:/Program Files")) / "Blender Foundation"
        found += sorted(programs.glob("Blender */blender.exe"), reverse=True)
    else:
        found += [*sorted(Path("/opt").glob("blender*/blender"), reverse=True), Path("/snap/bin/blender")]
    return [program for program in found if program.is_file()]


def _makes_environments() -> bool:
    has_pip = importlib.util.find_spec("ensurepip") or importlib.util.find_spec("pip")
    return bool(importlib.util.find_spec("venv") and has_pip)


def _venv_package(version: tuple[int, int]) -> SystemPart:
    name = f"python{version[0]}.{version[1]}"
    return SystemPart(f"venv and pip for Python {version[0]}.{version[1]}", f"{name}-venv", "python3-pip")


def _loads(file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True
