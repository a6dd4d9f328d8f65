"""What is seen of a take inside Blender: worst frames, the action as an asset, the overlay on the picture."""

import dataclasses
import time

import bpy
import numpy as np
from motions import joints_world, walking_motion
from scenes import addon, at, part
from take_scenes import CLIP, OPS, active, click, new_take, scene


def bad_motion():
    """Person 1 is off at frames 10 and 40, person 2 at 10, 25 and 41."""
    motion = walking_motion(60, people=2)
    people = {}
    for number, frames in (("1", (10, 40)), ("2", (10, 25, 41))):
        pixels = np.full(60, 3.5)
        pixels[list(frames)] = 40.0
        people[number] = dataclasses.replace(motion.people[number], reprojection=pixels)
    return dataclasses.replace(motion, people=people)


@addon
def test_worst_frames_one_after_the_other_and_round(folder):
    take = new_take(folder, bad_motion(), start_frame=101)
    one, two = part("takes").people_of(take)
    bpy.context.view_layer.objects.active = one
    scene().frame_set(101)
    seen = []
    for _ in range(6):
        assert OPS.next_worst_frame() == {"FINISHED"}
        seen.append((scene().frame_current, bpy.context.view_layer.objects.active))
    assert seen == [(111, one), (111, two), (126, two), (141, one), (142, two), (111, one)]
    for frame, person in reversed(seen[:-1]):
        OPS.previous_worst_frame()
        assert (scene().frame_current, bpy.context.view_layer.objects.active) == (frame, person)
    (first, _) = part("ratings").rated(take)
    assert first.why(111) == ["40 px off the picture"]


@addon
def test_the_strip_of_a_long_take_is_drawn_fast(folder):
    """A redraw, of which there are as many as frames while it plays, finds no worst frames anew."""
    motion = walking_motion(900, people=2)
    noise = np.abs(np.random.default_rng(0).normal(15, 15, 900))
    people = {number: dataclasses.replace(one, reprojection=noise) for number, one in motion.people.items()}
    take = new_take(folder, dataclasses.replace(motion, people=people))
    assert len(part("ratings").rated(take)[0].worst) > 20
    began = time.perf_counter()
    for _ in range(10):
        part("ratings").rated(take)
    assert time.perf_counter() - began < 0.1  # 0.003 s; it was 0.5


@addon
def test_the_current_frame_stays_where_the_take_has_it(folder):
    scene().frame_set(40)
    new_take(folder, bad_motion(), start_frame=1)
    assert scene().frame_current == 40
    scene().frame_set(90)
    new_take(folder, bad_motion(), start_frame=1)
    assert (scene().frame_current, scene().frame_end) == (1, 60)


@addon
def test_a_take_without_bad_frames_says_so(folder):
    new_take(folder)
    frame = scene().frame_current
    assert OPS.next_worst_frame() == {"CANCELLED"} and scene().frame_current == frame


@addon
def test_worst_frames_at_another_rate(folder):
    scene().render.fps, scene().frame_end = 24, 60
    take = new_take(folder, bad_motion(), set_scene_rate=False, start_frame=1)
    bpy.context.view_layer.objects.active = None
    scene().frame_set(1)
    OPS.next_worst_frame()
    assert scene().frame_current == 9 and part("ratings").rated(take)[0].why(9) == ["40 px off the picture"]


@addon
def test_an_action_is_an_asset_that_says_what_it_is_and_stays_one(folder):
    take = new_take(folder)
    action = part("takes").people_of(take)[1].animation_data.action
    said = action.asset_data
    assert said.license == "open" and said.author == "Recover Motion 0.1.0"
    assert said.description == (
        "walk past person 2, recovered from walk past.mp4, 3.5 px off the picture, feet slide 0.0 mm a frame"
    )
    assert [tag.name for tag in said.tags] == ["Recover Motion", "open"]
    name = action.name
    file = folder / "take.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))
    assert bpy.data.actions[name].asset_data.license == "open" and active().name == "walk past"
    OPS.delete_take()
    assert not bpy.data.actions
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(file), assets_only=True) as (there, _):
        assert len(there.actions) == 2


