"""Motion capture files of five forms: places worked out by hand, real clips that look like people, clear errors."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from captures import extract
from mocap_files import PERSON, amc, asf, bvh, expmap, humanoid, written
from scipy.spatial.transform import Rotation

from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.mocap import Capture, forward, read_capture

PARTS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
NEEDED = {"pelvis"} | {f"{side}_{part}" for side in ("left", "right") for part in PARTS}


def at(capture: Capture, name: str) -> np.ndarray:
    """(T, 3) where SMPL's joint is."""
    return forward(capture)[1][:, capture.names.index(capture.joints[name])]


def between(capture: Capture, start: str, end: str) -> np.ndarray:
    """(T, 3) from one of SMPL's joints to another."""
    return at(capture, end) - at(capture, start)


def near(values, expected) -> None:
    np.testing.assert_allclose(values, np.broadcast_to(expected, np.shape(values)), atol=1e-6)


# BVH


@pytest.mark.parametrize(("order", "knee"), [("ZXY", (0, 0, -40)), ("XZY", (40, 0, 0)), ("YZX", (0, -40, 0))])
def test_bvh_turns_in_the_order_of_its_channels(tmp_path, order, knee):
    # Rz(90) Rx(90) brings -y to -z; Rx(90) Rz(90) brings it to +x; Ry(90) alone leaves it.
    angles = (90, 90, 0) if order[0] != "Y" else (90, 0, 0)
    capture = read_capture(written(tmp_path / "turn.bvh", bvh(order=order, turns={"LeftUpLeg": angles}, frames=3)))
    near(between(capture, "left_hip", "left_knee"), knee)
    near(between(capture, "pelvis", "left_hip"), (10, 0, 0))
    near(at(capture, "pelvis"), (0, 100, 0))
    assert (capture.name, capture.fps, len(capture.root)) == ("turn", Fraction(120), 3)
    assert set(capture.joints) >= NEEDED and "LeftHand_end" in capture.names
    assert capture.parents[0] == -1 and all(parent < joint for joint, parent in enumerate(capture.parents))


@pytest.mark.parametrize(
    ("seconds", "fps"),
    [("0.008333", 120), ("0.0333333", 30), ("0.0333", 30), ("0.04", 25), ("0.0416667", 24), ("1.6667e-02", 60),
     ("0.033367", Fraction(30000, 1001)), ("0.4", Fraction(5, 2))],
)  # fmt: skip
def test_a_written_frame_time_becomes_the_rate_that_was_meant(tmp_path, seconds, fps):
    assert read_capture(written(tmp_path / "a.bvh", bvh(seconds=seconds))).fps == fps


@pytest.mark.parametrize(
    "turn",
    [Rotation.from_euler("y", angle, degrees=True) for angle in (90, 180, -90, 30)]
    + [Rotation.from_euler("x", 90, degrees=True), Rotation.from_euler("xz", (90, 180), degrees=True)]
    + [Rotation.from_euler("x", -90, degrees=True)],
)
def test_a_rest_pose_that_faces_elsewhere_is_turned_with_its_motion(tmp_path, turn):
    """z up and y up, facing any way: the left knee goes forward, and the person is where they were, turned."""
    person = [(name, parent, tuple(turn.apply(offset).round(9))) for name, parent, offset in PERSON]
    bend = (turn * Rotation.from_euler("x", -60, degrees=True) * turn.inv()).as_euler("ZXY", degrees=True)
    text = bvh(person, turns={"LeftUpLeg": bend}, place=turn.apply((3, 100, 7)))
    capture = read_capture(written(tmp_path / "a.bvh", text))
    near(between(capture, "left_hip", "left_knee"), (0, -20, 40 * np.sqrt(0.75)))
    near(between(capture, "right_hip", "right_knee"), (0, -40, 0))
    near(between(capture, "right_shoulder", "left_shoulder"), (34, 0, 0))
    near(at(capture, "pelvis"), (3, 100, 7))


