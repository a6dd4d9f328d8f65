"""A prediction against the truth: who is whom, who is missed, and that only what differs counts."""

import json
from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.command import evaluate_command
from ghmr_engine.evaluate.compare import compare, evaluate_files, table
from ghmr_engine.evaluate.matching import identity_switches, match_people, overlaps
from ghmr_engine.evaluate.tracks import tracks_of
from ghmr_engine.motion_file import MotionFileError, read_motion, write_motion
from ghmr_engine.posed import pose_person, rotation_matrices
from tests.motions import joints_world, walking_motion

ERRORS = ("pa_mpjpe_mm", "mpjpe_mm", "accel_mps2", "wa_mpjpe100_mm", "w_mpjpe100_mm", "rte_percent", "tilt_deg")
ZERO = dict.fromkeys(ERRORS, pytest.approx(0, abs=1e-6))


def errors_of(measures):
    return {name: getattr(measures, name) for name in ERRORS}


def only(tracks, *people):
    return replace(tracks, people=people)


def at(person, frames):
    """Those places of a person's frames."""
    arrays = {key: getattr(person, key)[frames] for key in ("frames", "joints", "feet", "contacts", "in_view")}
    return replace(person, **arrays)


@pytest.fixture(scope="module")
def two():
    """Tracks of two people, both in view in all of 40 frames."""
    return tracks_of(walking_motion(frames=40, people=2), None)


@pytest.fixture(scope="module")
def shaken(two):
    """The same, badly recovered."""
    rng = np.random.default_rng(0)
    noise = [(rng.normal(0, 0.03, p.joints.shape), rng.normal(0, 0.02, p.feet.shape)) for p in two.people]
    people = tuple(
        replace(p, joints=p.joints + a, feet=p.feet + b) for p, (a, b) in zip(two.people, noise, strict=True)
    )
    rocking = rotation_matrices(rng.normal(0, 0.01, (40, 3)))
    K = two.K * np.array([1.05, 1.05, 1.0])
    return replace(two, people=people, R=rocking @ two.R, t=two.t + rng.normal(0, 0.01, (40, 3)), K=K)


class TestTracks:
    def test_joints_are_those_of_a_plain_loop(self):
        motion = walking_motion(frames=12, people=2, absent=(3, 5))
        for person in tracks_of(motion, None).people:
            np.testing.assert_allclose(person.joints, joints_world(motion.people[person.name]), atol=1e-9)

    def test_foot_points_are_those_of_the_posed_mesh(self):
        motion = walking_motion(frames=12, people=2, absent=(3, 5))
        for person in tracks_of(motion, None).people:
            points = [pose_person(motion, person.name, frame).contact_points for frame in person.frames]
            np.testing.assert_allclose(person.feet, points, atol=1e-9)

    def test_without_a_mesh_ankles_and_foot_joints_stand_in(self):
        motion = walking_motion(frames=5)
        bare = replace(motion.people["1"], vertices=np.zeros((0, 3)), weights=np.zeros((0, 24)))
        (person,) = tracks_of(replace(motion, people={"1": bare}), None).people
        np.testing.assert_array_equal(person.feet, person.joints[:, [7, 10, 8, 11]])

    def test_with_the_same_body_its_own_foot_points(self, body):
        motion = walking_motion(frames=5)
        betas = np.linspace(-1, 1, 10)
        rest = body.rest_joints(torch.as_tensor(betas, dtype=torch.float32)).numpy()
        own = replace(motion.people["1"], betas=betas, joints=rest)
        (person,) = tracks_of(replace(motion, people={"1": own}), body).people
        tensors = [torch.as_tensor(x, dtype=torch.float32) for x in (rotation_matrices(own.poses), own.transl, betas)]
        posed = body.forward(*tensors)
        np.testing.assert_allclose(person.feet, posed.contacts.numpy(), atol=1e-6)
        np.testing.assert_allclose(person.joints, posed.joints.numpy(), atol=1e-5)
        off = replace(own, joints=rest + np.array([0.002, 0, 0]))
        (other,) = tracks_of(replace(motion, people={"1": off}), body).people
        assert np.abs(other.feet - person.feet).max() > 0.005

    def test_who_is_hidden_or_outside_is_not_in_view(self):
        motion = walking_motion(frames=30)
        person = motion.people["1"]
        confidence = np.ones((30, 24))
        confidence[5, :17] = 0.2  # 7 of 24 sure: under a third
        confidence[6, :16] = 0.2  # 8: a third
        transl = person.transl.copy()
        transl[10] += [0, 0, 9]  # above the picture
        transl[11] += [0, -40, 0]  # behind the camera
        changed = replace(person, confidence=confidence, transl=transl)
        (track,) = tracks_of(replace(motion, people={"1": changed}), None).people
        assert np.flatnonzero(~track.in_view).tolist() == [5, 10, 11]

    def test_half_in_the_picture_is_in_view(self):
        """A picture that ends at the median joint, and just before it."""
        motion = walking_motion(frames=1)
        (track,) = tracks_of(motion, None).people
        seen = track.joints[0] @ motion.R[0].T + motion.t[0]
        x = np.sort((seen @ motion.K[0].T)[:, 0] / seen[:, 2])
        for left, expected in ((x[12] - 0.01, True), (x[12] + 0.01, False)):
            K = motion.K.copy()
            K[:, 0, 2] -= left + 0.5
            assert tracks_of(replace(motion, K=K), None).people[0].in_view.tolist() == [expected]


