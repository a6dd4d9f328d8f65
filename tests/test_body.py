"""The open body: a person in a T-pose, the same numbers as smplx, and points where feet and faces have them."""

import os
import subprocess
import sys

import numpy as np
import pytest
import roma
import torch
from smplx.lbs import lbs

from ghmr_engine import places
from ghmr_engine.body.skeleton import CONTACT_NAMES, JOINT_NAMES, LANDMARK_NAMES
from ghmr_engine.body.smpl import load_body
from ghmr_engine.errors import RecoverError
from installer.models import ONE_THREAD

J = {name: place for place, name in enumerate(JOINT_NAMES)}
L = {name: place for place, name in enumerate(LANDMARK_NAMES)}


@pytest.fixture(scope="module")
def at_rest(body):
    return body.forward(torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 3), torch.zeros(10))


def test_same_numbers_as_smplx(body):
    torch.manual_seed(0)
    rotations, betas, transl = roma.random_rotmat((5, 24)), torch.randn(10), torch.randn(5, 3)
    no_correctives = torch.zeros(207, body.v_template.numel())
    vertices, joints = lbs(
        betas.expand(5, 10), rotations, body.v_template[None], body.shapedirs, no_correctives,
        body.J_regressor, body.parents, body.weights, pose2rot=False,
    )  # fmt: skip
    mesh, posed = body.vertices(rotations, transl, betas, chunk=2), body.forward(rotations, transl, betas)
    assert (vertices + transl[:, None] - mesh).abs().max() < 1e-5
    assert (joints + transl[:, None] - posed.joints).abs().max() < 1e-5
    points = (mesh[:, body.points] * body.point_weights[..., None]).sum(2)
    assert (points[:, 33:] - posed.contacts).abs().max() < 1e-5
    assert (points[:, L["nose"]] - posed.landmarks[:, L["nose"]]).abs().max() < 1e-5
    assert torch.equal(posed.landmarks[:, L["left_knee"]], posed.joints[:, J["left_knee"]])


def test_gradients_reach_pose_place_and_shape(body):
    angles, transl, betas = torch.zeros(3, 24, 3), torch.zeros(3, 3), torch.zeros(10)
    for tensor in (angles, transl, betas):
        tensor.requires_grad_(True)
    posed = body.forward(roma.rotvec_to_rotmat(angles), transl, betas)
    (posed.landmarks.square().sum() + posed.contacts.square().sum()).backward()
    for tensor in (angles, transl, betas):
        assert torch.isfinite(tensor.grad).all() and tensor.grad.abs().max() > 1e-3


def test_it_stands_in_a_t_pose_with_left_on_the_left(body, at_rest):
    joints, points = at_rest.joints[0], at_rest.landmarks[0]
    assert joints[J["left_wrist"], 0] > 0.5 > -0.5 > joints[J["right_wrist"], 0]
    assert joints[J["head"], 1] > joints[J["pelvis"], 1] > joints[J["left_ankle"], 1]
    assert (
        points[L["nose"], 2] > points[L["left_ear"], 2] and points[L["left_foot_index"], 2] > joints[J["left_ankle"], 2]
    )
    for side in ("left", "right"):
        arm = joints[J[f"{side}_wrist"]] - joints[J[f"{side}_shoulder"]]
        assert arm[1:].norm() / arm.norm() < np.sin(np.radians(3))
    mirrored = joints[[J[name.replace("left", "right")] for name in JOINT_NAMES if "left" in name]]
    left = joints[[J[name] for name in JOINT_NAMES if "left" in name]]
    assert (left * torch.tensor([-1.0, 1, 1]) - mirrored).abs().max() < 2e-3


def test_statures_are_those_of_adults_and_the_first_component_is_height(body):
    def stature(first):
        rest = body.rest_vertices(torch.tensor([first, *[0.0] * 9]))[:, 1]
        return float(rest.max() - rest.min())

    low, mean, high = stature(-2.0), stature(0.0), stature(2.0)
    assert 1.4 < low < mean - 0.1 and mean + 0.1 < high < 2.0
    assert 1.6 < mean < 1.8


def test_soles_eyes_and_sides(body, at_rest):
    lowest = float(body.v_template[:, 1].min())
    assert (at_rest.contacts[0, :, 1] - lowest).abs().max() < 0.02
    for place, name in enumerate(CONTACT_NAMES):
        assert (at_rest.contacts[0, place, 0] > 0) == name.startswith("left")
    for name in ("eye", "ear", "pinky", "thumb", "index", "heel"):
        assert at_rest.landmarks[0, L[f"left_{name}"], 0] > 0 > at_rest.landmarks[0, L[f"right_{name}"], 0]


def test_weights_and_regressor_are_proper(body):
    assert (body.weights.sum(1) - 1).abs().max() < 1e-5 and (body.weights >= 0).all()
    assert (body.weights > 0).sum(1).max() <= 4
    assert (body.J_regressor.sum(1) - 1).abs().max() < 1e-4
    assert sorted(body.colors.unique().tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("spoil", ["missing", "cut", "poor"])
def test_a_bad_body_file_is_one_clear_line(tmp_path, spoil):
    path = tmp_path / "body.npz"
    if spoil == "cut":
        path.write_bytes(places.body_path().read_bytes()[:5000])
    if spoil == "poor":
        np.savez(path, v_template=np.zeros((5, 3)))
    with pytest.raises(RecoverError, match=r"setup"):
        load_body(path)


def test_a_file_of_smpls_own_size_takes_its_published_vertices(tmp_path):
    rng = np.random.default_rng(0)
    parents = np.array([4294967295, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21])
    weights, regressor = rng.random((6890, 24)), rng.random((24, 6890))
    np.savez(
        tmp_path / "smpl.npz", v_template=rng.normal(size=(6890, 3)), shapedirs=rng.normal(size=(6890, 3, 300)),
        posedirs=rng.normal(size=(6890, 3, 207)) * 0.01, J_regressor=regressor / regressor.sum(1, keepdims=True),
        weights=weights / weights.sum(1, keepdims=True), kintree_table=np.stack([parents, np.arange(24)]),
        f=np.zeros((10, 3), np.uint32),
    )  # fmt: skip
    smpl = load_body(tmp_path / "smpl.npz")
    rotations = roma.random_rotmat((2, 24))
    posed = smpl.forward(rotations, torch.zeros(2, 3), torch.ones(10))
    mesh = smpl.vertices(rotations, torch.zeros(2, 3), torch.ones(10))
    assert (posed.landmarks[:, L["nose"]] - mesh[:, 332]).abs().max() < 1e-4
    assert (posed.contacts[:, 0] - mesh[:, 3387]).abs().max() < 1e-4
    assert "research" in smpl.licence


@pytest.mark.slow
def test_building_again_gives_the_same_bytes(repo, tmp_path):
    command = [sys.executable, "-m", "ghmr_engine.body.open_body", tmp_path / "again.npz"]
    subprocess.run(command, cwd=repo, env={**os.environ, **ONE_THREAD}, check=True)
    assert (tmp_path / "again.npz").read_bytes() == places.body_path().read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.npz"]