def called(**parts):
    """A way to rename: the parts of the body on both sides."""

    def rename(name: str) -> str:
        side = next((side for side in ("Left", "Right") if name.startswith(side)), "")
        return side + parts.get(name.removeprefix(side), name.removeprefix(side))

    return rename


XSENS = called(UpLeg="Hip", Leg="Knee", Foot="Ankle", Shoulder="Collar", Arm="Shoulder", ForeArm="Elbow", Hand="Wrist")


@pytest.mark.parametrize(
    ("rename", "hip", "shoulder", "collar"),
    [
        (lambda name: f"mixamorig:{name}", "mixamorig:LeftUpLeg", "mixamorig:LeftArm", "mixamorig:LeftShoulder"),
        (called(UpLeg="Thigh", Leg="Shin"), "LeftThigh", "LeftArm", "LeftShoulder"),
        (XSENS, "LeftHip", "LeftShoulder", "LeftCollar"),
    ],
)
def test_other_programs_names_are_known(tmp_path, rename, hip, shoulder, collar):
    joints = read_capture(written(tmp_path / "a.bvh", bvh(rename=rename))).joints
    assert (joints["left_hip"], joints["left_shoulder"], joints["left_collar"]) == (hip, shoulder, collar)
    assert [joints[f"spine{k}"] for k in (1, 2, 3)] == [rename(name) for name in ("Spine", "Spine1", "Spine2")]


def test_a_reference_above_the_pelvis_carries_it(tmp_path):
    person = [("Reference", "", (0, 0, 0)), ("Hips", "Reference", (0, 100, 0)), *PERSON[1:]]
    text = bvh(person, turns={"Reference": (0, 0, 90)}, place=(5, 0, 0))
    capture = read_capture(written(tmp_path / "a.bvh", text))
    assert capture.names[0] == "Hips"
    near(at(capture, "pelvis"), (5, 100, 0))
    near(between(capture, "pelvis", "left_hip"), (0, 0, -10))


# ASF and AMC


def test_a_bone_turns_about_its_own_axes(tmp_path):
    # Its axis turned by 90 about z makes its x the world's y: 90 about that brings +x to -z.
    # The other: 90 about x first brings -y to -z, then 90 about y brings that to -x.
    skeleton = asf(lfemur=("1 0 0", "0 0 90", "rx"), rfemur=("0 -1 0", "0 0 0", "rx ry"))
    written(tmp_path / "07.asf", skeleton)
    capture = read_capture(written(tmp_path / "07_01.amc", amc("lfemur 90", "rfemur 90 90", frames=4)))
    near(between(capture, "left_hip", "left_knee"), (0, 0, -2))
    near(between(capture, "right_hip", "right_knee"), (-2, 0, 0))
    near(at(capture, "left_hip"), (3, 17, 2))
    # The wrist is where the hand begins: radius and wrist bone make the forearm.
    near(between(capture, "left_elbow", "left_wrist"), (4, 0, 0))
    assert (capture.name, capture.fps, len(capture.root)) == ("07_01", 120, 4)
    assert {"lfoot_end", "lhand_end"} <= set(capture.names)


def test_the_only_skeleton_in_the_folder_serves(tmp_path):
    written(tmp_path / "someone.asf", asf())
    assert len(read_capture(written(tmp_path / "07_01.amc", amc())).root) == 1


# Exponential maps, humanoid, AMASS


def test_exponential_maps_turn_row_vectors(tmp_path):
    # 90 about x for rows is -90 for columns: the shank (2.49, -6.85, 0) comes forward.
    capture = read_capture(written(tmp_path / "walking_1.txt", expmap({12: np.pi / 2}, frames=2)))
    near(between(capture, "left_knee", "left_ankle"), (2.49236, 0, 6.8477))
    near(at(capture, "pelvis"), (1, 17, 2))
    assert (capture.name, capture.fps, len(capture.root)) == ("walking_1", 120, 2)


