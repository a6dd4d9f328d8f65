"""Models that the user added: what each kind is, and the list of their files, kept in the models folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import sha256_of


@dataclass(frozen=True)
class Kind:
    """A sort of file that can be added; there is one of each, and its name is the kind's."""

    name: str
    title: str
    use: str
    """What it is for, a few words."""
    licence: str
    """Of the file, not of this program's code that reads it."""
    open: bool
    """False where the licence allows research only."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("wham", "WHAM", "motion in the world from keypoints and picture features",
             "research only (SMPL and its training data; code MIT)", False),
        Kind("hmr2", "HMR2.0", "picture features and first pose for WHAM",
             "research only (SMPL and its training data; code MIT)", False),
        Kind("vitpose", "ViTPose", "17 keypoints of each person in the picture", "Apache-2.0", True),
        Kind("smpl", "SMPL body", "SMPL's own body in place of the open one",
             "SMPL body model licence (research only)", False),
        Kind("humor", "HuMoR", "motion prior of `--quality best`",
             "research only (SMPL+H and AMASS, its training data; code MIT)", False),
        Kind("vposer", "VPoser", "pose prior of `--quality best`",
             "SMPL-X model licence (research only)", False),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Added:
    """A user's file. It stays where it is: checkpoints have gigabytes."""

    name: str
    path: str
    sha256: str
    bytes: int
    modified_ns: int
    """When the file was last written: with the same size and time it is not read again to compare."""
    on: bool

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[self.name]

    @property
    def state(self) -> str:
        """'on', 'off', or 'missing' or 'changed' since it was added."""
        try:
            now = Path(self.path).stat()
        except OSError:
            return "missing"
        if now.st_size != self.bytes:
            return "changed"
        if now.st_mtime_ns != self.modified_ns and sha256_of(Path(self.path)) != self.sha256:
            return "changed"
        return "on" if self.on else "off"


def list_path() -> Path:
    """The file that remembers them."""
    return places.models_dir() / "added.json"


def added_models() -> dict[str, Added]:
    """All that were added, by name. Raises RecoverError where the list is damaged."""
    try:
        entries = json.loads(list_path().read_text(encoding="utf-8"))["models"]
        found = [Added(**entry) for entry in entries]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecoverError(
            "bad_list", f"The list of added models, {list_path()}, is damaged.", "Delete it and add the models again."
        ) from error
    return {entry.name: entry for entry in found if entry.name in KINDS}


def remember(name: str, path: Path) -> Added:
    """Add a file that was recognised as `name`, switched on, in place of an earlier one of that kind."""
    path = path.absolute()
    now = path.stat()
    entry = Added(name, str(path), sha256_of(path), now.st_size, now.st_mtime_ns, on=True)
    _write({**added_models(), name: entry}.values())
    return entry


def switch(name: str, on: bool) -> Added:
    """Use an added model, or leave it out. Raises RecoverError where none of that name was added."""
    models = added_models()
    if name not in models:
        there = f"Added are: {', '.join(models)}." if models else "None was added so far."
        raise RecoverError("not_added", f"No model '{name}' was added.", f"{there} See `ghmr models`.")
    entry = replace(models[name], on=on)
    _write({**models, name: entry}.values())
    return entry


def switched_on() -> dict[str, Added]:
    """The added models that are used, by name, each with its file as it was.

    Raises RecoverError where a file was moved or changed.
    """
    models = {name: entry for name, entry in added_models().items() if entry.on}
    for entry in models.values():
        if entry.state in ("missing", "changed"):
            gone = "is no longer there" if entry.state == "missing" else "is not the file that was added"
            raise RecoverError(
                "model_changed",
                f"{entry.kind.title} is switched on, but {entry.path} {gone}.",
                f"Run `ghmr models add FILE` again, or `ghmr models off {entry.name}`.",
            )
    return models


def body_path(on: Mapping[str, Added]) -> Path:
    """The body that people get: SMPL's own where it is among the models that are on, else the open one."""
    return Path(on["smpl"].path) if "smpl" in on else places.body_path()


def _write(entries: Iterable[Added]) -> None:
    """Whole or not at all."""
    path = list_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps({"models": [asdict(entry) for entry in entries]}, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise RecoverError("cannot_write", f"{path} cannot be written: {error.strerror}.", "Make room.") from error
    finally:
        part.unlink(missing_ok=True)
