"""What is installed, on which device it runs, under which licences, what is missing and what to do about it."""

from __future__ import annotations

import json
import platform

from ghmr_engine import __version__, places
from ghmr_engine.added_models import Added, added_models
from ghmr_engine.errors import RecoverError
from ghmr_engine.models import known_models
from installer import child, machine, models, packages
from installer.show import size
from installer.stamps import key_of, stamp

_SETUP = "Run: python3 install.py setup"
_LOW_DISK = 2_000_000_000

_ASK_TORCH = """
import importlib.util, json, torch
cuda = torch.cuda.is_available()
print(json.dumps({"version": torch.__version__, "device": "cuda" if cuda else "cpu",
                  "gpu": torch.cuda.get_device_name() if cuda else None,
                  "transformers": importlib.util.find_spec("transformers") is not None}))
"""


def examine() -> dict:
    """Everything that doctor knows, as plain values; `problems` says what keeps a clip from becoming a scene."""
    torch = _torch()
    state = {
        "version": __version__,
        "home": str(places.home()),
        "python": str(places.engine_python()) if torch else None,
        "installer_python": platform.python_version(),
        "system": platform.platform(),
        "torch": torch,
        "gpu": machine.gpu_name(),
        "models": _models(),
        "body": _body(),
        "added": [_added(entry) for entry in _added_entries()],
        "bpy": {version: packages.has_bpy(version) for version in machine.BPY_PYTHON},
        "blenders": [
            {"program": str(program), "version": ".".join(map(str, version))}
            for program, version in machine.blender_programs()
        ],
        "disk_free_bytes": machine.free_bytes(),
    }
    problems, notes = _problems(state)
    return {**state, "ready": not problems, "problems": problems, "notes": notes}


def report(as_json: bool) -> int:
    """Print it; the exit code is 0 where everything is ready."""
    state = examine()
    print(json.dumps(state, indent=1) if as_json else "\n".join(_lines(state)))
    return 0 if state["ready"] else 1


def _torch() -> dict | None:
    if not places.engine_python().exists():
        return None
    said = child.ask([places.engine_python(), "-c", _ASK_TORCH], timeout=120)
    return json.loads(said.splitlines()[-1]) if said else None


def _models() -> list[dict]:
    listed = known_models().values()
    return [
        {
            "name": model.name,
            "state": model.state(),
            "licence": model.licence,
            "use": model.use,
            "path": str(model.path),
        }
        for model in listed
    ]


def _body() -> dict:
    path = places.body_path()
    built = "missing" if not path.is_file() else "ready" if stamp(models.BODY) == models.body_key() else "outdated"
    return {"name": "open body", "state": built, "licence": "CC0-1.0 (shapes), Apache-2.0 (code)", "path": str(path)}


def _added_entries() -> list[Added]:
    """The user's own models; none where their list is damaged, which a recovery says in its own line."""
    try:
        return list(added_models().values())
    except RecoverError:
        return []


def _added(entry: Added) -> dict:
    kind = entry.kind
    return {
        "name": entry.name, "on": entry.on, "state": entry.state, "licence": kind.licence, "use": kind.use,
        "path": entry.path,
    }  # fmt: skip


def _problems(state: dict) -> tuple[list[dict], list[dict]]:
    """What has to be done before a clip becomes a scene, and what could be better; each with what to do."""
    problems = _system_problems(state) + _engine_problems(state) + _added_problems(state)
    notes = []
    if not any(state["bpy"].values()):
        if state["blenders"]:
            notes.append(
                _entry("Blender as a Python module is not installed.", "`recover` uses the Blender found here.")
            )
        elif state["torch"]:
            problems.append(_entry("There is no Blender, neither as a program nor as a Python module.", _SETUP))
    if state["gpu"] and state["torch"] and state["torch"]["device"] == "cpu":
        notes.append(_entry(f"{state['gpu']} is not used.", f"{_SETUP}; if it stays so, update the GPU's driver."))
    if state["disk_free_bytes"] < _LOW_DISK:
        notes.append(_entry(f"Only {size(state['disk_free_bytes'])} of disk are free.", "Make room."))
    return problems, notes


def _system_problems(state: dict) -> list[dict]:
    try:
        machine.check_parts(for_bpy=not state["blenders"])
    except RecoverError as error:
        return [_entry(error.message, error.fix)]
    return []


def _engine_problems(state: dict) -> list[dict]:
    if state["torch"] is None:
        return [_entry("The engine is not installed.", _SETUP)]
    found = []
    if stamp("env engine") != key_of(packages.lock("engine")):
        found.append(_entry("The engine's packages are not the pinned ones.", _SETUP))
    parts = [part for part in [*state["models"], state["body"]] if part["state"] != "ready"]
    return found + [_entry(f"{part['name']} is {part['state']}.", _SETUP) for part in parts]


def _added_problems(state: dict) -> list[dict]:
    on = [model for model in state["added"] if model["on"]]
    found = [
        _entry(f"The added model {model['name']} is {model['state']}: {model['path']}.",
               f"Run `ghmr models add FILE` again, or `ghmr models off {model['name']}`.")
        for model in on if model["state"] in ("missing", "changed")
    ]  # fmt: skip
    if any(model["name"] == "vitpose" for model in on) and state["torch"] and not state["torch"]["transformers"]:
        found.append(_entry("ViTPose is on, but transformers is not installed.", "docs/models.md has the line."))
    return found


def _entry(what: str, fix: str) -> dict:
    return {"what": what, "fix": fix}


def _lines(state: dict) -> list[str]:
    torch = state["torch"]
    lines = [
        f"Recover Motion {state['version']}",
        f"  home      {state['home']}  ({size(state['disk_free_bytes'])} free)",
        f"  python    {state['python'] or 'no environment'}",
        f"  torch     {torch['version'] + ' on ' + (torch['gpu'] or 'the CPU') if torch else 'not installed'}",
    ]
    parts = [*state["models"], state["body"]]
    lines += [f"  model     {part['name']}: {part['state']}, {part['licence']}" for part in parts]
    lines += [f"  added     {model['name']}: {model['state']}, {model['licence']}" for model in state["added"]]
    lines += [f"  bpy       {version}" for version, there in state["bpy"].items() if there]
    lines += [f"  Blender   {found['version']}  {found['program']}" for found in state["blenders"]]
    for kind, entries in (("Missing", state["problems"]), ("Note", state["notes"])):
        lines += [f"{kind}: {entry['what']}\n  What to do: {entry['fix']}" for entry in entries]
    return [*lines, "Everything is ready." if state["ready"] else "Not ready."]