def test_the_calibration_pose_before_the_motion_is_left_out(tmp_path):
    text = expmap({3: 0.0, 4: 0.0}) + expmap(frames=3)
    assert len(read_capture(written(tmp_path / "a.txt", text)).root) == 3


def test_the_humanoid_faces_forward_and_bends_as_people_do(tmp_path):
    # Left knee -90 degrees: the foot goes back. Left elbow 90: the hand comes forward. Places in a frame's numbers.
    capture = read_capture(written(tmp_path / "a.txt", humanoid({34: -np.pi / 2, 43: np.pi / 2})))
    near(between(capture, "pelvis", "left_hip"), (0.084887, 0, 0))
    near(between(capture, "left_knee", "left_ankle"), (0, 0, -0.409870))
    near(between(capture, "left_elbow", "left_wrist"), (0, 0, 0.258947))
    near(between(capture, "right_knee", "right_ankle"), (0, -0.409870, 0))
    # Half a metre along the humanoid's own forward is half a metre along +z.
    near(at(capture, "pelvis"), (0, 1, 0.5))
    assert capture.fps == 30 and capture.joints["spine3"] == "chest"


@pytest.mark.parametrize("width", [72, 156, 165])
def test_amass_is_turned_from_z_up_to_y_up(tmp_path, width):
    poses = np.zeros((5, width))
    poses[:, 0] = np.pi / 2
    poses[:, 12] = np.pi / 2
    trans = np.tile([1.0, 2.0, 3.0], (5, 1))
    key = "mocap_framerate" if width == 156 else "mocap_frame_rate"
    np.savez(tmp_path / "a.npz", poses=poses, trans=trans, **{key: 59.9999})
    capture = read_capture(tmp_path / "a.npz")
    near(at(capture, "pelvis"), (1, 3, -2))
    near(capture.rotations[:, 0], np.eye(3))
    # 90 degrees about x bends the left knee: the foot goes back.
    assert (between(capture, "left_knee", "left_ankle")[:, 2] < -0.3).all()
    assert capture.fps == 60 and at(capture, "left_hip")[0, 0] > 1


# Errors

TEXTS = {
    "empty.bvh": "", "blank.txt": " \n", "words.txt": "hello world\n", "thing.fbx": "abc", "no_ending": "abc",
    "no_motion.bvh": "HIERARCHY\n", "cut.bvh": bvh()[:-30], "half.bvh": bvh()[:400] + "\nMOTION\nFrames: 1\n",
    "letters.bvh": bvh(place=(0, "x", 0)), "nan.bvh": bvh(place=(0, "nan", 0)), "time.bvh": bvh(seconds="0"),
    "time2.bvh": bvh(seconds="fast"), "frames0.bvh": bvh(frames=0), "channel.bvh": bvh().replace("Zrot", "Wrot", 1),
    "nobody.bvh": bvh(rename=lambda name: "box" + str(len(name)) + name[::-1]),
    "two.bvh": bvh().replace("Head", "Neck"),
    "legless.bvh": bvh([joint for joint in PERSON if "Leg" not in joint[0] and "Leg" not in joint[1]]),
    "count.bvh": bvh().replace("CHANNELS 3", "CHANNELS three", 1), "brace.bvh": bvh().replace("}\nMOTION", "MOTION"),
    "cut.txt": expmap(frames=3)[:-200], "letters.txt": expmap().replace("17.0", "high"),
    "nan.txt": expmap({50: np.nan}), "h36m.txt": ",".join(["0"] * 99) + "\n", "short.txt": "1,2,3\n",
    "cut.json.txt": humanoid()[:-40], "list.txt": '{"Frames": [[1, 2]]}', "none.txt": '{"Skeleton": {}}',
    "string.txt": humanoid().replace("0.5", '"x"'), "quaternion.txt": humanoid({5: 0.9}),
    "inf.txt": humanoid({1: np.inf}),
    "huge.txt": humanoid().replace("0.5", "1" * 400),
    "noframes.txt": '{"Frames": []}', "zero.txt": humanoid({}, (0.0,)),
    "text.npz": "not a zip",
    "07_cut.amc": amc("lfemur 90", frames=3)[:-4], "07_bone.amc": amc("tail 90"), "07_two.amc": amc("lfemur 90 90"),
    "07_letters.amc": amc("lfemur x"), "07_none.amc": ":DEGREES\n", "07_root.amc": "1\nlfemur 90\n",
    "07_gap.amc": amc("lfemur 90", frames=3).replace("\n2\n", "\n5\n"), "07_nan.amc": amc("lfemur nan"),
    "07_odd.amc": amc("lfemur 1", frames=3).replace("lfemur", "rfemur", 1),
}  # fmt: skip


