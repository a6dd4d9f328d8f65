"""Pictures of a result, with a body of boxes whose places in the picture are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from ghmr_engine import picture
from ghmr_engine.body.skeleton import PARENTS
from ghmr_engine.camera_sheet import camera_sheet
from ghmr_engine.motion_file import Motion, Person, write_motion
from ghmr_engine.options import Options
from ghmr_engine.posed import joint_transforms, pose_person, rotation_matrices, skin
from ghmr_engine.raster import View, draw_disc, draw_lines, draw_meshes, look_at
from ghmr_engine.scene_views import LEFT_CONTACT, PAPER, RIGHT_CONTACT, camera_of, close_view

SIZE = (320, 240)
JOINTS = np.array(
    [[0, 0.95, 0], [0.07, 0.87, 0], [-0.07, 0.87, 0], [0, 1.05, 0], [0.1, 0.48, 0], [-0.1, 0.48, 0], [0, 1.2, 0],
     [0.1, 0.08, -0.03], [-0.1, 0.08, -0.03], [0, 1.27, 0], [0.12, 0.02, 0.1], [-0.12, 0.02, 0.1], [0, 1.45, 0],
     [0.07, 1.4, 0], [-0.07, 1.4, 0], [0, 1.55, 0.02], [0.18, 1.4, 0], [-0.18, 1.4, 0], [0.44, 1.4, 0],
     [-0.44, 1.4, 0], [0.69, 1.4, 0], [-0.69, 1.4, 0], [0.77, 1.4, 0], [-0.77, 1.4, 0]])  # fmt: skip
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.05
CUBE_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]])  # fmt: skip
UPRIGHT = np.array([np.pi / 2, 0, 0])  # y up to z up: faces -y, towards the first camera


def box_motion(frames: int = 6, contacts: tuple[float, ...] = (1, 1, 0, 0)) -> Motion:
    """A body of one small cube a joint, walking along +x four metres in front of a camera 1.4 m up."""
    vertices = (JOINTS[:, None] + CUBE).reshape(-1, 3)
    weights = np.repeat(np.eye(24), 8, axis=0)
    faces = (np.arange(24)[:, None, None] * 8 + CUBE_FACES).reshape(-1, 3)
    poses = np.zeros((frames, 24, 3))
    poses[:, 0] = UPRIGHT
    transl = np.zeros((frames, 3))
    # SMPL turns the root about the pelvis joint, so that the pelvis stays at its rest place plus transl.
    transl[:] = [0, 4, 0] - JOINTS[0] + [0, 0, JOINTS[0, 1]]
    transl[:, 0] += 0.1 * np.arange(frames)
    person = Person(
        np.arange(frames), poses, transl, np.zeros(10), np.tile(contacts, (frames, 1)).astype(float),
        np.ones((frames, 24)), np.zeros((frames, 33, 3)), np.zeros(frames), vertices, weights, JOINTS,
    )  # fmt: skip
    R, t = look_at(np.array([0, 0, 1.4]), np.array([0, 1, 1.4]))
    K = np.array([[300.0, 0, 159.5], [0, 300, 119.5], [0, 0, 1]])
    meta = {"fps": [30, 1], "frames": frames, "image_size": list(SIZE), "options": Options().as_dict(),
            "video": {"name": "boxes.mp4", "start": 0}, "engine": "0", "licence": "open"}  # fmt: skip
    return Motion(
        meta, np.tile(R, (frames, 1, 1)), np.tile(t, (frames, 1)), np.tile(K, (frames, 1, 1)), np.ones(frames),
        {"1": person}, faces, np.array(PARENTS), np.zeros(0, np.uint8),
    )  # fmt: skip


def changed(canvas: np.ndarray, background: int | tuple[int, ...] = 0) -> np.ndarray:
    """(n, 2) px: x, y of what was drawn."""
    return np.argwhere((canvas != background).any(axis=-1))[:, ::-1]


def test_a_rotation_by_rodrigues_turns_as_expected() -> None:
    turned = rotation_matrices(np.array([0, 0, np.pi / 2])) @ [1.0, 0, 0]
    np.testing.assert_allclose(turned, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_matrices(np.zeros((2, 3))), np.tile(np.eye(3), (2, 1, 1)), atol=1e-12)


def test_a_knee_moves_the_ankle_below_it_and_nothing_above() -> None:
    rotations = np.tile(np.eye(3), (24, 1, 1))
    rotations[4] = rotation_matrices(np.array([np.pi / 2, 0, 0]))
    frames = joint_transforms(rotations, JOINTS, np.array(PARENTS))
    shank = JOINTS[7] - JOINTS[4]
    np.testing.assert_allclose(frames[7, :3, 3], JOINTS[4] + [shank[0], -shank[2], shank[1]], atol=1e-12)
    np.testing.assert_allclose(frames[8, :3, 3], JOINTS[8], atol=1e-12)
    moved = skin(JOINTS, np.eye(24), JOINTS, frames)
    np.testing.assert_allclose(moved, frames[:, :3, 3], atol=1e-12)


def test_the_posed_body_stands_upright_in_the_world_and_faces_the_camera() -> None:
    body = pose_person(box_motion(), "1", 0)
    assert body is not None
    np.testing.assert_allclose(body.joints[0], [0, 4, 0.95], atol=1e-9)
    assert body.joints[15, 2] > body.joints[0, 2] > body.joints[7, 2] > 0
    np.testing.assert_allclose(body.forward, [0, -1, 0], atol=1e-9)
    assert body.joints[20, 0] > 0.6  # facing us, the left hand is on our right


def test_skinning_agrees_with_smplx() -> None:
    """The same pose through smplx's own linear blend skinning."""
    torch = pytest.importorskip("torch")
    lbs = pytest.importorskip("smplx.lbs")
    generator = np.random.default_rng(3)
    motion = box_motion()
    person = motion.people["1"]
    pose = generator.normal(0, 0.5, (24, 3))
    rotations = torch.tensor(rotation_matrices(pose))[None]
    joints, transforms = lbs.batch_rigid_transform(rotations, torch.tensor(JOINTS)[None], torch.tensor(motion.parents))
    blended = torch.einsum("vj,jab->vab", torch.tensor(person.weights), transforms[0])
    expected = torch.einsum("vab,vb->va", blended[:, :3, :3], torch.tensor(person.vertices)) + blended[:, :3, 3]
    frames = joint_transforms(rotation_matrices(pose), JOINTS, motion.parents)
    np.testing.assert_allclose(frames[:, :3, 3], joints[0].numpy(), atol=1e-9)
    np.testing.assert_allclose(skin(person.vertices, person.weights, JOINTS, frames), expected.numpy(), atol=1e-9)