class TestSame:
    def test_the_truth_against_itself_is_perfect(self, two):
        report = compare(two, two)
        for person in report.people:
            assert errors_of(person.measures) == ZERO
            assert person.measures.contact_f1 == 1.0
            assert (person.frames_in_view, person.frames_missed, person.missed) == (40, 0, 0.0)
            assert person.found == person.name
        assert (report.false_people, report.identity_switches, report.missed) == (0, 0, 0.0)
        camera = asdict(report.camera)
        assert camera.pop("scale") == pytest.approx(1.0)
        assert camera.pop("drift_mm") > 100  # the camera moves
        assert camera == dict.fromkeys(camera, pytest.approx(0, abs=1e-9))

    def test_a_bad_one_is_worse_in_everything(self, two, shaken):
        report = compare(shaken, two)
        assert all(value > 0.1 for value in errors_of(report.mean).values())
        assert 20 < report.mean.mpjpe_mm < 100
        assert report.mean.foot_sliding_mm > 10 > compare(two, two).mean.foot_sliding_mm
        assert report.camera.focal_percent == pytest.approx(5.0)
        assert report.camera.rotation_deg > 0.3
        assert report.camera.path_percent > 0.1

    def test_the_heading_and_place_of_the_predicted_world_do_not_matter(self, two, shaken):
        turn, shift = rotation_matrices(np.array([0, 0, 2.1])), np.array([4.0, -3.0, 0.0])
        people = tuple(
            replace(p, joints=p.joints @ turn.T + shift, feet=p.feet @ turn.T + shift) for p in shaken.people
        )
        R = shaken.R @ turn.T
        moved = replace(shaken, people=people, R=R, t=shaken.t - R @ shift)
        before, after = compare(shaken, two).as_dict(), compare(moved, two).as_dict()
        for one in (before, after):
            one["mean"].pop("pve_mm")  # the meshes were not turned along
        assert after["mean"] == pytest.approx(before["mean"], rel=1e-6)
        assert after["camera"] == pytest.approx(before["camera"], rel=1e-6)
        assert after["missed"] == before["missed"]

    def test_a_world_ten_percent_too_large_sets_people_ten_percent_too_far_apart(self, two):
        larger = tuple(replace(person, joints=1.1 * person.joints) for person in two.people)
        assert compare(replace(two, people=larger), two).apart_percent == pytest.approx(10.0)
        assert compare(two, two).apart_percent == pytest.approx(0.0)
        assert compare(only(two, two.people[0]), only(two, two.people[0])).apart_percent is None
        assert compare(only(two, two.people[0]), two).apart_percent is None

    def test_jitter_and_sinking_are_those_of_the_prediction(self, two):
        one = two.people[0]
        joints = one.joints[0] + 0.01 * (np.arange(40) / 30)[:, None, None] ** 3 * np.array([0, 0, 100.0])
        found = replace(one, joints=joints, feet=one.feet - np.array([0, 0, one.feet[..., 2].max() + 0.012]))
        measures = compare(only(two, found), only(two, one)).people[0].measures
        assert measures.jitter == pytest.approx(0.6)
        assert measures.penetration_mm >= 12

    def test_meshes_give_pve(self, two):
        one = two.people[0]
        mesh = one.joints[:, :10]
        found = only(two, replace(one, mesh=lambda rows: mesh[rows]))
        moved = mesh.copy()
        moved[:, 3, 2] += 0.05
        true = only(two, replace(one, mesh=lambda rows: moved[rows]))
        assert compare(found, true).people[0].measures.pve_mm == pytest.approx(5.0)
        assert compare(found, only(two, one)).people[0].measures.pve_mm is None


