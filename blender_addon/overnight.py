"""Many clips without a window: `ghmr batch` recovers them, and each one's scene is made as soon as its take is there.

Both tell the folder's manifest (docs/batch.md), so that a run which was killed goes on where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from .ghmr_engine import __version__
from .ghmr_engine.batch import manifest
from .ghmr_engine.batch.clips import content_of
from .ghmr_engine.batch.lock import locked
from .ghmr_engine.child_process import ChildProcess, clean_environment
from .ghmr_engine.errors import RecoverError
from .motion import MotionFileError
from .scene_making import Made, Plan, make_scene
from .stopping import check

BEGUN = "begun"
"""State of a scene that is being made: what is left of one during which Blender died."""
_TRIES = 2
_POLL_S = 0.1
_SHEET_S = 600
_PATIENCE_S = 20.0
"""How long a batch that is stopped may take to write its sheet."""
LOG = "batch.log"


@dataclass(frozen=True)
class Night:
    """What to do until the morning."""

    python: Path
    """That runs the engine."""
    arguments: tuple[str, ...]
    """Of `ghmr batch`: clips, options, limits."""
    folder: Path
    """Absolute, and there: for takes, scenes, manifest and sheet."""
    plan: Plan


def run(night: Night) -> int:
    """Do it. Returns the exit code: 1 where anything failed, 3 where something is for review, 0 where all is well.

    Raises RecoverError where nothing can go on.
    """
    command = [night.python, "-m", "ghmr_engine.cli", "batch", "--out", night.folder, "--json", *night.arguments]
    with locked(night.folder):
        pass  # where another batch works, this one is refused before it empties the other's log
    code, failed = None, False
    with _running(command, night.folder / LOG) as batch:
        for message in _said_by(batch):
            state = message.get("state")
            if state == "error":
                raise RecoverError(*(message["error"][key] for key in ("code", "message", "fix")))
            if state == "end":
                code = int(message["code"])
            elif state == manifest.FAILED:
                _say(f"{message['clip']}: {message['error']['message']} {message['error']['fix']}")
            elif state in (manifest.DONE, manifest.REVIEW):
                failed |= not _scene_of(message, night)
        if code is None:
            raise RecoverError("engine_died", f"The batch ended unexpectedly. {batch.log_tail(1)}", "Start it again.")
    _write_sheet(night)
    return 1 if failed else code


@contextmanager
def _running(command: list[str | Path], log: Path) -> Iterator[ChildProcess]:
    """The batch, which is asked to end where this ends before it, and gets the time to do so."""
    batch = ChildProcess(command, log)
    try:
        yield batch
    finally:
        if batch.alive and sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.kill(batch.process_id, signal.SIGTERM)
        batch.close(_PATIENCE_S)


def _said_by(batch: ChildProcess) -> Iterator[dict]:
    """The batch's JSON lines as they come, to its end."""
    stage: tuple[str, str] | None = None
    while True:
        check()
        ended = not batch.alive
        for line in batch.lines():
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("state") != "working":
                yield message
                check()
            elif stage != (stage := (message["name"], message["stage"])):
                _say(f"[{message['number']}/{message['of']}] {message['name']}: {message['stage']}")
        if ended:
            return
        time.sleep(_POLL_S)


def _scene_of(motion: dict, night: Night) -> bool:
    """Make the scene of a take, or leave the one that is there; whether all went well. motion: the take's record."""
    before = manifest.latest(manifest.read(night.folder), manifest.SCENE).get(motion["clip"])
    key = _key_of(motion, night.plan)
    if _still_good(before, key, night.folder):
        _say(f"{motion['clip']}: its scene is there.")
        return True
    begun = {"clip": motion["clip"], "kind": manifest.SCENE, "state": BEGUN, "key": key}
    tries, out = _tries_of(before, key) + 1, night.folder / f"{motion['name']}.blend"
    if tries > _TRIES:
        error = {"code": "blender_died", "message": "Blender ended while it made this scene.", "fix": "Try it by hand."}
        manifest.append(night.folder, {**begun, "state": manifest.FAILED, "error": error, "files": _of_its_own(out)})
        _say(f"{motion['clip']}: {error['message']} {error['fix']}")
        return False
    try:
        aside = None if before and before["state"] == BEGUN else _moved_aside(out, motion["clip"], night.folder)
    except OSError as error:
        raise RecoverError("cannot_write", f"{out} cannot be moved aside ({error}).", "Choose another --out.") from None
    if aside is not None:
        _say(f"{motion['clip']}: {out.name} was changed by hand; it is called {aside.name} now.")
    manifest.append(night.folder, {**begun, "tries": tries})
    try:
        outcome = _outcome(
            lambda: make_scene(night.folder / motion["out"], Path(motion["clip"]), out, night.plan), night.folder
        )
    except KeyboardInterrupt:  # nobody died: this try does not count
        manifest.append(night.folder, {**begun, "tries": tries - 1})
        raise
    manifest.append(night.folder, {**begun, "files": _of_its_own(out), **outcome})
    words = outcome["error"]["message"] + " " + outcome["error"]["fix"] if outcome["error"] else "its scene is made."
    for text in (words, *outcome.get("warnings", ())):
        _say(f"{motion['clip']}: {text}")
    return not outcome["error"]