def check_error(path: Path) -> RecoverError:
    with pytest.raises(RecoverError) as caught:
        read_capture(path)
    error = caught.value
    assert "\n" not in str(error) and error.message.endswith(".") and error.fix.endswith(".")
    assert path.name.split(".")[0] in error.message, error.message
    return error


@pytest.mark.parametrize("name", TEXTS)
def test_a_wrong_file_gives_one_clear_line(tmp_path, name):
    written(tmp_path / "07.asf", asf(lfemur=("0 -1 0", "0 0 0", "rx"), rfemur=("0 -1 0", "0 0 0", "rx")))
    check_error(written(tmp_path / name, TEXTS[name]))


@pytest.mark.parametrize("ending", ["bvh", "amc", "npz", "txt"])
def test_a_missing_file_and_a_folder_give_one_clear_line(tmp_path, ending):
    assert check_error(tmp_path / f"gone.{ending}").code == "no_capture"
    (tmp_path / f"folder.{ending}").mkdir()
    assert check_error(tmp_path / f"folder.{ending}").code == "no_capture"


def test_without_its_skeleton_an_amc_says_so(tmp_path):
    path = written(tmp_path / "07_01.amc", amc())
    assert check_error(path).code == "no_skeleton"
    written(tmp_path / "08.asf", asf())
    written(tmp_path / "09.asf", asf())
    assert check_error(path).code == "no_skeleton"


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", asf()[:700], asf().replace("name lhand", "name root"),
     asf().replace(":hierarchy", ":other"), asf().replace("length 2", "length x", 1),
     asf().replace("XYZ\n\nend", "XQZ\n\nend", 1), asf().replace("order TX", "order QX"), asf().replace("lradius", "q"),
     asf().replace("lfemur ltibia", "lfemur lost"), asf().replace("lfemur ltibia", "lfemur ltibia ltibia"),
     asf().replace("lfemur ltibia", "lfemur rtibia"), asf().replace("direction 0 -1 0", "direction 0 -1", 1)],
)  # fmt: skip
def test_a_wrong_skeleton_gives_one_clear_line(tmp_path, text):
    written(tmp_path / "07.asf", text)
    with pytest.raises(RecoverError, match=r"^07\.asf "):
        read_capture(written(tmp_path / "07_01.amc", amc()))


@pytest.mark.parametrize("change", ["poses", "trans", "rate", "object", "nan", "shape", "length", "zero", "cut"])
def test_a_wrong_npz_gives_one_clear_line(tmp_path, change):
    arrays = {"poses": np.zeros((4, 156)), "trans": np.zeros((4, 3)), "mocap_framerate": np.array(120.0)}
    gone = {"poses": "poses", "trans": "trans", "rate": "mocap_framerate"}.get(change)
    arrays.pop(gone, None)
    changed = {
        "object": {"poses": np.array([None, {}], dtype=object)}, "nan": {"trans": np.full((4, 3), np.nan)},
        "shape": {"poses": np.zeros((4, 70))}, "length": {"trans": np.zeros((3, 3))},
        "zero": {"mocap_framerate": np.array(0.0)},
    }  # fmt: skip
    path = tmp_path / f"{change}.npz"
    np.savez(path, **(arrays | changed.get(change, {})))
    if change == "cut":
        path.write_bytes(path.read_bytes()[:900])
    check_error(path)