class TestWho:
    def test_names_and_their_order_say_nothing(self, two):
        first, second = two.people
        report = compare(only(two, replace(second, name="1"), replace(first, name="9")), two)
        assert [person.found for person in report.people] == ["9", "1"]
        assert all(errors_of(person.measures) == ZERO for person in report.people)
        assert report.identity_switches == 0

    def test_who_is_not_found_has_no_measures_and_is_missed(self, two):
        report = compare(only(two, two.people[1]), two)
        lost, met = report.people
        assert (lost.found, lost.measures, lost.missed, lost.frames_missed) == (None, None, 1.0, 40)
        assert errors_of(met.measures) == ZERO
        assert errors_of(report.mean) == ZERO
        assert report.missed == 0.5
        nobody = compare(only(two), two)
        assert (nobody.mean, nobody.missed, nobody.false_people) == (None, 1.0, 0)

    def test_who_is_not_there_is_false(self, two):
        ghost = at(two.people[1], slice(0, 7))
        report = compare(only(two, two.people[0], ghost), only(two, two.people[0]))
        assert (report.false_people, report.false_frames, report.missed) == (1, 7, 0.0)
        assert compare(two, only(two)).false_frames == 80

    @pytest.mark.parametrize(("by", "least", "most"), [(0.5, 0.01, 0.1), (1.5, 0.0, 0.0)])
    def test_somebody_elsewhere_in_the_picture_is_no_match(self, two, by, least, most):
        one = two.people[0]
        away, true = only(two, replace(one, joints=one.joints + np.array([by, 0, 0]))), only(two, one)
        assert least <= np.nanmean(overlaps(away, true)) <= most
        report = compare(away, true)
        assert (report.people[0].found, report.people[0].missed, report.false_people) == (None, 1.0, 1)

    def test_a_short_track_in_the_right_place_yields_to_the_long_one(self, two):
        one = two.people[0]
        long = replace(one, name="long", joints=one.joints + np.array([0.05, 0, 0]))
        report = compare(only(two, replace(at(one, slice(0, 5)), name="short"), long), only(two, one))
        assert report.people[0].found == "long"
        assert (report.false_people, report.false_frames) == (1, 5)

    def test_two_who_change_places_switch_once_each(self, two):
        first, second = two.people
        halves = [
            replace(a, **{k: np.concatenate([getattr(a, k)[:20], getattr(b, k)[20:]]) for k in ("joints", "feet")})
            for a, b in ((first, second), (second, first))
        ]
        report = compare(only(two, *halves), two)
        assert [person.identity_switches for person in report.people] == [1, 1]
        assert report.identity_switches == 2
        assert report.mean.wa_mpjpe100_mm > 100

    def test_switches_are_changes_of_the_best(self):
        assert identity_switches(np.array([[0.9, 0.9, 0.1, 0.9], [0.2, np.nan, 0.8, 0.2]])) == 2
        assert identity_switches(np.array([[0.9, 0.9, 0.1, 0.9], [0.2, np.nan, 0.3, 0.2]])) == 0  # 0.3 is not over it
        assert identity_switches(np.array([[0.9, np.nan, np.nan], [np.nan, np.nan, 0.8]])) == 1
        assert identity_switches(np.zeros((0, 5))) == 0

    def test_overlap_decides_and_not_the_order(self, two):
        matching = match_people(only(two, *two.people[::-1]), two)
        assert matching.pairs == {"1": "1", "2": "2"}


