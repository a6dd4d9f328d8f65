"""Every measure against answers worked out by hand."""

import numpy as np
import pytest

from ghmr_engine.evaluate import measures
from ghmr_engine.evaluate.alignment import apply, nearest_rotation, similarity

FPS = 30.0


def turn(axis, degrees):
    """(3, 3) about x, y or z."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    a, b = [k for k in range(3) if k != "xyz".index(axis)]
    R = np.eye(3)
    R[a, a] = R[b, b] = c
    R[a, b], R[b, a] = (s, -s) if axis == "y" else (-s, s)
    return R


def figure(frames=1):
    """(frames, 24, 3) m: the same irregular set of joints in every frame."""
    joints = np.random.default_rng(3).uniform(-0.5, 0.5, (24, 3)) * [0.6, 0.3, 1.8] + [0, 0, 1]
    return np.tile(joints, (frames, 1, 1))


class TestAlignment:
    def test_a_known_similarity_comes_back(self):
        true_s, true_R, true_t = 1.7, turn("x", 40) @ turn("z", -70), np.array([3.0, -2, 0.5])
        points = figure()[0]
        s, R, t = similarity(points, apply(true_s, true_R, true_t, points))
        assert s == pytest.approx(true_s)
        np.testing.assert_allclose(R, true_R, atol=1e-12)
        np.testing.assert_allclose(t, true_t, atol=1e-12)

    def test_a_mirrored_figure_is_not_mirrored_back(self):
        points = figure()
        _, R, _ = similarity(points * [-1, 1, 1], points)
        assert np.linalg.det(R[0]) == pytest.approx(1.0)
        assert measures.pa_mpjpe(points * [-1, 1, 1], points) > 20

    @pytest.mark.parametrize("which", ["found", "true", "both"])
    def test_a_single_point_gives_scale_1_and_finite_numbers(self, which):
        point, cloud = np.full((5, 3), 7.3), np.random.default_rng(0).normal(size=(5, 3))
        found = cloud if which == "true" else point
        true = cloud if which == "found" else point
        s, R, t = similarity(found, true)
        assert s == 1.0
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(apply(s, R, t, found).mean(0), true.mean(0), atol=1e-12)

    def test_without_scale_the_size_stays(self):
        points = figure()
        s, R, _ = similarity(2 * points, points, scale=False)
        assert s[0] == 1.0
        np.testing.assert_allclose(R[0], np.eye(3), atol=1e-12)

    def test_a_batch_is_a_loop(self):
        rng = np.random.default_rng(1)
        found, true = rng.normal(size=(2, 4, 3, 6, 3))
        s, R, t = similarity(found, true)
        for k in np.ndindex(4, 3):
            one = similarity(found[k], true[k])
            for whole, part in zip((s, R, t), one, strict=True):
                np.testing.assert_allclose(whole[k], part, atol=1e-12)

    def test_no_other_similarity_is_nearer(self):
        rng = np.random.default_rng(2)
        found, true = rng.normal(size=(2, 9, 3))
        s, R, t = similarity(found, true)
        best = np.square(apply(s, R, t, found) - true).sum()
        for _ in range(50):
            other = (s + rng.normal() / 50, turn("xyz"[rng.integers(3)], rng.normal()) @ R, t + rng.normal(size=3) / 50)
            assert np.square(apply(*other, found) - true).sum() > best

    def test_the_mean_of_two_turns_is_the_one_between(self):
        np.testing.assert_allclose(nearest_rotation(turn("y", 10) + turn("y", 50)), turn("y", 30), atol=1e-12)


class TestPose:
    def test_a_shift_of_30_mm_is_30_mm_and_none_where_it_is_centred(self):
        true = figure(3)
        found = true + np.array([0, 0.03, 0])
        assert measures.mpjpe(found, true) == pytest.approx(30.0)
        centred = measures.mpjpe(measures.centred(found, found), measures.centred(true, true))
        assert centred == pytest.approx(0, abs=1e-9)
        assert measures.pa_mpjpe(found, true) == pytest.approx(0, abs=1e-9)

    def test_one_joint_off_by_48_mm_is_2_mm_and_a_hip_is_24_mm(self):
        """A hip moves the centre by half of its way: itself and the 23 others are then 24 mm off."""
        true = figure(2)
        for joint, answer in ((15, 2.0), (1, 24.0)):
            found = true.copy()
            found[:, joint, 0] += 0.048
            error = measures.mpjpe(measures.centred(found, found), measures.centred(true, true))
            assert error == pytest.approx(answer)

    def test_pa_takes_size_turn_and_place_of_each_frame_away(self):
        true = figure(2)
        found = np.stack([1.1 * true[0] @ turn("x", 30).T + 4, 0.8 * true[1] @ turn("z", 170).T])
        assert measures.pa_mpjpe(found, true) == pytest.approx(0, abs=1e-9)
        assert measures.mpjpe(1.1 * true, true) == pytest.approx(100 * np.linalg.norm(true, axis=-1).mean())

    def test_pa_of_a_body_that_breathes(self):
        """Two points at +-1 m seen at +-1 m and two more 10 mm off, across: worked out with s = S / (S + d^2)."""
        true = np.array([[[-1.0, 0, 0], [-1, 0, 0], [1, 0, 0], [1, 0, 0]]])
        found = true + np.array([0, 0.01, 0]) * np.array([1, -1, 1, -1])[:, None]
        s = 4 / (4 + 4 * 0.01**2)
        assert measures.pa_mpjpe(found, true) == pytest.approx(1000 * np.hypot(1 - s, 0.01 * s))

    def test_pve_is_mpjpe_on_vertices(self):
        joints, vertices = figure(), np.random.default_rng(5).normal(size=(1, 100, 3))
        moved = vertices.copy()
        moved[0, 7] += [0, 0, 0.2]
        a, b = measures.centred(moved, joints), measures.centred(vertices, joints)
        assert measures.mpjpe(a, b) == pytest.approx(2.0)

    def test_tilt_counts_leaning_and_not_heading(self):
        true = figure(4)
        assert measures.upright_tilt(true @ turn("z", 80).T, true) == pytest.approx(0, abs=1e-9)
        assert measures.upright_tilt(true @ (turn("z", 80) @ turn("x", 10)).T, true) == pytest.approx(10.0)


class TestTime:
    def test_accel_of_a_steady_pull_is_its_acceleration(self):
        for fps in (10.0, 30.0):
            true = figure(9)
            found = true.copy()
            found[..., 2] += 0.5 * 4.0 * ((np.arange(9) / fps) ** 2)[:, None]
            assert measures.accel(np.arange(9), found, true, fps) == pytest.approx(4.0)
            assert measures.accel(np.arange(9), true + 1, true, fps) == pytest.approx(0.0, abs=1e-6)

    def test_jitter_of_t_cubed_is_six_tenths(self):
        joints = figure(9)
        joints[..., 0] += ((np.arange(9) / FPS) ** 3)[:, None]
        assert measures.jitter(np.arange(9), joints, FPS) == pytest.approx(0.6)

    def test_nothing_in_time_reaches_across_a_gap(self):
        frames = np.array([0, 1, 2, 3, 20, 21, 22, 23])
        true, far = figure(8), figure(8)
        far[4:] += 5.0
        assert measures.accel(frames, far, true, FPS) == pytest.approx(0.0, abs=1e-9)
        assert measures.jitter(frames, far, FPS) == pytest.approx(0.0, abs=1e-9)
        assert measures.foot_sliding(frames, far[:, :4], true[:, :4]) == pytest.approx(0.0)
        whole = np.arange(8)
        assert measures.accel(whole, far, true, FPS) > 1000
        assert measures.foot_sliding(whole, far[:, :4], true[:, :4]) > 1000

    def test_every_second_frame_has_no_differences(self):
        frames = np.arange(0, 16, 2)
        assert measures.accel(frames, figure(8), figure(8), FPS) is None
        assert measures.jitter(frames, figure(8), FPS) is None
        assert measures.foot_sliding(frames, figure(8)[:, :4], figure(8)[:, :4]) is None


class TestWorld:
    def test_w_sees_drift_after_the_first_two_frames(self):
        true = figure(4)
        found = true + np.array([0, 0, 0.03, 0.06])[:, None, None] * np.array([1.0, 0, 0])
        assert measures.w_mpjpe100(found, true) == pytest.approx(22.5)

    def test_wa_of_a_body_that_hops_between_two_places(self):
        """+-d in turn: the fit is no turn and s = S / (S + 24 d^2), S the spread of the joints in a frame."""
        true, d = figure(6), np.array([0.0, 0.1, 0])
        found = true + np.array([1, -1, 1, -1, 1, -1])[:, None, None] * d
        spread = true[0] - true[0].mean(0)
        size = np.square(spread).sum()
        s = size / (size + 24 * 0.1**2)
        answer = np.mean([np.linalg.norm(s * (spread + sign * d) - spread, axis=1) for sign in (1, -1)])
        assert measures.wa_mpjpe100(found, true) == pytest.approx(1000 * answer)
        assert 50 < 1000 * answer < 100

    def test_each_hundred_has_a_similarity_of_its_own(self):
        true = figure(200) + 0.01 * np.arange(200)[:, None, None]
        found = true.copy()
        found[100:] = 1.3 * true[100:] @ turn("z", 90).T + 7
        assert measures.wa_mpjpe100(found, true) == pytest.approx(0, abs=1e-9)
        assert measures.w_mpjpe100(found, true) == pytest.approx(0, abs=1e-9)
        late = np.concatenate([found[50:], found[:50]]), np.concatenate([true[50:], true[:50]])
        assert measures.wa_mpjpe100(*late) > 100

    def test_a_short_last_chunk_weighs_by_its_frames(self):
        """30 mm in the last 25 of 150 frames: 5 mm a frame, not the mean of 0 and 15."""
        true = figure(150)
        found = true.copy()
        found[125:, :, 1] += 0.03
        assert measures.w_mpjpe100(found, true) == pytest.approx(5.0)

    def test_a_single_last_frame_stays_with_the_chunk_before(self):
        true = figure(101)
        found = true.copy()
        found[100, :, 0] += 0.101
        assert measures.w_mpjpe100(found, true) == pytest.approx(1.0)

    def test_rte_of_a_path_at_1_02_of_its_size(self):
        """0.02 |x - 1| on 2 m in steps of 0.1 m: mean 0.02 * 11 / 21 m, in percent of 2 m; a turn takes nothing."""
        true = np.zeros((21, 3))
        true[:, 0] = np.linspace(0, 2, 21)
        found = 1.02 * true @ turn("z", 123).T + [5, 6, 7]
        assert measures.rte(found, true) == pytest.approx(100 * 0.02 * 11 / 21 / 2)

    def test_there_is_no_rte_where_nobody_goes(self):
        true = np.zeros((10, 3))
        true[:, 0] = np.linspace(0, 0.19, 10)
        assert measures.rte(true, true) is None
        assert measures.rte(true * 2, true * 2) == pytest.approx(0, abs=1e-9)


class TestFeet:
    def test_a_foot_that_moves_5_mm_while_the_true_one_is_still(self):
        true = np.zeros((6, 4, 3))
        found = true.copy()
        found[..., 1] = 0.005 * np.arange(6)[:, None]
        assert measures.foot_sliding(np.arange(6), found, true) == pytest.approx(5.0)

    def test_only_points_that_truly_rest_slide(self):
        true, found = np.zeros((6, 4, 3)), np.zeros((6, 4, 3))
        true[:, 1:, 0] = np.arange(6)[:, None] * np.array([0.0099, 0.0101, 0.5])
        found[..., 0] = np.arange(6)[:, None] * np.array([0.002, 0.004, 1.0, 1.0])
        assert measures.foot_sliding(np.arange(6), found, true) == pytest.approx(3.0)
        assert measures.foot_sliding(np.arange(6), found[:, 2:], true[:, 2:]) is None

    def test_penetration_is_a_mean_over_all_points(self):
        feet = np.full((2, 4, 3), 0.1)
        feet[0, 2, 2] = -0.016
        assert measures.penetration(feet) == pytest.approx(2.0)

    def test_contact_f1_of_a_table(self):
        """3 hits, 1 false alarm, 2 misses: 2 * 3 / (4 + 5)."""
        true = np.array([[0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.9, 0.1]])
        found = np.array([[0.8, 0.2, 0.6, 0.1], [0.7, 0.7, 0.5, 0.1]])
        assert measures.contact_f1(found, true) == (pytest.approx(6 / 9), "")

    def test_without_contacts_there_is_no_f1_and_it_says_why(self):
        none, some = np.zeros((3, 4)), np.ones((3, 4))
        assert measures.contact_f1(none, none) == (None, "no foot touches the ground in either")
        assert measures.contact_f1(None, some) == (None, "no contacts in the prediction")
        assert measures.contact_f1(some, None) == (None, "no contacts in the truth")
        assert measures.contact_f1(none, some) == (0.0, "")


class TestOneFrame:
    def test_what_needs_no_time_is_there_and_the_rest_is_not(self):
        one, frames = figure(), np.array([4])
        for measure in (measures.pa_mpjpe, measures.mpjpe, measures.wa_mpjpe100, measures.upright_tilt):
            assert measure(one + 0.0, one) == pytest.approx(0, abs=1e-9)
        assert measures.w_mpjpe100(one, one) is None
        assert measures.rte(one[:, 0], one[:, 0]) is None
        assert measures.accel(frames, one, one, FPS) is None
        assert measures.jitter(frames, one, FPS) is None
        assert measures.foot_sliding(frames, one[:, :4], one[:, :4]) is None

    def test_no_frames_give_nothing(self):
        none = figure()[:0]
        for measure in (measures.pa_mpjpe, measures.mpjpe, measures.wa_mpjpe100, measures.w_mpjpe100, measures.rte):
            assert measure(none, none) is None


class TestCamera:
    @staticmethod
    def camera(centres, R=None, focal=700.0):
        """R, t, K of a camera at centres (T, 3) m."""
        R = np.tile(turn("x", -90), (len(centres), 1, 1)) if R is None else R
        K = np.tile(np.diag([focal, focal, 1.0]), (len(centres), 1, 1))
        return R, -np.einsum("nij,nj->ni", R, centres), K

    def test_ten_degrees_in_half_of_the_frames_are_five_in_all(self):
        """The best turn of the world takes the middle of both."""
        centres = np.zeros((8, 3))
        true = self.camera(centres)
        R = true[0].copy()
        R[4:] = turn("y", 10) @ R[4:]
        got = measures.camera(self.camera(centres, R), true)
        assert got.rotation_deg == pytest.approx(5.0)
        assert got.rotation_rms_deg == pytest.approx(5.0)
        assert got.tilt_deg == pytest.approx(0.0, abs=1e-9)  # the camera's y is the world's up: up stays

    def test_a_turned_world_is_no_error_and_a_leaning_one_is_a_tilt_only(self):
        centres = np.random.default_rng(0).normal(size=(8, 3))
        true = self.camera(centres, np.array([turn("x", -90) @ turn("z", 9 * k) for k in range(8)]))
        for world, tilt in ((turn("z", 50), 0.0), (turn("z", 50) @ turn("x", 7), 7.0)):
            got = measures.camera(self.camera(centres @ world.T, true[0] @ world.T), true)
            assert got.rotation_deg == pytest.approx(0.0, abs=1e-9)
            assert got.path_percent == pytest.approx(0.0, abs=1e-9)
            assert got.tilt_deg == pytest.approx(tilt, abs=1e-9)
            assert got.scale == pytest.approx(1.0)

    def test_a_camera_that_looks_the_other_way_after_a_while(self):
        """A third of the frames turned by 180 degrees: half turns are the arc cosine's and arc sine's weak places."""
        true = self.camera(np.zeros((3, 3)))
        R = true[0].copy()
        R[2] = turn("z", 180) @ R[2]
        got = measures.camera(self.camera(np.zeros((3, 3)), R), true)
        assert got.rotation_deg == pytest.approx(60.0)
        assert got.rotation_rms_deg == pytest.approx(180 / np.sqrt(3))

    def test_a_path_at_another_scale_is_the_scale_alone(self):
        centres = np.random.default_rng(1).normal(size=(9, 3))
        got = measures.camera(self.camera(1.05 * centres + 3), self.camera(centres))
        assert got.path_percent == pytest.approx(0.0, abs=1e-9)
        assert got.scale == pytest.approx(1.05)

    def test_a_path_that_weaves(self):
        """0, 1, 2, 3 m with 0.1 m across, not along the line's slope: s = 5 / 5.04; 3 m long."""
        true = np.outer(np.arange(4), [1.0, 0, 0])
        found = true + np.outer([0.1, -0.1, -0.1, 0.1], [0, 0, 1])
        s = 5 / (5 + 4 * 0.01)
        answer = np.mean([np.hypot((1 - s) * x, 0.1 * s) for x in (-1.5, -0.5, 0.5, 1.5)])
        got = measures.camera(self.camera(found), self.camera(true))
        assert got.path_percent == pytest.approx(100 * answer / 3)
        assert got.scale == pytest.approx(1.0)

    def test_shaking_makes_no_path_larger(self):
        """0, 1, 2, 3 m, found half as large, with 0.1 m up and down that are no part of it: 0.5 all the same."""
        true = np.outer(np.arange(4), [1.0, 0, 0])
        got = measures.camera(self.camera(0.5 * true + np.outer([0.1, -0.1, -0.1, 0.1], [0, 0, 1])), self.camera(true))
        assert got.scale == pytest.approx(0.5)

    def test_a_path_that_was_not_found_has_no_size(self):
        true = np.outer(np.arange(4), [1.0, 0, 0])
        assert measures.camera(self.camera(np.ones((4, 3))), self.camera(true)).scale == 0.0

    @pytest.mark.parametrize("turned_deg", [0.0, 0.02])
    @pytest.mark.parametrize("moved_m", [0.0, 0.002])
    def test_a_camera_stands_where_it_neither_turns_nor_moves(self, turned_deg, moved_m):
        true = self.camera(np.zeros((3, 3)))
        R = true[0].copy()
        R[1] = turn("y", turned_deg) @ R[1]
        got = measures.camera(self.camera(np.outer([0, 1.0, 0], [moved_m, 0, 0]), R), true)
        assert got.truly_stands
        assert got.stands == (turned_deg == moved_m == 0)

    def test_of_a_still_camera_the_drift_is_told(self):
        found = np.outer([0.02, -0.02, 0.02, -0.02], [0, 1.0, 0]) + 5
        got = measures.camera(self.camera(found), self.camera(np.zeros((4, 3))))
        assert got.drift_mm == pytest.approx(20.0)
        assert got.path_percent is None
        assert got.scale is None

    def test_a_focal_length_a_tenth_too_long(self):
        centres = np.zeros((2, 3))
        got = measures.camera(self.camera(centres, focal=770.0), self.camera(centres))
        assert got.focal_percent == pytest.approx(10.0)

    def test_one_frame(self):
        got = measures.camera(self.camera(np.ones((1, 3))), self.camera(np.zeros((1, 3))))
        assert (got.rotation_deg, got.drift_mm, got.path_percent) == (pytest.approx(0, abs=1e-9), 0.0, None)