def test_a_person_is_only_there_in_its_own_frames() -> None:
    motion = box_motion()
    assert pose_person(motion, "1", 5) is not None
    assert pose_person(motion, "1", 6) is None


def test_a_projected_point_lands_on_its_pixel() -> None:
    view = camera_of(box_motion(), 0)
    np.testing.assert_allclose(view.project(np.array([0, 4, 1.4])), [159.5, 119.5], atol=1e-9)
    np.testing.assert_allclose(view.project(np.array([1.0, 4, 1.4])), [159.5 + 75, 119.5], atol=1e-9)
    assert view.project(np.array([0, 4, 2.0]))[1] < 119.5  # up in the world is up in the picture


def test_a_drawn_face_covers_its_pixels_and_no_others() -> None:
    view = View(np.eye(3), np.zeros(3), np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]), (100, 100))
    square = np.array([[-0.2, -0.2, 1], [0.2, -0.2, 1], [0.2, 0.2, 1], [-0.2, 0.2, 1]])
    outward = np.stack([square[[0, 2, 1]], square[[0, 3, 2]]])
    canvas = np.zeros((100, 100, 3), np.uint8)
    draw_meshes(canvas, view, [(outward, np.full((2, 3), 200.0))])
    seen = changed(canvas)
    np.testing.assert_allclose(seen.mean(axis=0), [50, 50], atol=0.6)
    np.testing.assert_allclose([seen.min(axis=0), seen.max(axis=0)], [[30, 30], [70, 70]], atol=1.01)
    away = np.zeros_like(canvas)
    draw_meshes(away, view, [(outward[:, ::-1], np.full((2, 3), 200.0))])
    assert len(changed(away)) == 0  # seen from behind


def test_the_nearer_face_hides_the_farther() -> None:
    view = View(np.eye(3), np.zeros(3), np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]), (100, 100))
    square = np.array([[-0.2, -0.2, 0], [0.2, 0.2, 0], [0.2, -0.2, 0]])
    near, far = square + np.array([0, 0, 1]), square * 3 + np.array([0, 0, 3])
    colours = [np.array([[255.0, 0, 0]]), np.array([[0, 255.0, 0]])]
    for order in ((0, 1), (1, 0)):
        meshes = [((near[None], colours[0]), (far[None], colours[1]))[k] for k in order]
        canvas = np.zeros((100, 100, 3), np.uint8)
        draw_meshes(canvas, view, meshes)
        assert canvas[45, 55, 0] > 50
        assert canvas[45, 55, 1] == 0