class TestWhen:
    def test_half_of_the_frames_are_missed_and_the_rest_is_measured(self, two):
        report = compare(only(two, *(at(person, slice(0, 20)) for person in two.people)), two)
        assert report.missed == 0.5
        assert [person.frames_missed for person in report.people] == [20, 20]
        assert errors_of(report.mean) == ZERO

    def test_every_second_frame_has_poses_and_no_accelerations(self, two):
        report = compare(only(two, *(at(person, slice(0, None, 2)) for person in two.people)), two)
        assert report.mean.pa_mpjpe_mm == pytest.approx(0, abs=1e-6)
        assert report.mean.rte_percent == pytest.approx(0, abs=1e-6)
        assert (report.mean.accel_mps2, report.mean.jitter, report.mean.foot_sliding_mm) == (None, None, None)

    def test_what_is_out_of_view_counts_for_nothing(self, two, shaken):
        in_view = np.arange(40) < 10
        true = only(two, *(replace(person, in_view=in_view) for person in two.people))
        good = tuple(
            replace(p, joints=np.where(in_view[:, None, None], q.joints, p.joints))
            for p, q in zip(shaken.people, two.people, strict=True)
        )
        report = compare(only(two, *good), true)
        assert errors_of(report.mean) == ZERO
        assert report.people[0].frames_in_view == 10

    def test_who_is_never_in_view_is_neither_measured_nor_missed(self, two):
        unseen = replace(two.people[1], in_view=np.zeros(40, bool))
        report = compare(two, only(two, two.people[0], unseen))
        assert (report.people[1].measures, report.people[1].missed, report.missed) == (None, None, 0.0)
        assert report.false_people == 0  # the person is there, if hidden

    def test_the_mean_weighs_people_by_their_frames_in_view(self, two):
        """Person 1 in 10 frames, one joint 48 mm off (2 mm), person 2 in 40, perfect: 0.4 mm."""
        first, second = two.people
        joints = first.joints.copy()
        joints[:, 15, 2] += 0.048
        true = only(two, replace(first, in_view=np.arange(40) < 10), second)
        report = compare(only(two, replace(first, joints=joints), second), true)
        assert report.people[0].measures.mpjpe_mm == pytest.approx(2.0)
        assert report.mean.mpjpe_mm == pytest.approx(0.4)

    def test_one_common_frame(self, two):
        report = compare(only(two, at(two.people[0], slice(3, 4))), only(two, two.people[0]))
        assert report.people[0].frames_missed == 39
        assert report.mean.wa_mpjpe100_mm == pytest.approx(0, abs=1e-6)
        assert report.mean.w_mpjpe100_mm is None


