"""`ghmr models` from outside, and what an added model does to a take: its list, its licence, its kept results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ghmr_engine import places
from ghmr_engine.body.smpl import load_body
from ghmr_engine.checkpoints import SMPL_SHAPES
from ghmr_engine.lift.observations import Observations, guess_from
from ghmr_engine.lift.predict import Prediction
from ghmr_engine.motion_file import read_motion

STAND_INS = Path(__file__).with_name("stand_ins.py")


@pytest.fixture
def home(tmp_path) -> dict[str, str]:
    """An environment with an empty home folder."""
    path = str(STAND_INS.parent.parent)
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", places.HOME_VARIABLE: str(tmp_path / "home")}


@pytest.fixture
def smpl(tmp_path) -> Path:
    """A file of SMPL's names and shapes, with random numbers."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.random([10 if side is None else side for side in shape]) for name, shape in SMPL_SHAPES.items()}
    parents = [4294967295, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
    arrays |= {"kintree_table": np.stack([parents, np.arange(24)]), "f": np.zeros((13776, 3), np.uint32)}
    np.savez(tmp_path / "SMPL_NEUTRAL.npz", **arrays)
    return tmp_path / "SMPL_NEUTRAL.npz"


def ghmr(home, *words, program=("-m", "ghmr_engine.cli")):
    return subprocess.run(
        [sys.executable, *program, *map(str, words)], env=home, capture_output=True, text=True, check=False, timeout=120
    )


def recovered(home, tmp_path, **more):
    clip, out = tmp_path / "walk.mp4", tmp_path / "walk.motion.npz"
    clip.write_bytes(b"a clip")
    words = ("recover", clip, "--out", out, "--cache", tmp_path / "cache")
    return ghmr({**home, **more}, "plain", *words, program=[str(STAND_INS)]), out


def test_a_take_made_with_a_research_only_body_says_so_until_it_is_switched_off(home, smpl, tmp_path):
    assert ghmr(home, "models", "add", smpl).returncode == 0
    done, out = recovered(home, tmp_path)
    assert done.returncode == 0, done.stderr
    meta = read_motion(out).meta
    (entry,) = (model for model in meta["models"] if model["name"] == "smpl")
    assert meta["licence"] == "research-only" and "licence: research-only" in done.stdout
    assert "research only" in entry["licence"] and len(entry["sha256"]) == 64
    assert ghmr(home, "models", "off", "smpl").returncode == 0
    done, out = recovered(home, tmp_path)
    meta = read_motion(out).meta
    assert meta["licence"] == "open" and "smpl" not in [model["name"] for model in meta["models"]]


def test_another_body_repeats_the_lift_but_not_the_search_for_people(home, smpl, tmp_path):
    log = tmp_path / "stages.log"
    recovered(home, tmp_path, STAND_IN_LOG=str(log))
    log.write_text("")
    ghmr(home, "models", "add", smpl)
    recovered(home, tmp_path, STAND_IN_LOG=str(log))
    ran = log.read_text().split()
    assert "lift" in ran and "world" in ran and "people" not in ran and "camera" not in ran


def test_a_take_names_the_lifting_weights(home, tmp_path):
    _, out = recovered(home, tmp_path)
    (lift,) = (model for model in read_motion(out).meta["models"] if model["name"] == "lift")
    assert lift["licence"] == "CC0-1.0" and len(lift["sha256"]) == 64


def test_a_model_that_moved_is_one_line_and_nothing_is_written(home, smpl, tmp_path):
    ghmr(home, "models", "add", smpl)
    smpl.rename(tmp_path / "elsewhere.npz")
    done, out = recovered(home, tmp_path)
    assert done.returncode == 2 and not out.exists()
    assert len(done.stderr.splitlines()) == 1 and "ghmr models off smpl" in done.stderr


def test_a_file_that_was_only_touched_is_still_the_same(home, smpl):
    ghmr(home, "models", "add", smpl)
    os.utime(smpl, (1, 1))
    (entry,) = (m for m in json.loads(ghmr(home, "models", "--json").stdout)["models"] if m["name"] == "smpl")
    assert entry["state"] == "on"


def test_the_table_has_every_model_with_its_licence(home):
    lines = ghmr(home, "models").stdout.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "ALLOWED", "LICENCE", "USE"]
    rows = {line.split()[0]: line for line in lines[1:]}
    assert {"pose_detection", "pose_landmark_full", "lift", "open_body", "wham", "hmr2", "vitpose", "smpl", "humor",
            "vposer"} <= set(rows)  # fmt: skip
    assert "missing" in rows["pose_detection"] and "not added" in rows["smpl"]
    assert "research only" in rows["wham"] and "research only" not in rows["vitpose"]
    assert "research only" in rows["humor"] and "research only" in rows["vposer"]
    assert "install.py setup" in lines[-1]


def test_json_answers_have_the_entry_or_the_error(home, smpl):
    added = json.loads(ghmr(home, "models", "add", smpl, "--json").stdout)
    assert (added["name"], added["state"], added["open"], added["path"]) == ("smpl", "on", False, str(smpl))
    failed = ghmr(home, "models", "on", "wham", "--json")
    assert failed.returncode == 2 and json.loads(failed.stdout)["code"] == "not_added"


def test_the_open_network_s_shape_counts_for_the_open_body_alone(smpl):
    body = load_body(smpl)
    few = torch.eye(3).expand(2, 24, 3, 3)
    said = Prediction(
        few, torch.zeros(2, 3), torch.ones(10), *[torch.zeros(2, 3)] * 2, torch.zeros(2, 4), torch.ones(2, 24)
    )
    seen = Observations(**{name: torch.eye(3).expand(2, 3, 3) for name in Observations.__dataclass_fields__})
    theirs, ours = guess_from(said, seen, body), guess_from(said, seen, replace(body, name="open body"))
    assert theirs.betas.shape == (2, 10) and (theirs.betas == 0).all() and (ours.betas[:, 1:] == 1).all()
    assert (ours.betas[:, 0] == 0).all()  # of middle size: no picture tells
    assert (theirs.joints - ours.joints).abs().max() > 1e-3