def test_lines_that_pass_behind_the_eye_are_cut_off_there() -> None:
    view = View(np.eye(3), np.zeros(3), np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]), (100, 100))
    canvas = np.zeros((100, 100, 3), np.uint8)
    draw_lines(
        canvas, view, np.array([[0.1, 0, 5], [0, 0, -2.0]]), np.array([[0.1, 0, -5], [1, 0, -1.0]]), np.full(3, 255)
    )
    seen = changed(canvas)
    assert len(seen)
    np.testing.assert_allclose(seen[:, 1], 50, atol=1.5)
    assert seen[:, 0].min() >= 51  # the point at 5 m is at 52 px; the second line is wholly behind


def test_a_crop_keeps_points_on_their_pixels() -> None:
    view = camera_of(box_motion(), 0)
    crop = view.cropped(100, 60, 2.0, (120, 100))
    point = np.array([0.2, 4, 1.5])
    np.testing.assert_allclose(crop.project(point), (view.project(point) + 0.5 - [100, 60]) * 2 - 0.5, atol=1e-9)


def test_the_overlay_draws_the_body_where_the_camera_sees_it() -> None:
    motion = box_motion()
    frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    with_body, empty = picture.overlay(frame, motion, 0, 1.0), picture.overlay(frame, motion, 0, 0.0)
    seen = changed(np.abs(with_body.astype(int) - empty).astype(np.uint8))
    body = pose_person(motion, "1", 0)
    pixels = camera_of(motion, 0).project(body.vertices)
    np.testing.assert_allclose(seen.min(axis=0), pixels.min(axis=0), atol=2)
    np.testing.assert_allclose(seen.max(axis=0), pixels.max(axis=0), atol=2)
    assert frame.max() == 0  # the frame itself is left as it was


def test_a_sole_is_marked_only_while_in_contact() -> None:
    frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    left = picture.overlay(frame, box_motion(contacts=(1, 1, 0, 0)), 0)
    right = picture.overlay(frame, box_motion(contacts=(0, 0, 1, 1)), 0)
    assert (left == LEFT_CONTACT).all(axis=-1).any()
    assert not (left == RIGHT_CONTACT).all(axis=-1).any()
    xs_left = changed((left == LEFT_CONTACT).all(axis=-1, keepdims=True).astype(np.uint8))[:, 0]
    xs_right = changed((right == RIGHT_CONTACT).all(axis=-1, keepdims=True).astype(np.uint8))[:, 0]
    assert xs_left.min() > xs_right.max()  # facing us, the left foot is on our right


@pytest.mark.parametrize(("preset", "mirrored"), [("front", False), ("back", True)])
def test_front_and_back_views_have_left_and_up_right(preset: str, mirrored: bool) -> None:
    motion = box_motion(contacts=(1, 1, 0, 0))
    canvas = picture.view_from(motion, 0, preset, (300, 300))
    green = changed((canvas == LEFT_CONTACT).all(axis=-1, keepdims=True).astype(np.uint8))
    assert len(green)
    assert (green[:, 0].mean() < 150) == mirrored
    assert green[:, 1].min() > 200  # feet are at the bottom


def test_the_side_view_looks_along_minus_x_with_y_to_the_right() -> None:
    motion = box_motion()
    motion.people["1"].poses[0, 12] = [0.7, 0, 0]  # nods: the head goes towards -y, where the body faces
    canvas = close_view(motion, 0, "side", (300, 300), 2.5)
    upright = close_view(motion, 1, "side", (300, 300), 2.5)
    assert canvas.shape == (300, 300, 3)
    difference = changed(np.abs(canvas.astype(int) - upright).sum(axis=-1, keepdims=True) > 60, False)
    assert difference[:, 0].mean() < 150


def test_every_view_shows_something_and_has_its_size() -> None:
    motion = box_motion()
    for preset in ("side", "front", "back", "top", "corner"):
        canvas = picture.view_from(motion, 2, preset, (240, 180), ghosts=2)
        assert canvas.shape == (180, 240, 3)
        assert len(changed(canvas, PAPER)) > 100
    free = picture.view_from(motion, 2, (np.array([3.0, 0, 2]), np.array([0.0, 4, 1])), (240, 180))
    assert free.std() > 3


