"""Training: what is read, how windows are made, how the detector's errors are drawn, and that a stopped run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
from captures import figure, walker
from typer.testing import CliRunner

from ghmr_engine.body.skeleton import LANDMARK_NAMES, mirror_order
from ghmr_engine.cli import app
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.suite import held_out
from ghmr_engine.lift.features import inputs_of
from ghmr_engine.lift.network import LiftNetwork, Size
from ghmr_engine.lift.weights import load_network
from ghmr_engine.train import cameras, detections, loop
from ghmr_engine.train.corpus import FPS, Corpus, captures_in, load_corpus, read_corpus, resting_high, save_corpus
from ghmr_engine.train.detections import Detection
from ghmr_engine.train.loop import Plan, train
from ghmr_engine.train.losses import losses, pose
from ghmr_engine.train.noise import Noise, errors, load_noise, measure
from ghmr_engine.train.run import MEASURED, draw_curves, pair
from ghmr_engine.train.windows import FRAMES, Source, batch

SMALL = Size(width=32, layers=1, heads=2)
EACH = 33 * 6


def no_noise() -> Noise:
    zero = torch.zeros(2, EACH)
    by_pose = torch.zeros(100, EACH)
    by_pose[-1, 5::6] = 4.0  # all visible
    return Noise(
        by_pose, zero, zero, zero, torch.zeros(()), torch.zeros(2), torch.tensor([0.0, 1]), torch.tensor([0.0, 1])
    )


def amass(folder: Path, name: str, capture) -> Path:
    """A made-up capture in AMASS's form, z up."""
    turns = torch.as_tensor(capture.rotations[:, :22])
    z_up = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=turns.dtype)
    root = (z_up @ turns[:, 0])[:, None]
    poses = roma.rotmat_to_rotvec(torch.cat([root, turns[:, 1:]], 1)).flatten(1).numpy()
    path = folder / f"{name}.npz"
    poses, trans = np.pad(poses, ((0, 0), (0, 156 - 66))), capture.root @ z_up.numpy().T
    rate = float(capture.fps)
    np.savez(path, poses=poses, trans=trans, betas=np.zeros(16), mocap_framerate=rate, gender="neutral")
    return path


def small_corpus(body, folder: Path) -> Corpus:
    """Somebody walks, somebody stands."""
    amass(folder, "walk", walker(body, 90))
    amass(folder, "stand", figure(body, frames=60))
    return read_corpus(folder, body, lambda _words, _done: None)


@pytest.fixture(scope="module")
def corpus(body, tmp_path_factory) -> Corpus:
    return small_corpus(body, tmp_path_factory.mktemp("mocap"))


def detection(body, frames: int = 60, off=0.0) -> Detection:
    """Somebody who stands, seen exactly but for `off` m sideways in 3D."""
    eye = np.repeat(np.eye(3)[None], frames, 0)
    R = eye @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    turned = np.repeat(np.eye(3)[None, None], 24, 1).repeat(frames, 0)
    turned[:, 0] = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    transl, t = np.tile([0, 0, 1.0], (frames, 1)), np.tile([0, 1.0, 4.0], (frames, 1))
    K = np.repeat(np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])[None], frames, 0)
    motion = (torch.as_tensor(x, dtype=torch.float32) for x in (turned, transl, np.zeros(10)))
    landmarks = body.forward(*motion).landmarks.numpy().astype(float) @ np.swapaxes(R, 1, 2) + t[:, None]
    px = landmarks @ np.swapaxes(K, 1, 2)
    keypoints = np.concatenate([px[..., :2] / px[..., 2:], np.full((frames, 33, 1), 0.9)], -1)
    hips = landmarks[:, [23, 24]].mean(1, keepdims=True)
    return Detection(
        keypoints, landmarks - hips + [off, 0, 0], np.ones(frames, bool), turned, transl, np.zeros(10),
        np.ones((frames, 4)), np.ones((frames, 33), bool), R, t, K,
    )  # fmt: skip


def test_what_is_evaluated_on_is_not_trained_on(body, tmp_path):
    amass(tmp_path, "walk", walker(body, 60))
    (tmp_path / "held").mkdir()
    amass(tmp_path / "held", sorted(held_out())[0], figure(body, frames=60))
    (tmp_path / "notes.txt").write_text("no motion")
    assert [capture.name for capture in captures_in(tmp_path)] == ["walk"]


def test_a_recording_that_lies_there_twice_counts_once(body, tmp_path):
    amass(tmp_path, "walk", walker(body, 60))
    amass(tmp_path, "walk_again", walker(body, 60))
    assert len(captures_in(tmp_path)) == 1


def test_a_folder_without_motion_is_one_line(tmp_path):
    with pytest.raises(RecoverError, match="no motion capture"):
        captures_in(tmp_path)


