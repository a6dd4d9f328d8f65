"""Set-up, top to bottom: look first, then the engine's environment, the models, the body, and Blender as a module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ghmr_engine import __version__, installed, places
from installer import ROOT, addon, child, machine, models, packages
from installer.show import Step, say
from installer.stamps import key_of, only_one, set_stamp, stamp, write_whole

STEPS = ("Environment", "Packages", "PyTorch", "Engine", "Models", "Open body", "Self-test")
"""What the engine's steps are called, in their order."""

# Measured on Linux, with what pip keeps while it unpacks; CUDA's libraries make the difference.
_ENGINE_BYTES, _CUDA_BYTES, _BPY_BYTES = 3_000_000_000, 5_500_000_000, 1_600_000_000

_SAID = "self-test said"
_SELF_TEST = """
import json, time
import numpy, torch
from ai_edge_litert.interpreter import Interpreter
from ghmr_engine.models import model_file
net = Interpreter(model_path=str(model_file("pose_landmark_full")), num_threads=2)
net.allocate_tensors()
entry = net.get_input_details()[0]
net.set_tensor(entry["index"], numpy.zeros(entry["shape"], numpy.float32))
net.invoke()
began = time.perf_counter()
for _ in range(10):
    net.invoke()
cuda = torch.cuda.is_available()
print(json.dumps({"landmarks_ms": round(100 * (time.perf_counter() - began), 1), "torch": torch.__version__,
                  "device": torch.cuda.get_device_name() if cuda else "cpu"}))
"""


def set_up(wheels: Path | None = None, blenders: tuple[str, ...] = (), tests: bool = False) -> None:
    """Install the engine, its models and body, and the bpy wheels in `blenders`; what is done already is left alone.

    Raises RecoverError with what is wrong and what to do, before the long steps where it can be known before.
    """
    with only_one():
        gpu = machine.gpu_name()
        _check(gpu, blenders)
        env = places.env_dir()
        packages.ensure_env(env, Path(sys.executable), "Environment")
        packages.ensure_lock(env, "engine", "Packages", wheels)
        packages.ensure_torch(env, gpu, wheels)
        if tests:
            packages.ensure_lock(env, "test", "Test tools", wheels)
        source = _point_at_source(env)
        models.ensure_models(wheels)
        models.ensure_body()
        for version in blenders:
            packages.ensure_bpy(version, wheels)
        _self_test()
        _record(source)


def blender_for_here() -> str | None:
    """The bpy wheel to build scenes with: the oldest, for which this machine has a Python; None where it has none."""
    return next((version for version in ("4.2.23", "5.2.3") if machine.find_python(machine.BPY_PYTHON[version])), None)


def _check(gpu: str | None, blenders: tuple[str, ...]) -> None:
    """Everything that can be known to be missing before the first download."""
    missing_blenders = [version for version in blenders if not packages.has_bpy(version)]
    machine.check_parts(for_bpy=bool(missing_blenders))
    needed = 0
    if not stamp("env torch"):
        needed += _CUDA_BYTES if gpu else _ENGINE_BYTES
    for version in missing_blenders:
        packages.python_for_bpy(version)
        needed += _BPY_BYTES
    if needed:
        machine.check_disk(needed)
        say(f"Setting up in {places.home()} (log: {child.log_file().name}; at most {needed / 1e9:.1f} GB of disk)")


def _point_at_source(env: Path) -> Path:
    """Let the environment import the engine: from this folder, or, where this is Blender's extension, from a copy.

    Returns the folder.
    """
    if addon.is_extension():
        with Step("Engine"):
            source = addon.lay_out("engine") / addon.PACKAGE
    else:
        source = ROOT
    key = key_of(str(source))
    if stamp("env source") != key:
        packages.point_at_source(env, source)
        set_stamp("env source", key)
    return source


def _self_test() -> None:
    key = key_of(str(stamp("env torch")), str(stamp("env engine")), _SELF_TEST)
    if stamp("self-test") == key and stamp(_SAID):
        return
    with Step("Self-test") as step:
        set_stamp("self-test", None)
        code, said = child.run_logged([places.engine_python(), "-c", _SELF_TEST], lambda _line: None, step.tick)
        if code:
            raise packages.failed_self_test(said)
    found = json.loads(said[-1])
    say(f"  torch {found['torch']} on {found['device']}; landmarks of one person take {found['landmarks_ms']} ms")
    set_stamp(_SAID, said[-1])
    set_stamp("self-test", key)


def _record(source: Path) -> None:
    """Write for the add-on what is installed now."""
    found = json.loads(stamp(_SAID))
    content = installed.encode(
        installed.Installed(
            __version__, installed.code_key(source), installed.packages_key(source), str(source), addon.is_extension(),
            found["torch"], found["device"], found["landmarks_ms"],
        )
    )  # fmt: skip
    path = installed.record_path()
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)
