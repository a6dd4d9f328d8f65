"""DROID-SLAM and DPVO: stand-ins that speak their interfaces (as published) and know the answer.

The programs themselves need CUDA and are not installed where these tests run.
"""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ghmr_engine.camera import track_camera
from ghmr_engine.camera.slam import run_slam
from ghmr_engine.errors import RecoverError
from ghmr_engine.options import Options
from ghmr_engine.places import models_dir
from ghmr_engine.progress import silent
from ghmr_engine.types import People
from tests.test_camera import HEIGHT, MASK_SIZE, WIDTH, Filmed
from tests.test_camera_sources import CLIP, FRAMES, NOBODY, TRUE_R, camera_to_world, expect_true

DROID = """
import numpy as np
SEEN, POSES = [], None
class Droid:
    def __init__(self, args):
        self.args, self.times = args, []
        assert open(args.weights).read() == "droid"
        for name in ("buffer", "stereo", "disable_vis", "beta", "filter_thresh", "warmup", "keyframe_thresh",
                     "frontend_thresh", "frontend_window", "frontend_radius", "frontend_nms", "backend_thresh",
                     "backend_radius", "backend_nms"):
            getattr(args, name)
    def track(self, tstamp, image, depth=None, intrinsics=None):
        assert list(image.shape[2:]) == self.args.image_size and image.shape[:2] == (1, 3)
        SEEN.append((tstamp, image.numpy().copy(), intrinsics.numpy().copy()))
    def terminate(self, stream=None):
        again = [t for t, image, intrinsics in stream if image.shape[:2] == (1, 3) and len(intrinsics) == 4]
        assert again == [t for t, _, _ in SEEN]
        return POSES[: len(again)]
"""
DPVO = """
import numpy as np
SEEN, POSES, UPDATES = [], None, []
class DPVO:
    def __init__(self, cfg, network, ht=480, wd=640, viz=False):
        assert cfg.BUFFER_SIZE and open(network).read() == "dpvo"
        self.size = ht, wd
    def __call__(self, tstamp, image, intrinsics):
        assert tuple(image.shape) == (3, *self.size)
        SEEN.append((tstamp, image.numpy()[None].copy(), intrinsics.numpy().copy()))
    def update(self):
        UPDATES.append(len(SEEN))
    def terminate(self):
        return POSES[: len(SEEN)], np.array([t for t, _, _ in SEEN], np.float32)
"""


@pytest.fixture(params=["droid", "dpvo"])
def slam(request, tmp_path, monkeypatch):
    """(name, module) of a program that answers with the true camera."""
    monkeypatch.setenv("RECOVER_MOTION_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "models").mkdir(parents=True)
    (tmp_path / "home" / "models" / f"{request.param}.pth").write_text(request.param)
    (tmp_path / "droid.py").write_text(DROID)
    (tmp_path / "dpvo").mkdir()
    (tmp_path / "dpvo" / "__init__.py").write_text("")
    (tmp_path / "dpvo" / "dpvo.py").write_text(DPVO)
    (tmp_path / "dpvo" / "config.py").write_text("class cfg: BUFFER_SIZE = 2048\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("droid", "dpvo", "dpvo.dpvo", "dpvo.config"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("droid" if request.param == "droid" else "dpvo.dpvo")
    poses = camera_to_world()
    module.POSES = np.column_stack([poses[:, :3, 3], Rotation.from_matrix(poses[:, :3, :3]).as_quat()])
    yield request.param, module
    for name in ("droid", "dpvo", "dpvo.dpvo", "dpvo.config"):
        sys.modules.pop(name, None)


def test_a_programs_camera_is_taken_over(slam):
    name, module = slam
    found = run_slam(name, CLIP, NOBODY, 520.0, silent)
    expect_true(found)
    assert [t for t, _, _ in module.SEEN] == list(range(FRAMES))
    _, image, lens = module.SEEN[0]
    height, width = image.shape[2:]
    assert (height % 16, width % 16) == (0, 0)
    assert 0.8 < height * width / (384 * 512) <= 1.01
    assert lens[0] / lens[2] == pytest.approx(520 / (WIDTH / 2), rel=0.01)
    assert lens[1] / lens[3] == pytest.approx(520 / (HEIGHT / 2), rel=0.01)
    assert name == "droid" or module.UPDATES == [FRAMES] * 12


def test_colours_are_blue_green_red_and_people_are_painted_over(slam):
    name, module = slam
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 200
    red[100:260, 250:400] = 255  # somebody
    mask = np.zeros(MASK_SIZE, bool)
    mask[100 * 45 // 360 : 260 * 45 // 360 + 1, 250 * 80 // 640 : 400 * 80 // 640 + 1] = True
    people = People((), np.repeat(np.packbits(mask, axis=-1)[None], FRAMES, 0), MASK_SIZE)
    run_slam(name, Filmed(lambda _number: red, FRAMES), people, 520.0, silent)
    image = module.SEEN[0][1][0].astype(int)
    assert np.abs(image - np.array([0, 0, 200])[:, None, None]).max() <= 12


def test_the_stage_takes_a_programs_path(slam):
    name, _module = slam
    found = track_camera(CLIP, NOBODY, Options(camera=name), silent)
    assert np.allclose(found.R, TRUE_R, atol=1e-6)
    assert (found.unit, found.motion_source) == ("any", name)


def test_a_program_that_loses_the_camera_or_fails_is_said_in_one_line(slam):
    name, module = slam
    module.POSES = module.POSES * np.nan
    with pytest.raises(RecoverError, match="lost the camera"):
        run_slam(name, CLIP, NOBODY, 520.0, silent)
    module.POSES = None
    with pytest.raises(RecoverError, match="failed") as caught:
        run_slam(name, CLIP, NOBODY, 520.0, silent)
    assert caught.value.code == "slam_failed"


@pytest.mark.parametrize("name", ["droid", "dpvo"])
def test_a_program_that_is_not_installed_is_named(name):
    with pytest.raises(RecoverError, match="not installed") as caught:
        run_slam(name, CLIP, NOBODY, 520.0, silent)
    assert caught.value.code == "no_slam"
    assert "docs/camera.md" in caught.value.fix


def test_a_program_without_its_weights_is_said(slam):
    name, _module = slam
    (models_dir() / f"{name}.pth").unlink()
    with pytest.raises(RecoverError, match=f"{name}.pth"):
        run_slam(name, CLIP, NOBODY, 520.0, silent)