def test_the_picture_is_1600_wide_and_the_sheet_has_a_column_a_moment() -> None:
    motion = box_motion()
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    assert picture.picture(frame, motion, 1).shape[1] == 1600
    moments = picture.spread_moments(motion, 4)
    assert moments == [0, 2, 3, 5]
    assert picture.sheet(dict.fromkeys(moments, frame), motion, moments).shape[1] == 4 * 300


def test_the_camera_sheet_has_the_axes_where_the_camera_sees_them() -> None:
    """Whole frames in rows of three; a camera that comes nearer: up stays up and ends where a metre ends."""
    motion = box_motion(4)
    R, t = zip(
        *(look_at(np.array([2.0, y, 1.8]), np.array([0, 0, 1.2])) for y in (-6.0, -5.5, -5.0, -4.5)), strict=True
    )
    motion = replace(motion, R=np.stack(R), t=np.stack(t))
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    sheet = camera_sheet({index: frame for index in range(4)}, motion)
    height, width = round(520 * SIZE[1] / SIZE[0]), 520
    assert sheet.shape == (2 * height, 3 * width, 3)
    assert (sheet[height + 5 :, width + 5 :] == 250).all()  # no fifth frame
    for index, corner in enumerate(np.array([(0, 0), (width, 0), (2 * width, 0), (0, height)])):
        view = camera_of(motion, index).cropped(0.0, 0.0, width / SIZE[0], (width, height))
        for axis, colour in enumerate(([235, 70, 60], [80, 200, 70], [70, 120, 255])):
            at = view.project(0.7 * np.eye(3)[axis]).round().astype(int) + corner
            assert np.abs(sheet[at[1], at[0]].astype(int) - colour).max() < 30
            beyond = view.project(1.3 * np.eye(3)[2]).round().astype(int) + corner
            assert np.abs(sheet[beyond[1], beyond[0]].astype(int) - 90).max() < 30


def test_a_motion_without_people_still_makes_pictures() -> None:
    motion = box_motion()
    motion.people.clear()
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    assert picture.picture(frame, motion, 1).shape[1] == 1600
    assert picture.sheet({0: frame}, motion, [0]).shape[1] >= 900


def test_a_picture_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(picture.RecoverError, match="folder that can be written"):
        picture.save_picture(tmp_path / "missing" / "out.png", np.zeros((4, 4, 3), np.uint8))


def test_a_disc_sits_on_its_centre() -> None:
    canvas = np.zeros((40, 40, 3), np.uint8)
    draw_disc(canvas, np.array([12.0, 25.0]), 4, (255, 255, 255))
    np.testing.assert_allclose(changed(canvas).mean(axis=0), [12, 25], atol=0.2)


def test_a_motion_whose_mesh_was_left_out_shows_bones() -> None:
    full = box_motion()
    person = replace(full.people["1"], vertices=np.zeros((0, 3)), weights=np.zeros((0, 24)))
    motion = replace(full, people={"1": person}, faces=np.zeros((0, 3), int))
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    orange = (np.abs(picture.overlay(frame, motion, 0, 1.0).astype(int) - [236, 142, 66]) < 25).all(axis=-1)
    head = camera_of(motion, 0).project(pose_person(motion, "1", 0).joints[15]).round().astype(int)
    assert orange[head[1] - 3 : head[1] + 4, head[0] - 3 : head[0] + 4].any()
    assert picture.picture(frame, motion, 1).shape[1] == 1600


def test_the_command_line_reads_the_clip_and_writes_a_picture(tmp_path: Path) -> None:
    """A clip of grey pictures whose level is the frame's number: the chosen moment is the one that is shown."""
    clip, motion = tmp_path / "boxes.mp4", box_motion(12)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for level in range(12):
            image = np.full((SIZE[1], SIZE[0], 3), 60 + 10 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    frames = picture.grab_frames(clip, motion, [2, 9])
    assert sorted(frames) == [2, 9]
    assert abs(frames[9].mean() - frames[2].mean() - 70) < 6
    write_motion(tmp_path / "boxes.motion.npz", motion)
    out = tmp_path / "out.png"
    assert picture.main([str(tmp_path / "boxes.motion.npz"), str(clip), str(out), "--sheet", "3"]) == 0
    assert out.stat().st_size > 5000
    sheet_size = out.stat().st_size
    assert picture.main([str(tmp_path / "boxes.motion.npz"), str(clip), str(out), "--camera", "4"]) == 0
    assert out.stat().st_size != sheet_size
    assert picture.main([str(tmp_path / "boxes.motion.npz"), str(clip), str(out), "--frame", "99"]) == 1