def test_a_corpus_comes_back_as_it_was_saved(corpus, tmp_path):
    save_corpus(corpus, tmp_path / "c.npz")
    again = load_corpus(tmp_path / "c.npz")
    assert torch.equal(again.rotations, corpus.rotations) and again.names == corpus.names


def test_a_foot_on_a_step_rests_and_a_foot_in_the_air_does_not():
    time = np.arange(60) / FPS
    feet = np.zeros((60, 4, 3))
    feet[:, 0, 2] = 0.4  # on a step
    feet[:, 1] = np.stack([time, 0 * time, 0.4 + 0 * time], 1)  # swings
    feet[:, 2, 2] = 0.05  # low: the ground's own rule
    rests = resting_high(feet)
    assert rests[:, 0].all() and not rests[:, 1:].any()


def test_without_noise_the_truth_explains_what_is_seen(corpus, body):
    source = Source(corpus, body, no_noise(), [])
    chance = torch.Generator().manual_seed(1)
    seen, true = batch(source, 6, 0, chance)
    each = true.betas[:, None].expand(-1, FRAMES, -1).flatten(0, 1)
    transl = true.pelvis.flatten(0, 1) - body.rest_joints(each)[:, 0]
    points = body.forward(true.rotations.flatten(0, 1), transl, each).landmarks.unflatten(0, (6, FRAMES))
    rays = points[..., :2] / points[..., 2:]
    ratio = (seen.rays[..., :12, :] / rays[..., :12, :]).flatten(1).median(1).values  # the misjudged focal length
    off = (rays * ratio[:, None, None, None] - seen.rays).norm(dim=-1)
    plain = seen.there & (seen.visible.amin(-1) > 0.5)
    assert plain.any() and float(off[plain].max()) < 0.02


def test_a_mirrored_window_is_one_that_a_mirror_would_show(corpus, body):
    """Landmarks of the mirrored motion are the mirrored landmarks: sides, joints and axes agree."""
    source = Source(corpus, body, no_noise(), [])
    from ghmr_engine.train.windows import _mirrored  # the one step of batch() that draws nothing

    seen, true = batch(source, 3, 0, torch.Generator().manual_seed(2))
    _, flipped = _mirrored(seen, true)
    points, mirrored = (pose(each.rotations[:, :, :22], each.betas * 0, body).landmarks for each in (true, flipped))
    order = list(mirror_order(LANDMARK_NAMES))
    assert float((mirrored - points[:, :, order] * torch.tensor([-1.0, 1, 1])).norm(dim=-1).max()) < 0.02


def test_contacts_stay_with_their_feet_in_the_mirror(corpus, body):
    from ghmr_engine.train.windows import _mirrored

    seen, true = batch(Source(corpus, body, no_noise(), []), 2, 0, torch.Generator().manual_seed(3))
    true = true._replace(contacts=torch.tensor([1.0, 0, 0, 0]).expand_as(true.contacts))
    assert torch.equal(_mirrored(seen, true)[1].contacts[0, 0], torch.tensor([0.0, 0, 1, 0]))


def test_the_truth_costs_nothing_and_a_wrong_pose_does(corpus, body):
    from ghmr_engine.lift.features import placed
    from ghmr_engine.lift.network import Lifted

    seen, true = batch(Source(corpus, body, no_noise(), []), 3, 0, torch.Generator().manual_seed(4))
    inputs = inputs_of(seen)
    back = inputs.turn.transpose(-1, -2)
    rotations = torch.cat([(back @ true.rotations[:, :, 0])[:, :, None], true.rotations[:, :, 1:22]], 2)
    place = placed((back @ true.pelvis[..., None])[..., 0], inputs.size)
    up = (back @ true.up[..., None])[..., 0]
    logits = (true.contacts - 0.5) * 40
    perfect = Lifted(rotations, true.betas, up, true.velocity, place, logits, torch.zeros(3, FRAMES, 24))
    _, parts = losses(perfect, inputs, true, body)
    assert all(float(part) < 0.002 for part in parts.values())
    wrong = perfect._replace(rotations=inputs.start)
    assert float(losses(wrong, inputs, true, body)[1]["joints"]) > 0.01


def test_virtual_cameras_see_the_person_in_front_of_them():
    pelvis = torch.tensor([0.0, 0, 0.9]).expand(64, FRAMES, 3)
    R, t, half = cameras.film(pelvis, torch.Generator().manual_seed(0))
    assert torch.allclose(R @ R.transpose(-1, -2), torch.eye(3).expand_as(R), atol=1e-4)
    assert float(torch.linalg.det(R).min()) > 0.99
    seen = (R @ pelvis[..., None])[..., 0] + t
    inside = (seen[..., :2] / seen[..., 2:].clamp(min=0.1)).abs() < half[:, None]
    assert float((seen[..., 2] > 0.5).float().mean()) > 0.98 and float(inside.all(-1).float().mean()) > 0.8


