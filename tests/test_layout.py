"""The layout's rules: who imports whom, how long a file may be, what nobody may call."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
PROGRAMS = ("ghmr_engine", "blender_addon", "installer")
STAGES = {"video", "people", "camera", "lift", "world", "refine"}
ALLOWED_IN_STAGES = {
    "types",
    "geometry",
    "body",
    "options",
    "errors",
    "models",
    "progress",
    "skeleton",
    "energy",
    "lie",
    "places",
    "checkpoints",
    "crops",
    "quality",
    "own_weights",
    "part_files",
    "plain_files",
}
LONGEST = 400
SHELLS = {"os.system", "os.popen", "os.startfile", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn",
          "asyncio.create_subprocess_shell", "eval", "exec"}  # fmt: skip
WRITERS = {"write_text", "write_bytes", "touch", "save_as_mainfile", "copyfile", "copy2", "copytree", "imwrite",
           "save_file", "extractall"}  # fmt: skip
WRITES_OTHERWISE = {
    "blender_addon/bases.py": "an empty file that takes a name, and a probe whether a folder can be written",
    "blender_addon/exports/writers.py": "into the part that it is given, as Blender's exporters do",
    "blender_addon/headless.py": "saves to the part that it is given, by a function of its own",
    "blender_addon/places_of_takes.py": "an empty file that takes a name until the take is there",
    "ghmr_engine/batch/farm.py": "a log, which is read while it grows",
    "ghmr_engine/child_process.py": "a log, which is read while it grows",
    "ghmr_engine/cache.py": "to a part whose name tempfile chooses",
    "ghmr_engine/native_output.py": "the terminal",
    "ghmr_engine/output.py": "a probe whether a folder can be written",
    "ghmr_engine/serve.py": "the pipe that it answers on",
    "installer/addon.py": "into a folder that is renamed when it is whole",
    "installer/child.py": "a log, which is read while it grows",
    "installer/stamps.py": "a lock, in which nothing is read; all else goes by its own part",
}
"""Who may write without a part, and why."""
RUN_BY_BLENDER = "ghmr_engine/evaluate/in_blender.py"
"""Given to Blender as a script, never imported."""


def sources(*folders: str) -> list[Path]:
    files = [path for folder in folders for path in sorted((REPO / folder).rglob("*.py"))]
    assert files, f"no sources in {folders}"
    return files


def imports(path: Path) -> set[str]:
    """Full names of what a file imports; relative imports are resolved against its place in the project."""
    package = path.relative_to(REPO).parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (start, node.module) if part)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def where(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


@pytest.mark.parametrize("path", sources("blender_addon"), ids=where)
def test_the_addon_never_imports_the_engine_s_libraries(path):
    assert not tops(path) & {"torch", "cv2", "smplx", "av", "anny", "scipy", "ai_edge_litert", "typer", "tqdm", "roma"}


@pytest.mark.parametrize("path", sources("blender_addon"), ids=where)
def test_the_addon_imports_its_own_parts_relatively(path):
    assert not tops(path) & {"ghmr_engine", "installer", "recover_motion"}


@pytest.mark.parametrize("path", sources("ghmr_engine", "installer"), ids=where)
def test_only_the_addon_imports_blender(path):
    allowed = {"bpy", "mathutils"} if where(path) == RUN_BY_BLENDER else set()
    assert not tops(path) & ({"bpy", "mathutils", "bmesh", "blender_addon", "recover_motion"} - allowed)


def test_nothing_imports_what_blender_runs():
    for path in sources(*PROGRAMS, "tests"):
        assert not [name for name in imports(path) if name.startswith("ghmr_engine.evaluate.in_blender")]
    assert tops(REPO / RUN_BY_BLENDER) <= set(sys.stdlib_module_names) | {"bpy", "mathutils", "numpy"}


@pytest.mark.parametrize("path", [REPO / "install.py", *sources("installer")], ids=where)
def test_the_installer_needs_the_standard_library_only(path):
    allowed = set(sys.stdlib_module_names) | {"installer", "ghmr_engine"}
    assert tops(path) <= allowed
    engine = {name.split(".")[1] for name in imports(path) if name.startswith("ghmr_engine.")}
    assert engine <= {"places", "models", "added_models", "errors", "options", "installed", "__version__"}


@pytest.mark.parametrize(
    "name",
    [
        "places",
        "models",
        "added_models",
        "errors",
        "options",
        "edits",
        "protocol",
        "progress",
        "installed",
        "__init__",
        "child_process",
        "engine_client",
        "batch/__init__",
        "batch/manifest",
        "batch/lock",
        "batch/clips",
    ],
)
def test_plain_files_of_the_engine_need_the_standard_library_only(name):
    assert tops(REPO / "ghmr_engine" / f"{name}.py") <= set(sys.stdlib_module_names) | {"ghmr_engine"}


@pytest.mark.parametrize("name", ["motion_file", "motion_check", "part_files", "plain_files", "body/skeleton", "amass"])
def test_what_the_addon_carries_needs_numpy_at_most(name):
    path = REPO / "ghmr_engine" / f"{name}.py"
    assert tops(path) <= set(sys.stdlib_module_names) | {"numpy", "ghmr_engine"}
    ours = {".".join(each.split(".")[1:-1]) for each in imports(path) if each.startswith("ghmr_engine.")}
    assert ours <= {"motion_file", "motion_check", "part_files", "plain_files", "body.skeleton"}


@pytest.mark.parametrize("path", sources("ghmr_engine"), ids=where)
def test_stages_import_themselves_and_the_shared_records(path):
    parts = path.relative_to(REPO / "ghmr_engine").with_suffix("").parts
    if parts[0] not in STAGES:
        return
    # A stage that takes an earlier stage's result by its type names that type where it is defined.
    types_of_earlier = {"ghmr_engine.video.Video", "ghmr_engine.video.open_video"}
    for name in imports(path) - types_of_earlier:
        if name.startswith("ghmr_engine."):
            assert name.split(".")[1] in ALLOWED_IN_STAGES | {parts[0]}, f"{where(path)} imports {name}"


@pytest.mark.parametrize("path", sources(*PROGRAMS), ids=where)
def test_nothing_imports_training_or_evaluation(path):
    parts = path.relative_to(REPO).parts
    if parts[:2] in (("ghmr_engine", "train"), ("ghmr_engine", "evaluate")):
        return
    if parts == ("ghmr_engine", "cli.py"):  # the commands' own door, which loads nothing before a command runs
        assert [name for name in imports(path) if "evaluate" in name] == ["ghmr_engine.evaluate.command.add_evaluation"]
        return
    assert not [name for name in imports(path) if re.match(r"ghmr_engine\.(train|evaluate)\b", name)]


@pytest.mark.parametrize("path", [REPO / "install.py", *sources(*PROGRAMS, "tests")], ids=where)
def test_files_are_short_enough_to_hold_one_thing(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [REPO / "install.py", *sources(*PROGRAMS)], ids=where)
def test_nobody_touches_the_import_path(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bsys\.path\b|\bsys\.modules\b|\bsite\.addsitedir\b", text)


@pytest.mark.parametrize("path", sources(*PROGRAMS), ids=where)
def test_no_checkpoint_is_unpickled(path):
    text = path.read_text(encoding="utf-8")
    for call in re.findall(r"torch\.load\([^)]*\)", text):
        assert "weights_only=True" in call, f"{where(path)}: {call}"
    assert "allow_pickle=True" not in text
    assert not tops(path) & {"pickle", "joblib", "dill"}


@pytest.mark.parametrize("path", [REPO / "install.py", *sources(*PROGRAMS)], ids=where)
def test_no_shell_is_ever_given_a_word(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name, at = ast.unparse(node.func), f"{where(path)}:{node.lineno}"
        assert name not in SHELLS, f"{at} calls {name}"
        assert "shell" not in {keyword.arg for keyword in node.keywords}, f"{at} gives shell="
        if name.startswith("subprocess.") and name != "subprocess.TimeoutExpired":
            assert not isinstance(node.args[0], (ast.Constant, ast.JoinedStr, ast.BinOp)), f"{at} runs one string"


@pytest.mark.parametrize("path", [REPO / "install.py", *sources(*PROGRAMS)], ids=where)
def test_files_are_written_under_another_name_and_renamed(path):
    """Every call that writes names a part, or its file is listed with the reason."""
    if where(path).startswith(("ghmr_engine/train/", "ghmr_engine/evaluate/")) or where(path) in WRITES_OTHERWISE:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and (written := written_by(node)):
            assert re.search(r"part\b|part_of", written), f"{where(path)}:{node.lineno}: {written}"


def written_by(node: ast.Call) -> str:
    """A call that writes, as source; empty for others."""
    last = ast.unparse(node.func).split(".")[-1]
    modes = [ast.unparse(each) for each in (*node.args, *(key.value for key in node.keywords if key.arg == "mode"))]
    opens = last in ("open", "fdopen") and any(re.fullmatch(r"'[rwxabt+]*[wxa+][rwxabt+]*'", mode) for mode in modes)
    return ast.unparse(node) if opens or last in WRITERS else ""


@pytest.mark.parametrize("path", sources(*PROGRAMS), ids=where)
def test_modules_are_named_for_what_they_hold(path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_ruff_finds_nothing():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_pinned_dependency_is_locked_as_pinned():
    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    locks = "".join((REPO / "assets" / f"requirements-{name}.txt").read_text() for name in ("engine", "torch", "test"))
    pins = re.findall(r'^\s+"([\w.-]+==[\w.]+)"', text, re.MULTILINE)
    assert len(pins) > 10
    missing = [pin for pin in pins if not re.search(rf"^{re.escape(pin)}[ \\\n]", locks, re.MULTILINE)]
    assert not missing, f"run .ci/lock: {missing}"


def test_every_locked_package_has_hashes():
    for lock in (REPO / "assets").glob("requirements-*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
        assert all("--hash=sha256:" in entry for entry in entries if not entry.startswith("#"))