def _tries_of(before: dict | None, key: str) -> int:
    """How often this very scene was begun by a Blender that did not come to its end."""
    began = before is not None and before["state"] == BEGUN and before.get("key") == key
    return before["tries"] if began and type(before.get("tries")) is int else 0


def _moved_aside(out: Path, clip: str, folder: Path) -> Path | None:
    """Where a file went that lies where a scene will, and is none as it was made here; None where there is none."""
    if not out.exists():
        return None
    made = [record.get("files") for record in manifest.read(folder) if record["clip"] == clip]
    if content_of(out).sha256 in [files.get(out.name) for files in made if isinstance(files, dict)]:
        return None
    aside = next(
        path for number in itertools.count(1) if not (path := out.with_suffix(f".kept{number}.blend")).exists()
    )
    return out.rename(aside)


def _of_its_own(out: Path) -> dict[str, str]:
    """What is recorded of a scene that failed: the .blend, where it was saved by then, was not made by hand."""
    with contextlib.suppress(OSError):
        return {out.name: content_of(out).sha256}
    return {}


def _outcome(make: Callable[[], Made], folder: Path) -> dict:
    """What came of a scene, as its record says it."""
    began = time.monotonic()
    try:
        made = make()
        files = [made.blend, *made.exports]
        done = {
            "state": manifest.DONE, "error": None, "blend": made.blend.name, "retarget": made.retarget,
            "exports": [path.name for path in made.exports], "warnings": list(made.warnings),
            "files": {path.name: content_of(path).sha256 for path in files},
        }  # fmt: skip
    except RecoverError as error:
        done = _failed(error.code, error.message, error.fix)
    except (MotionFileError, OSError) as error:
        done = _failed("system", f"{error}.", "Mend that, then start again.")
    except Exception as error:  # noqa: BLE001  one scene stops no other
        done = _failed("internal", f"{type(error).__name__}: {error}.", f"Report it, with {folder / LOG}.")
    return {**done, "took_s": round(time.monotonic() - began, 1)}


def _failed(code: str, message: str, fix: str) -> dict:
    return {"state": manifest.FAILED, "error": {"code": code, "message": message, "fix": fix}}


def _key_of(motion: dict, plan: Plan) -> str:
    """Tells one scene from another: the same take, plan, add-on and Blender make the same."""
    read = [content_of(path).sha256 for path in (plan.rig, plan.rig_map) if path is not None]
    said = [motion["files"], read, plan.rig is None, plan.kinds, __version__, bpy.app.version_string]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _still_good(record: dict | None, key: str, folder: Path) -> bool:
    """Whether a scene's record tells of the very one that is wanted, and its files are there and whole; the .blend
    itself may have been worked on since."""
    if record is None or record["state"] != manifest.DONE or record.get("key") != key:
        return False
    try:
        blend = folder / record["blend"]
        exported = {folder / name: sha256 for name, sha256 in record["files"].items() if folder / name != blend}
        return blend.is_file() and all(content_of(path).sha256 == sha256 for path, sha256 in exported.items())
    except (OSError, KeyError, TypeError, AttributeError):
        return False


def _write_sheet(night: Night) -> None:
    """The contact sheet anew, with the scenes on it. One that cannot be written is told, and spoils nothing."""
    command = [str(night.python), "-m", "ghmr_engine.cli", "sheet", str(night.folder)]
    done = subprocess.run(
        command, env=clean_environment(), cwd=night.folder, capture_output=True, timeout=_SHEET_S, check=False
    )
    _say((done.stdout if done.returncode == 0 else done.stderr).decode("utf-8", "replace").strip())


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