# Real clips

REAL = {
    "asf": ("cmu/asfamc/02/02_02.amc", "cmu/asfamc/02/02.asf"),
    "expmap": ("cmu/expmap/train/walking/walking_1.txt",),
    "humanoid": ("cmu/humanoid/cmu01-09/02/02_02.txt",),
}
UNIT_M = {"asf": 0.0254 / 0.45, "expmap": 0.97 / 17.1, "humanoid": 1.0}


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> dict[str, Capture]:
    folder = tmp_path_factory.mktemp("mocap")
    extract(folder, {name for names in REAL.values() for name in names})
    return {form: read_capture(folder / names[0]) for form, names in REAL.items()}


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize("form", REAL)
def test_a_real_walk_looks_like_a_person_walking(real, form):
    capture = real[form]
    turns, places = forward(capture)
    metres = places * UNIT_M[form]
    pelvis = metres[:, 0]
    legs = sum(np.linalg.norm(between(capture, f"left_{a}", f"left_{b}")[0]) for a, b in (("hip", "knee"),
               ("knee", "ankle")))  # fmt: skip
    assert 0.95 < np.median(places[:, 0, 1]) / legs < 1.25
    # Ankles, where the form has no toes, stay up to 0.14 m above the ground.
    assert metres[..., 1].min() > -0.06 and metres[..., 1].min(1).max() < 0.15
    assert (at(capture, "neck")[:, 1] > places[:, 0, 1]).all()

    ahead = unit(turns[:, 0, :, 2] * [1, 0, 1])
    velocity = np.gradient(pelvis, axis=0) * float(capture.fps) * [1, 0, 1]
    assert 0.8 < np.median(np.linalg.norm(velocity, axis=1)) < 1.8
    assert ((unit(velocity) * ahead).sum(1) > 0.8).all()

    left = np.cross([0.0, 1.0, 0.0], ahead)
    for part in ("hip", "shoulder"):
        assert ((between(capture, f"right_{part}", f"left_{part}") * left).sum(1) > 0).all()


@pytest.mark.parametrize("form", REAL)
def test_real_knees_and_elbows_bend_the_human_way(real, form):
    capture = real[form]
    turns, _ = forward(capture)
    for side in ("left", "right"):
        forwards = turns[:, capture.names.index(capture.joints[f"{side}_hip"]), :, 2]
        thigh = unit(between(capture, f"{side}_hip", f"{side}_knee"))
        shank = unit(between(capture, f"{side}_knee", f"{side}_ankle"))
        bend = ((thigh - shank) * forwards).sum(1)
        assert bend.min() > -0.05 and bend.max() > 0.5
        fore = unit(between(capture, f"{side}_elbow", f"{side}_wrist"))
        upper = unit(between(capture, f"{side}_shoulder", f"{side}_elbow"))
        assert ((fore - upper) * turns[:, 0, :, 2]).sum(1).mean() > 0.2


@pytest.mark.parametrize("form", ["asf", "expmap"])
def test_real_arms_point_sideways_at_rest(real, form):
    capture = real[form]
    for side, sign in (("left", 1), ("right", -1)):
        for part in ("elbow", "wrist"):
            offset = capture.offsets[capture.names.index(capture.joints[f"{side}_{part}"])]
            near(unit(offset), (sign, 0, 0))


def test_the_same_clip_in_two_forms_is_the_same_walk(real):
    """02_02 came to us as ASF at 120 Hz and as a humanoid at 30 Hz, made by others from the same recording."""
    first, second = real["asf"], real["humanoid"]
    for side in ("left", "right"):
        for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow")):
            a = unit(between(first, f"{side}_{start}", f"{side}_{end}"))[::4]
            b = unit(between(second, f"{side}_{start}", f"{side}_{end}"))
            shared = min(len(a), len(b))
            assert np.median((a[:shared] * b[:shared]).sum(1)) > np.cos(np.radians(10))