@addon
def test_the_overlay_lies_on_the_picture(folder):
    """Joints through Blender's camera object, and through the motion's own numbers."""
    for size in ((1280, 720), (720, 1280)):
        motion = walking_motion(30, people=2, image_size=size)
        K = motion.K.copy()
        K[:, 1, 1] *= 1.1  # pixels that are not square
        K[:, [0, 1], [0, 1]] *= np.linspace(1, 1.3, 30)[:, None]
        motion = dataclasses.replace(motion, K=K)
        take = new_take(folder, motion)
        poses, read = part("overlay.poses"), part("takes").motion_of(take)
        for frame in (0, 17):
            at(1 + frame)
            camera = poses.camera_of(take, read, bends=True)
            np.testing.assert_allclose(camera.K, K[frame], rtol=2e-5)
            for posed, person in zip(poses.poses_of(scene(), take, read), motion.people.values(), strict=True):
                x = joints_world(person)[frame] @ motion.R[frame].T + motion.t[frame]
                truth = x[:, :2] / x[:, 2:] * np.diag(K[frame])[:2] + K[frame][:2, 2]
                np.testing.assert_allclose(camera.pixels(camera.seen(posed.joints)), truth, atol=0.1)
                assert abs(posed.soles[:, 2]).max() < 1e-3 and len(posed.soles) == (person.contacts[frame] > 0.5).sum()


@addon
def test_the_overlay_shows_edits_and_what_was_guessed(folder):
    motion = walking_motion(30)
    confidence = np.ones((30, 24))
    confidence[9, 20] = 0.2
    motion = dataclasses.replace(motion, people={"1": dataclasses.replace(motion.people["1"], confidence=confidence)})
    take = new_take(folder, motion)
    poses = part("overlay.poses")
    at(10)
    (before,) = poses.poses_of(scene(), take, motion)
    assert np.flatnonzero(before.guessed).tolist() == [20]
    armature = part("takes").people_of(take)[0]
    armature.location.z += 0.5
    bpy.context.view_layer.update()
    (after,) = poses.poses_of(scene(), take, motion)
    np.testing.assert_allclose(after.joints - before.joints, np.tile([0, 0, 0.5], (24, 1)), atol=1e-6)
    scene().recover_motion_comparing.way = "BESIDE"
    second = new_take(folder, motion)
    click(second)
    OPS.compare_takes(take=take.name)
    bpy.context.view_layer.update()
    at(10)
    (beside,) = poses.poses_of(scene(), take, motion)  # in the picture it is where it belongs
    np.testing.assert_allclose(beside.joints, after.joints, atol=1e-5)


@addon
def test_who_is_not_in_the_clip_is_not_drawn(folder):
    take = new_take(folder, walking_motion(120, people=2, absent=(40, 79)))
    read, poses = part("takes").motion_of(take), part("overlay.poses")
    for frame, count in ((39, 2), (40, 1), (79, 1), (80, 2)):
        at(1 + frame)
        assert len(poses.poses_of(scene(), take, read)) == count


@addon
def test_the_lens_is_bent_in_the_clip_and_straight_through_the_camera(folder):
    motion = dataclasses.replace(walking_motion(30), distortion=np.array([-0.2, 0.02]))
    take = new_take(folder, motion)
    at(5)
    bends, straight = (part("overlay.poses").camera_of(take, motion, bends=bends) for bends in (True, False))
    points = joints_world(motion.people["1"])[4]
    seen, flat = (camera.pixels(camera.seen(points)) for camera in (bends, straight))
    assert np.abs(seen - flat).max() > 1
    middle = straight.K[:2, 2]
    np.testing.assert_array_less(np.linalg.norm(seen - middle, axis=1), np.linalg.norm(flat - middle, axis=1))


@addon
def test_an_open_clip_is_known_and_told_when_it_is_out_of_step(folder):
    motion = walking_motion(30)
    motion.meta["video"]["start"] = 12
    take = new_take(folder, motion, start_frame=5)
    over = part("overlay.over_clip")
    assert over.shows(take.recover_motion.clip, take)
    clip = bpy.data.movieclips.load(str(CLIP))
    assert over.shows(clip, take)
    other = folder / "other.mp4"
    other.write_bytes(CLIP.read_bytes())
    assert not over.shows(bpy.data.movieclips.load(str(other)), take)
    scene().frame_set(5)
    clip.frame_start = 5 - 12
    assert over.out_of_step(scene(), take, motion, clip) == 0
    clip.frame_start = 5
    clip.frame_offset = 12
    assert over.out_of_step(scene(), take, motion, clip) == 0
    clip.frame_offset = 0
    assert over.out_of_step(scene(), take, motion, clip) == -12
