"""install.py for real: environments from wheels made here, no network, and each way in which set-up can be refused."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from ghmr_engine import places
from ghmr_engine.added_models import remember, switch
from ghmr_engine.errors import RecoverError
from installer import addon, child, machine, packages, stamps

REPO = Path(__file__).resolve().parent.parent
HAS_SETUP = (places.home() / "setup.json").is_file()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home folder of Recover Motion."""
    monkeypatch.setenv(places.HOME_VARIABLE, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def install(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run install.py as a user would."""
    command = [sys.executable, str(REPO / "install.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)


def make_wheel(folder: Path, content: str = "value = 1\n") -> str:
    """A wheel `tiny 1.0` with one module; returns its SHA-256."""
    folder.mkdir(exist_ok=True)
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": content,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={_record_hash(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def fresh_home(tmp_path_factory) -> Path:
    """A home folder with a new, empty environment."""
    folder = tmp_path_factory.mktemp("fresh") / "home"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(places.HOME_VARIABLE, str(folder))
        packages.ensure_env(places.env_dir(), Path(sys.executable), "Environment")
    return folder


@pytest.fixture
def tiny(home, fresh_home, tmp_path, monkeypatch):
    """Wheels and locks of a project whose only package is `tiny`, and a new environment; returns the wheels' folder."""
    shutil.copytree(fresh_home, home, symlinks=True, dirs_exist_ok=True)
    digest = make_wheel(tmp_path / "wheels")
    monkeypatch.setattr(packages, "ASSETS", tmp_path)
    (tmp_path / "requirements-tiny.txt").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    return tmp_path / "wheels"


def value_in_env() -> str | None:
    return child.ask([places.engine_python(), "-c", "import tiny; print(tiny.value)"])


def test_packages_are_installed_once_and_then_left_alone(tiny):
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert value_in_env() == "1"
    log, done = child.log_file().read_bytes(), (places.home() / "setup.json").read_bytes()
    packages.ensure_env(places.env_dir(), Path(sys.executable), "Environment")
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert child.log_file().read_bytes() == log
    assert (places.home() / "setup.json").read_bytes() == done


def test_an_altered_package_is_refused(tiny):
    make_wheel(tiny, "value = 'evil'\n")
    with pytest.raises(RecoverError) as raised:
        packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert raised.value.code == "hash_mismatch"
    assert value_in_env() is None


def test_an_installation_that_was_cut_off_is_done_again(tiny):
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    half = child.ask([places.engine_python(), "-c", "import tiny; print(tiny.__file__)"])
    Path(half).write_text("")
    stamps.set_stamp("env tiny", None)
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert value_in_env() == "1"


def test_an_environment_that_does_not_start_is_made_again(tiny):
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    places.engine_python().unlink()
    packages.ensure_env(places.env_dir(), Path(sys.executable), "Environment")
    assert stamps.stamp("env tiny") is None
    packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert value_in_env() == "1"


def test_without_network_one_line_says_so(tiny, monkeypatch):
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(RecoverError) as raised:
        packages.ensure_lock(places.env_dir(), "tiny", "Packages", None)
    assert raised.value.code == "no_network"
    assert "\n" not in raised.value.message
    assert stamps.begun("env tiny")


def test_a_package_that_is_not_there_is_named(tiny):
    (tiny / "tiny-1.0-py3-none-any.whl").unlink()
    with pytest.raises(RecoverError, match=r"tiny==1\.0") as raised:
        packages.ensure_lock(places.env_dir(), "tiny", "Packages", tiny)
    assert raised.value.code == "not_available"


def test_the_engine_is_imported_from_the_folder_with_install_py(tiny):
    packages.point_at_source(places.env_dir(), REPO)
    found = child.ask([places.engine_python(), "-c", "import ghmr_engine; print(ghmr_engine.__file__)"])
    assert Path(found) == REPO / "ghmr_engine" / "__init__.py"


def test_leaked_variables_of_another_python_do_not_reach_ours(tiny, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    assert child.ask([places.engine_python(), "-c", "import sys; print('/nowhere' in sys.path)"]) == "False"


def test_an_old_python_is_told_which_one_is_needed():
    source = (REPO / "install.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path('install.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 1
    assert "3.11 to 3.14; this is Python 3.9" in done.stderr
    assert "python3.11-venv" in done.stderr


def test_missing_system_packages_come_in_one_command(monkeypatch):
    parts = (
        machine.SystemPart("libnot1.so.1", "libnot1", "not1"),
        machine.SystemPart("libnot2.so.1", "libnot2", "not2"),
    )
    monkeypatch.setattr(machine, "BPY_LIBRARIES", parts)
    monkeypatch.setattr(machine, "_makes_environments", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(RecoverError) as raised:
        machine.check_parts(for_bpy=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"{version}-venv libnot1 libnot2" in raised.value.fix or "not1 not2" in raised.value.fix
    assert "libnot2.so.1" in raised.value.message


def test_a_small_disk_is_found_before_the_download(home):
    with pytest.raises(RecoverError, match="free") as raised:
        machine.check_disk(10**18)
    assert raised.value.code == "disk_full"


def test_two_set_ups_at_once_do_not_mix(home):
    hold = "from installer import stamps\nwith stamps.only_one():\n    print('held', flush=True)\n    input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RecoverError) as raised, stamps.only_one():
            pass
        assert raised.value.code == "setup_running"
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    with stamps.only_one():
        assert (home / "setup.lock").exists()


def test_doctor_in_an_empty_home_says_what_to_do(home):
    done = install("doctor", "--json")
    assert done.returncode == 1
    state = json.loads(done.stdout)
    assert state["python"] is None
    assert not state["ready"]
    assert all(entry["what"] and entry["fix"] for entry in state["problems"])
    assert {model["licence"] for model in state["models"]} == {"Apache-2.0"}
    assert list(home.iterdir()) == []


def test_doctor_names_added_models_and_what_became_of_them(home, tmp_path):
    for name in ("vitpose", "wham"):
        (tmp_path / name).write_bytes(b"numbers")
        remember(name, tmp_path / name)
    (tmp_path / "wham").unlink()
    state = json.loads(install("doctor", "--json").stdout)
    assert {model["name"]: model["state"] for model in state["added"]} == {"vitpose": "on", "wham": "missing"}
    (problem,) = (entry for entry in state["problems"] if "wham" in entry["what"])
    assert "ghmr models off wham" in problem["fix"]
    switch("wham", on=False)  # what is left out keeps no clip from becoming a scene
    assert not [
        entry for entry in json.loads(install("doctor", "--json").stdout)["problems"] if "wham" in entry["what"]
    ]
    assert "added     vitpose: on, Apache-2.0" in install("doctor").stdout


def test_uninstall_removes_the_home_and_nothing_else(home):
    assert install("uninstall", "--yes").returncode == 1
    assert home.exists()
    stamps.set_stamp("anything", "done")
    assert install("uninstall", "--yes").returncode == 0
    assert not home.exists()
    assert home.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.mp4", "--out", "a.blend"], "nothing.mp4"),
        (["clip.mp4", "--out", "a.mp4"], ".blend"),
        (["clip.mp4", "--out", "no/such/folder/a.blend"], "cannot be written"),
    ],
)
def test_bad_paths_are_refused_before_anything_is_set_up(home, tmp_path, arguments, said):
    (tmp_path / "clip.mp4").write_bytes(b"")
    arguments = [str(tmp_path / part) if "." in part and not part.startswith("--") else part for part in arguments]
    done = install("recover", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "What to do: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(home.iterdir()) == []


def test_the_extension_is_the_same_bytes_each_time(tmp_path):
    first, second = addon.build_zip(tmp_path / "a.zip"), addon.build_zip(tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert names == sorted(names)
    for name in ("__init__.py", "blender_manifest.toml", "install.py", "ghmr_engine/motion_file.py", "LICENSE"):
        assert name in names
    assert not [name for name in names if "__pycache__" in name or "/." in name or name.endswith((".mp4", ".pyc"))]
    assert not [name for name in names if name.startswith(("tests/", "docs/", "ghmr_engine/train/"))]


def test_the_installed_extension_builds_the_same_extension(tmp_path):
    built = addon.build_zip(tmp_path / "a.zip")
    zipfile.ZipFile(built).extractall(tmp_path / "recover_motion")
    again = subprocess.run(
        [sys.executable, "install.py", "addon", "--out", str(tmp_path / "b.zip")],
        cwd=tmp_path / "recover_motion",
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "b.zip").read_bytes() == built.read_bytes()


def test_the_engine_inside_the_extension_has_its_command_line(tmp_path):
    """It comes without evaluation and training, which the command line once could not do without."""
    folder = tmp_path / "recover_motion"
    zipfile.ZipFile(addon.build_zip(tmp_path / "a.zip")).extractall(folder)
    assert (folder / "assets" / "lift.safetensors").is_file()
    done = subprocess.run(
        [sys.executable, "-c", "import ghmr_engine.cli as cli; print(cli.__file__); cli.app(['recover', '--help'])"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(folder)) and "--quality" in done.stdout


@pytest.mark.parametrize("name", ["notes.docx", "notes.txt", "two words.py"])
def test_a_stray_file_stops_the_extension(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(RecoverError) as raised:
        addon.extension_files(tmp_path)
    assert raised.value.code == "stray_file"


@pytest.mark.skipif(not HAS_SETUP, reason="nothing is set up here: run `python3 install.py setup`")
def test_a_second_run_is_quick_and_changes_nothing():
    before = (places.home() / "setup.json").read_bytes()
    log = child.log_file().stat().st_size
    began = time.monotonic()
    done = install("setup", "--engine-only")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 5
    assert (places.home() / "setup.json").read_bytes() == before
    assert child.log_file().stat().st_size == log