def test_measured_errors_are_drawn_again_as_large(body):
    """Errors of 5 cm to one side in all frames come back as a mean; a second clip's 5 cm to the other as a spread."""
    noise = measure([detection(body, off=0.05), detection(body, off=0.05)], body)
    about = torch.as_tensor(detection(body).landmarks, dtype=torch.float32)[None]
    hidden = torch.zeros(1, 60, 33, dtype=torch.bool)
    _, _, visible = errors(noise, about, hidden, torch.Generator().manual_seed(0))
    # Mirrored copies of the clips have it to the other side: no mean is left, a clip's own part is.
    assert float(visible.mean()) == pytest.approx(0.9, abs=0.05)
    many = torch.cat(
        [
            errors(noise, about, hidden, torch.Generator().manual_seed(seed))[1][..., 0].mean((1, 2))
            for seed in range(200)
        ]
    )
    assert float(many.std()) == pytest.approx(0.05, rel=0.3) and abs(float(many.mean())) < 0.02


def test_the_shipped_errors_are_those_of_a_landmark_detector():
    noise = load_noise(MEASURED)
    about = torch.zeros(64, FRAMES, 33, 3)
    hidden = torch.zeros(64, FRAMES, 33, dtype=torch.bool)
    flat, off, visible = errors(noise, about, hidden, torch.Generator().manual_seed(0))
    assert 0.005 < float(flat.norm(dim=-1).mean()) < 0.1  # shares of a person's size
    depth, across = off[..., 2].std(), off[..., 0].std()
    assert 0.02 < float(across) < float(depth) < 0.3  # metres: depth is read worst
    hidden[:] = True
    assert float(errors(noise, about, hidden, torch.Generator().manual_seed(0))[2].mean()) < float(visible.mean())


def test_a_stopped_training_goes_on_to_the_same_weights(corpus, body, tmp_path):
    source = Source(corpus, body, load_noise(MEASURED), [pair(detection(body), body)])
    tests = [pair(detection(body), body)]
    plan = Plan(steps=4, windows=2, filmed=1)

    class Stop(Exception):
        pass

    def stop(_words: str, done: float) -> None:
        if done == 0.5:
            raise Stop

    before = loop._SAVE_EVERY, loop._TEST_EVERY
    loop._SAVE_EVERY = loop._TEST_EVERY = 2
    try:
        whole = train(source, tests, plan, tmp_path / "whole", "cpu", lambda _words, _done: None, SMALL)
        with pytest.raises(Stop):
            train(source, tests, plan, tmp_path / "parts", "cpu", stop, SMALL)
        rest = train(source, tests, plan, tmp_path / "parts", "cpu", lambda _words, _done: None, SMALL)
    finally:
        loop._SAVE_EVERY, loop._TEST_EVERY = before
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, rest.state_dict()[name], atol=1e-5), name
    rows = (tmp_path / "parts" / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "2", "4"]
    assert draw_curves(tmp_path / "parts" / "log.csv", tmp_path / "curves.png")


def test_training_begins_from_weights_that_are_given(corpus, body, tmp_path):
    source = Source(corpus, body, load_noise(MEASURED), [pair(detection(body), body)])
    torch.manual_seed(5)
    begun = LiftNetwork(SMALL)
    first = {name: value.clone() for name, value in begun.state_dict().items()}
    plan = Plan(steps=1, windows=2, filmed=1, rate=1e-6)
    got = train(source, [], plan, tmp_path, "cpu", lambda _words, _done: None, SMALL, begun=begun)
    for name, value in got.state_dict().items():
        assert torch.allclose(value, first[name], atol=1e-5), name
        assert torch.equal(begun.state_dict()[name], first[name])


def test_processors_that_would_work_half_precision_out_bit_by_bit_train_in_single(monkeypatch):
    for capability, half in (("AVX2", False), ("AVX512", True), ("DEFAULT", False)):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda it=capability: it)
        assert loop._half_is_fast("cpu") is half and loop._half_is_fast("cuda")


def test_a_clip_in_which_nobody_is_found_is_left_out(body, tmp_path, monkeypatch):
    def nobody(*_any):
        raise RecoverError("nobody", "Nobody was found.", "")

    monkeypatch.setattr(detections, "find_people", nobody)
    monkeypatch.setattr(detections, "open_video", lambda *_any: None)
    assert detections._in_clip(tmp_path / "a.mp4", None) == []


@pytest.mark.slow
def test_one_command_trains_from_a_folder(body, tmp_path):
    amass(tmp_path, "walk", walker(body, 90))
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["train", str(tmp_path), "--out", str(out), "--steps", "2", "--device", "cpu"])
    assert ran.exit_code == 0, ran.output
    assert (out / "curves.png").is_file()
    load_network(out / "lift.safetensors", "cpu")
    from safetensors import safe_open

    with safe_open(out / "lift.safetensors", "pt") as file:
        told = file.metadata()
    assert "mocap.cs.cmu.edu" in told["credit"] and "--steps 2" in told["command"]
    assert json.loads(told["measures"])["step"] == 2
