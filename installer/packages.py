"""Python environments: made once, filled from the lock files with every package's hash checked, no compiler."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from installer import ASSETS, child, machine
from installer.follow import following
from installer.show import Step
from installer.stamps import begun, drop_stamps, key_of, set_stamp, stamp, write_whole

TORCH_INDEX = "https://download.pytorch.org/whl"
"""PyTorch's own index: PyPI has its CPU build for macOS and Windows only, and its CUDA build for Linux only."""

_CUDA_TAG = "cu130"


def lock(name: str) -> Path:
    """A lock file of the assets: engine, torch, test, bpy-VERSION."""
    return ASSETS / f"requirements-{name}.txt"


def pinned(lock_file: Path, package: str) -> str:
    """The version of a package that a lock file pins."""
    found = re.search(rf"^{re.escape(package)}==([^ \\\n]+)", lock_file.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{lock_file.name} does not pin {package}")
    return found[1]


def ensure_env(env: Path, python: Path, title: str) -> None:
    """Make the virtual environment unless it is there and starts; whichever Python made it is kept."""
    done = f"{env.name} environment"
    if stamp(done) == "made" and child.ask([places.interpreter(env), "-c", ""]) is not None:
        return
    with Step(title) as step:
        drop_stamps(f"{env.name} ")
        if env.exists():
            shutil.rmtree(env)
        pip = "" if _has_ensurepip(python) else "--without-pip"
        command = [part for part in (python, "-m", "venv", pip, env) if part]
        code, said = child.run_logged(command, lambda _line: None, step.tick)
        if code:
            raise RecoverError(
                "venv_failed", f"The environment {env} could not be made: {_last(said)}", f"See {child.log_file()}."
            )
        set_stamp(done, "made")


def ensure_lock(env: Path, name: str, title: str, wheels: Path | None) -> None:
    """Install every package of a lock file into the environment, unless that is done."""
    key = key_of(lock(name))
    done = f"{env.name} {name}"
    if stamp(done) == key:
        return
    with Step(title) as step:
        # An installation that was killed may have left half a package that looks whole.
        again = ["--force-reinstall"] if begun(done) else []
        set_stamp(done, None)
        _pip_install(env, ["--require-hashes", *again, "-r", lock(name)], step, wheels)
        set_stamp(done, key)


def ensure_torch(env: Path, gpu: str | None, wheels: Path | None) -> None:
    """Install the build of torch that suits the machine: CUDA where a GPU answers, else CPU."""
    kind = "cuda" if gpu and sys.platform != "darwin" else "cpu"
    key = f"{kind} {key_of(lock('torch'))}"
    done = f"{env.name} torch"
    if stamp(done) == key:
        return
    with Step(f"PyTorch ({kind.upper()})") as step:
        set_stamp(done, None)
        for ways, last in _torch_ways(kind):
            try:
                _pip_install(env, ways, step, wheels)
                break
            except RecoverError as error:
                if last or error.code in ("disk_full", "hash_mismatch"):
                    raise
        set_stamp(done, key)


def _torch_ways(kind: str) -> list[tuple[list[str | Path], bool]]:
    """pip's arguments, in the order in which they are tried; the flag says that nothing comes after."""
    version = pinned(lock("torch"), "torch")
    locked: list[str | Path] = ["--require-hashes", "-r", lock("torch")]
    if sys.platform == "linux" and kind == "cpu":
        wanted = f"torch=={version}+cpu"
        return [([wanted], False), ([wanted, "--index-url", f"{TORCH_INDEX}/cpu"], False), (locked, True)]
    if sys.platform == "win32" and kind == "cuda":
        wanted = f"torch=={version}+{_CUDA_TAG}"
        return [([wanted], False), ([wanted, "--index-url", f"{TORCH_INDEX}/{_CUDA_TAG}"], True)]
    return [(locked, True)]


def has_bpy(version: str) -> bool:
    """Whether Blender `version` as a Python module is installed whole."""
    env = places.blender_env(version)
    return stamp(f"{env.name} bpy-{version}") == key_of(lock(f"bpy-{version}")) and places.interpreter(env).exists()


def python_for_bpy(version: str) -> Path:
    """The Python that Blender `version` as a module needs; raises RecoverError python_missing."""
    needed = machine.BPY_PYTHON[version]
    python = machine.find_python(needed)
    if python is None:
        name = f"python{needed[0]}.{needed[1]}"
        raise RecoverError(
            "python_missing",
            f"Blender {version} as a Python module needs Python {needed[0]}.{needed[1]} with venv and pip.",
            f"Run: {machine.install_line([name, name + '-venv'], [name])}  (or give --blender PROGRAM)",
        )
    return python


def ensure_bpy(version: str, wheels: Path | None) -> None:
    """Make the environment with Blender `version` as a Python module; raises RecoverError python_missing."""
    if has_bpy(version):
        return
    env = places.blender_env(version)
    ensure_env(env, python_for_bpy(version), f"Environment (bpy {version})")
    ensure_lock(env, f"bpy-{version}", f"Blender {version} (bpy)", wheels)


def download_wheel(
    package: str, version: str, tags: Sequence[str], into: Path, step: Step, wheels: Path | None
) -> Path:
    """Fetch one wheel, for any platform, with the engine environment's pip; returns its path."""
    command = [*_pip(places.env_dir()), "download", "--no-deps", "--only-binary=:all:", *tags, "--dest", into]
    command += [*_source(wheels), f"{package}=={version}"]
    with following(step, []) as pip:
        code, said = child.run_logged(command, pip.line, pip.tick, pip.environment)
    found = sorted(into.glob(f"{package}-{version}-*.whl"))
    if code or not found:
        raise _reason(said)
    return found[0]


def point_at_source(env: Path, root: Path) -> None:
    """Let the environment's Python import the engine from `root`, and put a `ghmr` program beside it."""
    site = child.ask([places.interpreter(env), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if site is None:
        raise RecoverError("env_broken", f"The environment {env} does not start.", "Remove it and run setup again.")
    python = places.interpreter(env)
    write_whole(Path(site) / "recover_motion.pth", f"{root}\n".encode())
    if os.name == "nt":
        write_whole(env / "Scripts" / "ghmr.cmd", f'@"{python}" -m ghmr_engine.cli %*\r\n'.encode())
    else:
        script = env / "bin" / "ghmr"
        write_whole(script, f'#!/bin/sh\nexec "{python}" -m ghmr_engine.cli "$@"\n'.encode())
        script.chmod(0o755)


def failed_self_test(said: Sequence[str]) -> RecoverError:
    """One line for an environment that was installed and does not run."""
    library = re.search(r"(\S+\.so[.\d]*): cannot open shared object file", "\n".join(said))
    if library:
        return RecoverError(
            "system_packages",
            f"The engine needs the shared library {library[1]}.",
            "Install the system package that has it (apt-file search, dnf provides), then run setup again.",
        )
    return RecoverError("self_test_failed", f"The engine does not run: {_last(said)}", f"See {child.log_file()}.")


def _pip(env: Path) -> list[str | Path]:
    """The environment's own pip, or where it has none, this Python's pip pointed at it."""
    if child.ask([places.interpreter(env), "-c", "import pip"]) is not None:
        return [places.interpreter(env), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", places.interpreter(env)]


def _pip_install(env: Path, arguments: Sequence[str | Path], step: Step, wheels: Path | None) -> None:
    """Run `pip install`, bar and all.

    Raises RecoverError no_network, disk_full, hash_mismatch, not_available, pip_failed.
    """
    command = [*_pip(env), "install", "--no-deps", "--only-binary=:all:", *_source(wheels), *arguments]
    with following(step, [part for part in arguments if isinstance(part, Path)]) as pip:
        code, said = child.run_logged(command, pip.line, pip.tick, pip.environment)
    if code:
        raise _reason(said)


def _source(wheels: Path | None) -> list[str | Path]:
    return ["--no-index", "--find-links", wheels] if wheels else []


_REASONS = (
    (
        r"No space left on device|not enough space on the disk",
        "disk_full",
        "The disk is full.",
        f"Make room, or set {places.HOME_VARIABLE} to a folder on another disk; then run this again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "hash_mismatch",
        "A downloaded package is not the one that was pinned (its SHA-256 differs).",
        "Run it again; if it stays so, your package index serves altered files: use another one.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "no_network",
        "The package index's certificate is not trusted by this machine.",
        "Behind a company's proxy, give its certificate to pip: pip config set global.cert FILE.",
    ),
    (
        r"NewConnectionError|name resolution|NameResolutionError|Network is unreachable|ConnectTimeout|ProxyError|"
        r"getaddrinfo failed|ReadTimeout|Connection refused|Connection reset",
        "no_network",
        "The package index cannot be reached: there is no network, or a proxy is in the way.",
        "Check the connection and try again: it goes on where it stopped. "
        "Without network: from a folder of wheels (docs/install.md).",
    ),
)


def _reason(said: Sequence[str]) -> RecoverError:
    """One line for what pip said, with what to do."""
    text = "\n".join(said)
    for pattern, code, message, fix in _REASONS:
        if re.search(pattern, text):
            return RecoverError(code, message, fix)
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        return RecoverError(
            "not_available",
            f"There is no {missing[1]} for this Python and platform where pip looks.",
            f"Try Python 3.11 on x86-64 or ARM64; details: {child.log_file()}.",
        )
    return RecoverError("pip_failed", f"pip failed: {_last(said)}", f"See {child.log_file()}.")


def _last(said: Sequence[str]) -> str:
    errors = [line for line in said if line.startswith("ERROR")] or [line for line in said if line.strip()]
    return errors[-1] if errors else "no reason was given"


def _has_ensurepip(python: Path) -> bool:
    if python == Path(sys.executable):
        return importlib.util.find_spec("ensurepip") is not None
    return child.ask([python, "-c", "import ensurepip"]) is not None