class TestFiles:
    def test_the_golden_truth_against_itself(self, demo_clip):
        truth = demo_clip.with_name("demo.truth.npz")
        report = evaluate_files(truth, truth)
        assert errors_of(report.mean) == ZERO
        assert report.mean.contact_f1 == 1.0
        assert report.mean.foot_sliding_mm < 2
        assert (report.people[0].frames_in_view, report.missed, report.false_people) == (150, 0.0, 0)

    def test_the_golden_truth_against_a_copy_with_known_changes(self, demo_clip, tmp_path):
        """30 mm in the last 25 of 150 frames: W 5 mm; focal + 10 %; the first 15 contacts of a foot point turned."""
        truth = demo_clip.with_name("demo.truth.npz")
        motion = read_motion(truth)
        person = motion.people["1"]
        transl, contacts = person.transl.copy(), person.contacts.copy()
        transl[125:, 1] += 0.03
        contacts[:15, 0] = 1 - contacts[:15, 0]
        changed = replace(person, transl=transl, contacts=contacts)
        K = motion.K * np.array([1.1, 1.1, 1.0])
        write_motion(tmp_path / "found.npz", replace(motion, K=K, people={"7": changed}))
        report = evaluate_files(tmp_path / "found.npz", truth)
        assert report.people[0].found == "7"
        assert report.mean.w_mpjpe100_mm == pytest.approx(5.0, abs=1e-3)
        assert report.mean.pa_mpjpe_mm == pytest.approx(0, abs=1e-3)
        assert report.mean.mpjpe_mm == pytest.approx(0, abs=1e-3)
        assert report.camera.focal_percent == pytest.approx(10.0, abs=1e-3)
        true, found = (x > 0.5 for x in (person.contacts, contacts))
        assert report.mean.contact_f1 == pytest.approx(1 - 15 / (true.sum() + found.sum()))

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"frames": 41}, "frames_differ"),
            ({"frames": 40, "fps": Fraction(25)}, "fps_differ"),
            ({"frames": 40, "image_size": (640, 360)}, "size_differs"),
        ],
    )
    def test_files_of_different_clips_are_refused_in_one_line(self, two, change, code):
        with pytest.raises(RecoverError) as raised:
            compare(tracks_of(walking_motion(**change), None), two)
        assert raised.value.code == code
        assert "\n" not in str(raised.value)

    def test_29_97_is_30000_by_1001(self):
        found, true = (
            tracks_of(walking_motion(frames=4, fps=fps), None) for fps in (Fraction(2997, 100), Fraction(30000, 1001))
        )
        assert compare(found, true).missed == 0.0

    def test_a_missing_file_says_so(self, tmp_path, demo_clip):
        with pytest.raises(MotionFileError, match="no file"):
            evaluate_files(tmp_path / "nothing.npz", demo_clip.with_name("demo.truth.npz"))

    def test_the_command_prints_a_table_or_json(self, tmp_path, capsys):
        both, one = tmp_path / "both.npz", tmp_path / "one.npz"
        motion = walking_motion(frames=40, people=2)
        write_motion(both, motion)
        write_motion(one, replace(motion, people={"1": motion.people["1"]}))
        evaluate_command(one, both, as_json=True)
        told = json.loads(capsys.readouterr().out)
        assert [person["found"] for person in told["people"]] == ["1", None]
        assert told["people"][1]["measures"] is None
        assert told["mean"]["contact_f1"] == 1.0
        evaluate_command(one, both, as_json=False)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[2:]] == ["1", "2", "mean", "false", "camera:"]
        assert lines[3].split()[1:4] == ["-", "40", "100.0"]
        assert max(map(len, lines)) < 130

    def test_the_table_s_heads_stand_over_their_figures(self, two, shaken):
        report = compare(shaken, two)
        head, _, first, *_ = table(report).splitlines()
        each = report.people[0].measures
        for name, value in (("PA", each.pa_mpjpe_mm), ("W", each.w_mpjpe100_mm), ("slide", each.foot_sliding_mm)):
            end = head.index(f" {name} ") + 1 + len(name)
            assert float(first[:end].split()[-1]) == pytest.approx(value, abs=0.05)
        assert table(compare(only(two), two)).splitlines()[-3].split()[0] == "mean"
