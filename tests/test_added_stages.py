"""`ghmr recover` with the user's own models: drawn checkpoints of the published names and sizes, by a user's path."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from test_humor import drawn as humor_checkpoint
from test_vposer import drawn as vposer_checkpoint
from test_wham_inputs import checkpoint

from ghmr_engine import places
from ghmr_engine.added_models import remember, switched_on
from ghmr_engine.added_stages import AddedStages
from ghmr_engine.lift.hmr2.network import PUBLISHED, Hmr2
from ghmr_engine.motion_file import read_motion
from ghmr_engine.people.vitpose import taken_over
from ghmr_engine.posed import rotation_matrices
from ghmr_engine.types import Track

FRAMES = 24


@pytest.fixture
def home(tmp_path, monkeypatch) -> dict[str, str]:
    """A home folder that has what set-up fetched, and no added models."""
    there = places.models_dir()
    mine = tmp_path / "home"
    monkeypatch.setenv(places.HOME_VARIABLE, str(mine))
    places.models_dir().mkdir(parents=True)
    for file in there.iterdir():
        if file.is_file() and file.name != "added.json":
            (places.models_dir() / file.name).symlink_to(file)
    return dict(os.environ)


def ghmr(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "ghmr_engine.cli", *map(str, words)],
        env=home, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


def recovered(home, clip, out, *words):
    done = ghmr(home, "recover", clip, "--out", out, "--end", FRAMES - 1, "--cache", out.parent / "cache", *words)
    assert done.returncode == 0, done.stderr
    return read_motion(out)


def finite(motion) -> bool:
    return all(
        np.isfinite(getattr(person, name)).all()
        for person in motion.people.values() for name in ("poses", "transl", "betas", "contacts")
    )  # fmt: skip


def apart(a, b) -> float:
    """Mean angle between two takes' first people's joints, radians."""
    one, other = (rotation_matrices(np.asarray(m.people["1"].poses, float)) for m in (a, b))
    trace = np.einsum("...ij,...ij->...", one, other)
    return float(np.arccos(((trace - 1) / 2).clip(-1, 1)).mean())


def test_wham_s_checkpoint_changes_the_take_and_its_licence_until_it_is_off(home, demo_clip, tmp_path):
    without = recovered(home, demo_clip, tmp_path / "a.motion.npz", "--quality", "fast")
    file = tmp_path / "wham_vit_bedlam_w_3dpw.pth.tar"
    torch.save({"model": checkpoint(6890), "epoch": 3, "best_performance": np.float64(51.5)}, file)
    said = ghmr(home, "models", "add", file)
    assert said.returncode == 0 and said.stdout.startswith("WHAM"), said.stderr
    taken = recovered(home, demo_clip, tmp_path / "b.motion.npz", "--quality", "fast")
    used = {model["name"] for model in taken.meta["models"]}
    assert taken.meta["licence"] == "research-only" and {"wham", "SMPL", "pose_detection"} <= used
    assert "open_body" not in used
    assert finite(taken) and apart(without, taken) > 0.1
    assert taken.people["1"].vertices.shape == (6890, 3)
    # What was seen is the same, and kept; the lift is another.
    assert set(taken.meta["cached"]) == {"people", "camera"}
    again = recovered(home, demo_clip, tmp_path / "c.motion.npz", "--quality", "fast")
    assert {"people", "camera", "lift", "world"} <= set(again.meta["cached"])
    np.testing.assert_array_equal(again.people["1"].poses, taken.people["1"].poses)
    fitted = recovered(home, demo_clip, tmp_path / "d.motion.npz")
    assert finite(fitted) and apart(fitted, taken) > 0.01
    assert ghmr(home, "models", "off", "wham").returncode == 0
    back = recovered(home, demo_clip, tmp_path / "e.motion.npz", "--quality", "fast")
    assert back.meta["licence"] == "open"
    np.testing.assert_array_equal(back.people["1"].poses, without.people["1"].poses)


def test_hmr2_without_wham_and_smpl_beside_wham_are_not_used(home, tmp_path):
    for name in ("hmr2", "smpl"):
        (tmp_path / name).write_bytes(b"x")
        remember(name, tmp_path / name)
    assert set(AddedStages(switched_on(), "cpu").on) == {"smpl"}
    (tmp_path / "wham").write_bytes(b"x")
    remember("wham", tmp_path / "wham")
    assert set(AddedStages(switched_on(), "cpu").on) == {"wham", "hmr2"}


def test_humor_s_and_vposer_s_checkpoints_change_takes_of_the_best_level_alone(home, demo_clip, tmp_path):
    best = recovered(home, demo_clip, tmp_path / "a.motion.npz", "--quality", "best")
    assert {"motion_prior", "pose_prior"} <= {model["name"] for model in best.meta["models"]}
    assert best.meta["licence"] == "open" and best.meta["refinement"]["kept"]
    torch.save({"model": humor_checkpoint(), "epoch": 5}, tmp_path / "best_model.pth")
    torch.save({"state_dict": {f"vp_model.{name}": x for name, x in vposer_checkpoint().items()}}, tmp_path / "v.ckpt")
    for file, title in (("best_model.pth", "HuMoR"), ("v.ckpt", "VPoser")):
        said = ghmr(home, "models", "add", tmp_path / file)
        assert said.returncode == 0 and said.stdout.startswith(title), said.stderr
    added = AddedStages(switched_on(), "cpu")
    assert added.on == {} and set(added.priors) == {"humor", "vposer"}
    taken = recovered(home, demo_clip, tmp_path / "b.motion.npz", "--quality", "best")
    assert taken.meta["licence"] == "research-only"
    names = {model["name"] for model in taken.meta["models"]}
    assert {"humor", "vposer"} <= names and not names & {"motion_prior", "pose_prior"}
    assert finite(taken) and set(taken.meta["cached"]) == {"people", "camera", "lift", "world"}
    assert taken.meta["refinement"]["energy"] != best.meta["refinement"]["energy"]
    usual = recovered(home, demo_clip, tmp_path / "c.motion.npz")
    assert usual.meta["licence"] == "open" and not {model["name"] for model in usual.meta["models"]} & names - {
        model["name"] for model in best.meta["models"]
    }


def test_vitpose_s_sure_keypoints_replace_the_landmarks_that_they_name():
    chance = np.random.default_rng(0)
    keypoints = np.concatenate([chance.uniform(0, 100, (3, 33, 2)), np.full((3, 33, 1), 0.9)], -1)
    seen = np.array([True, True, False])
    track = Track(1, np.arange(3), np.zeros((3, 4)), keypoints, np.zeros((3, 33, 3)), seen)
    coco = np.concatenate([np.full((3, 17, 2), 150.0), np.full((3, 17, 1), 0.8)], -1)
    coco[:, 9, 2] = 0.1
    taken = taken_over(track, coco)
    left_shoulder, left_wrist, left_heel = 11, 15, 29
    np.testing.assert_array_equal(taken.keypoints[:2, left_shoulder], [[150, 150, 0.8]] * 2)
    np.testing.assert_array_equal(taken.keypoints[:2, left_wrist], [[*p, 0.1] for p in keypoints[:2, left_wrist, :2]])
    np.testing.assert_array_equal(taken.keypoints[:, left_heel], keypoints[:, left_heel])
    np.testing.assert_array_equal(taken.keypoints[2], keypoints[2])
    assert taken.boxes[0, 2] == 150 and taken.boxes[2, 2] < 100
    np.testing.assert_array_equal(track.keypoints, keypoints)


@pytest.mark.slow
def test_hmr2_s_and_vitpose_s_checkpoints_run_by_the_same_path(home, demo_clip, tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed")
    wham = tmp_path / "wham.pth.tar"
    torch.save({"model": checkpoint(6890)}, wham)
    hmr2 = tmp_path / "hmr2.ckpt"
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in Hmr2(PUBLISHED).state_dict().items()}
    numbers = torch.randn(1 << 20, generator=torch.Generator().manual_seed(7)) * 0.02
    torch.save({"state_dict": {name: _filled(numbers, shape) for name, shape in shapes.items()}}, hmr2)
    files = [wham, hmr2, _vitpose(tmp_path / "vitpose")]
    for file in files:
        assert ghmr(home, "models", "add", file).returncode == 0
    states = {model["name"]: model["state"] for model in json.loads(ghmr(home, "models", "--json").stdout)["models"]}
    assert all(states[name] == "on" for name in ("wham", "hmr2", "vitpose"))
    # Ten frames: 20 crops through 630 million numbers are what two cores do in a minute.
    taken = recovered(home, demo_clip, tmp_path / "a.motion.npz", "--fps", "15", "--end", "19")
    assert {"wham", "hmr2", "vitpose", "SMPL"} <= {model["name"] for model in taken.meta["models"]}
    assert finite(taken) and "people" not in taken.meta["cached"]
    ghmr(home, "models", "off", "hmr2")
    blind = recovered(home, demo_clip, tmp_path / "b.motion.npz", "--fps", "15", "--end", "19")
    assert {"people", "camera"} <= set(blind.meta["cached"]) and apart(taken, blind) > 0.01


def _filled(numbers: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    count = shape.numel()
    return numbers.half().repeat(-(-count // len(numbers)))[:count].reshape(shape)


def _vitpose(folder):
    import transformers

    torch.manual_seed(0)
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=384, num_hidden_layers=2, num_attention_heads=12, out_indices=[2]
    )
    config = transformers.VitPoseConfig(backbone_config=backbone, num_labels=17, use_simple_decoder=True)
    transformers.VitPoseForPoseEstimation(config).save_pretrained(folder)
    return folder / "model.safetensors"
