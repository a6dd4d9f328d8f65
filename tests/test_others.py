"""Files in the layouts of other programs, made by others_files.py from the demo's walk, come back as that walk."""

import json
import threading
from dataclasses import replace

import joblib_files
import numpy as np
import pytest
import torch
from others_files import WRITERS, known_motion, turns
from typer.testing import CliRunner

from ghmr_engine import protocol, serve
from ghmr_engine.cli import app
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.motion_file import read_motion
from ghmr_engine.others.bodies import legs_of, size_of_steps
from ghmr_engine.others.content import read_content
from ghmr_engine.others.importing import import_file, read_other

STILL = ("4D-Humans", "ROMP")
"""Programs that know no world: the camera stands."""
UP_IS_FOUND = (*STILL, "TRACE")
ALONE = ("GVHMR", "AMASS")
"""Of one person."""


def silent(_progress):
    pass


@pytest.fixture(scope="module")
def files(tmp_path_factory, repo, body):
    """{program: path}, each in a folder of its own."""
    made = {}
    for name, write in WRITERS.items():
        folder = tmp_path_factory.mktemp(name)
        made[name] = write(folder, known_motion(repo, still=name in STILL), body)
    return made


def degrees(a, b):
    """Largest angle between matrices (..., 3, 3)."""
    cosine = (np.einsum("...ij,...ij->...", a, b) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())


def eyes(R, t):
    return -np.einsum("nji,nj->ni", R, t)


@pytest.mark.parametrize("name", WRITERS)
def test_the_motion_comes_back(files, name, repo, demo_clip, tmp_path, body):
    known, clip = known_motion(repo, still=name in STILL), None if name == "AMASS" else demo_clip
    out = tmp_path / "x.motion.npz"
    returned = import_file(files[name], out, clip, None, silent)
    motion = read_motion(out)
    assert returned.meta == motion.meta and motion.meta["imported"]["system"] == name
    assert motion.meta["licence"] == "research-only" and motion.meta["models"][0]["name"] == name
    assert motion.meta["fps"] == [30, 1] and motion.meta["frames"] == 150
    assert len(motion.people) == (1 if name in ALONE else 2)

    people = list(zip(known.people, motion.people.values(), strict=False))
    roots = [turns(person.poses[:, 0]) for _, person in people]
    pelvises = [person.transl.astype(float) + person.joints[0] for _, person in people]
    turn = roots[0][0] @ known.people[0].rotations[0, 0].T  # from the known world to this one
    shift = pelvises[0][0] - turn @ known.people[0].pelvis[0]
    tilt = float(np.degrees(np.arccos(np.clip(turn[2, 2], -1, 1))))
    assert tilt < (3 if name in UP_IS_FOUND else 0.05)
    for (cast, person), root, pelvis in zip(people, roots, pelvises, strict=True):
        assert np.array_equal(person.frames, cast.frames)
        assert degrees(turns(person.poses[:, 1:22]), cast.rotations[:, 1:22]) < 0.05
        assert degrees(root, turn @ cast.rotations[:, 0]) < 0.05
        assert np.abs(pelvis - (cast.pelvis @ turn.T + shift)).max() < 0.001
    assert np.abs(pelvises[0][0, :2]).max() < 0.001
    check_stance(motion, body)
    if name == "AMASS":
        assert motion.meta["camera"]["motion_source"] == "none" and not motion.camera_confidence.any()
        return
    assert degrees(motion.R @ turn, known.R) < 0.05
    assert np.abs(eyes(motion.R, motion.t) - (eyes(known.R, known.t) @ turn.T + shift)).max() < 0.001
    ahead = motion.R[0, 2]
    assert abs(ahead[0]) < 1e-4 and ahead[1] > 0.9  # the first camera looks along +y
    assert motion.meta["image_size"] == [854, 480] and motion.meta["video"]["name"] == "demo.mp4"


def check_stance(motion, body):
    """Upright, on the ground, with feet that stay, on legs as long as the truth's."""
    for name, person in motion.people.items():
        figures = motion.meta["quality"][name]
        assert figures["sliding_mm"] < 3.5 and figures["penetration_mm"] < 15 and figures["reprojection_px"] is None
        pelvis = (person.transl + person.joints[0])[:, 2]
        assert pelvis.min() > 0.6 and pelvis.max() < 1.0 and turns(person.poses[:, 0])[:, 2, 1].min() > 0.8
        assert (np.abs(person.contacts - 0.5) <= 0.5).all()
        assert 0.96 < legs_of(person.joints) / (0.979 * legs_of(body.joints_template.numpy())) < 1.01


def test_without_a_clip(files, tmp_path):
    for name, path in files.items():
        motion = import_file(path, tmp_path / f"{name}.motion.npz", None, None, silent)
        said = motion.meta["warnings"]
        assert any("rate" in text for text in said) == (name != "AMASS")
        assert motion.meta["video"]["sha256"] == "" and motion.meta["video"]["name"] == path.name.partition(".")[0]
        # WHAM's lens is known by the picture's size alone.
        assert (motion.meta["camera"]["motion_source"] == "none") == (name in ("WHAM", "AMASS"))
    motion = import_file(files["WHAM"], tmp_path / "x.motion.npz", None, 25.0, silent)
    assert motion.meta["fps"] == [25, 1] and not any("rate" in text for text in motion.meta["warnings"])


def test_clips_that_are_another_s(files, repo, demo_clip, tmp_path):
    def refused(name, clip, fps=None):
        with pytest.raises(RecoverError) as error:
            import_file(files[name], tmp_path / "x.motion.npz", clip, fps, silent)
        return error.value.code

    assert refused("AMASS", demo_clip) == "other_clip"
    assert refused("TRAM", repo / "assets" / "regression" / "walk_static.mp4") == "other_clip"
    assert refused("TRAM", demo_clip, 10.0) == "other_clip"
    assert refused("WHAM", None, -1.0) == "bad_rate"
    assert not list(tmp_path.iterdir())


def test_a_picture_of_another_size_has_its_own_focal_length(files, tmp_path, repo):
    other = read_other(files["TRAM"])
    half = import_file(files["TRAM"], tmp_path / "x.motion.npz", None, 30.0, silent)
    assert half.K[0, 0, 0] == pytest.approx(other.focal, abs=1e-3)
    assert half.K[0, 0, 2] == pytest.approx((854 - 1) / 2)


def test_smpl_s_body_takes_the_file_s_shape(files, body, repo):
    from ghmr_engine.others.bodies import SMPL_PELVIS, own_betas, pelvis

    person = read_other(files["WHAM"]).people[0]
    smpl = replace(body, name="SMPL")
    assert own_betas(person, smpl) == pytest.approx(np.full(10, 0.1)) and not own_betas(person, body).any()
    rest = smpl.rest_joints(torch.full((10,), 0.1))[0].numpy()
    assert pelvis(person.camera, person, smpl) == pytest.approx(person.camera.transl + rest, abs=1e-5)
    assert pelvis(person.camera, person, body) == pytest.approx(person.camera.transl + SMPL_PELVIS)


@pytest.mark.parametrize("clip", ["demo", "regression/walk_static", "regression/basketball_walk", "regression/two_pan"])
def test_steps_tell_how_large_somebody_is(clip, repo, body):
    motion = read_motion(repo / "assets" / f"{clip}.truth.npz")
    fps = motion.meta["fps"][0] / motion.meta["fps"][1]
    for person in motion.people.values():
        root = person.transl.astype(float) + person.joints[0]
        posed = body.forward(torch.as_tensor(turns(person.poses)).float(), torch.zeros(len(root), 3), torch.zeros(10))
        feet = (posed.contacts - posed.joints[:, :1]).double().numpy() + root[:, None]
        size = size_of_steps(root, feet, person.contacts, person.frames, fps)
        truth = legs_of(person.joints) / legs_of(body.joints_template.numpy())
        assert abs(size / truth - 1) < 0.015
        still = np.tile(root[:1], (len(root), 1))
        assert size_of_steps(still, feet - root[:, None] + still[:, None], person.contacts, person.frames, fps) == 1


def test_tram_is_found_from_any_of_its_files(files):
    folder = files["TRAM"].parent.parent
    for path in (folder, folder / "camera.npy", folder / "hps", files["TRAM"]):
        assert len(read_other(path).people) == 2
    with pytest.raises(RecoverError, match=r"has no hps/hps_track_0\.npy"):
        read_other(folder.parent)


def test_slahmr_s_people_are_there_while_they_are_seen(files):
    frames = [person.frames for person in read_other(files["SLAHMR"]).people]
    assert len(frames[0]) == 150 and (frames[1][0], frames[1][-1]) == (20, 119)


def test_romp_without_tracks_is_one_person(tmp_path, repo):
    people = known_motion(repo, still=True).people
    pictures = {}
    for frame in range(5):
        zeros = {"smpl_thetas": np.zeros((2, 72)), "smpl_betas": np.zeros((2, 10))}
        pictures[f"{frame:08d}.jpg"] = {**zeros, "cam_trans": np.array([[0, 0, 9.0], [0, 0, 4.0 + frame]])}
    np.savez(tmp_path / "video_results.npz", results=pictures, sequence_results={})
    other = read_other(tmp_path / "video_results.npz")
    assert len(other.people) == 1 and len(people) == 2
    assert other.people[0].camera.transl[:, 2].tolist() == [4, 5, 6, 7, 8] and "track" in other.warnings[1]


def test_a_file_that_recover_motion_exported_stands_where_it_stood(tmp_path, repo, body):
    """AMASS with `rest_joints`, which say how long the legs are and where the pelvis is."""
    person = read_motion(repo / "assets" / "demo.truth.npz").people["1"]
    poses = np.zeros((150, 52, 3))
    poses[:, :22] = person.poses[:, :22]
    np.savez(tmp_path / "x.npz", poses=poses.reshape(150, -1), trans=person.transl, betas=np.zeros(16),
             gender="neutral", mocap_framerate=30.0, rest_joints=person.joints)  # fmt: skip
    motion = import_file(tmp_path / "x.npz", tmp_path / "x.motion.npz", None, None, silent)
    back = motion.people["1"]
    assert legs_of(back.joints) == pytest.approx(legs_of(person.joints), abs=1e-4)
    shift = (back.transl + back.joints[0]) - (person.transl + person.joints[0])
    assert np.ptp(shift, axis=0).max() < 1e-4 and np.abs(shift[0]).max() < 0.02
    assert motion.meta["licence"] == "research-only"


@pytest.mark.parametrize("name", WRITERS)
def test_files_cut_anywhere_are_refused_in_one_line(files, name, tmp_path):
    data = files[name].read_bytes()
    folder = tmp_path / "hps"
    folder.mkdir()
    if name == "TRAM":
        (tmp_path / "camera.npy").write_bytes((files[name].parent.parent / "camera.npy").read_bytes())
    for tenth in range(10):
        path = folder / files[name].name
        path.write_bytes(data[: len(data) * tenth // 10])
        with pytest.raises(RecoverError) as error:
            read_other(path)
        assert "\n" not in str(error.value) and error.value.code in ("damaged_file", "bad_checkpoint"), tenth


def test_wrong_contents_are_named(files, tmp_path):
    content = read_content(files["WHAM"])

    def refused(**changed):
        joblib_files.dump({0: {**content[0], **changed}}, tmp_path / "wham_output.pkl")
        with pytest.raises(RecoverError) as error:
            read_other(tmp_path / "wham_output.pkl")
        assert error.value.code == "bad_result"
        return error.value.message

    assert "`pose`" in refused(pose=np.zeros((150, 71)))
    assert "`pose_world`" in refused(pose_world=np.full((150, 72), np.nan))
    assert "`trans`" in refused(trans=np.full((150, 3), 1e30))
    assert "`trans`" in refused(trans="far away")
    assert "`frame_ids`" in refused(frame_ids=np.zeros(150, int))
    assert "`frame_ids`" in refused(frame_ids=np.arange(150) - 5)
    np.savez(
        tmp_path / "t.npz", outputs=dict.fromkeys(read_content(files["TRACE"])["outputs"], 5), imgpaths=np.zeros(1)
    )
    with pytest.raises(RecoverError, match=r"is not as the program writes it|has `"):
        read_other(tmp_path / "t.npz")
    for name, value in (("empty", {}), ("other", {"a": 1}), ("list", [1, 2])):
        joblib_files.dump(value, tmp_path / name)
        with pytest.raises(RecoverError, match="no result that can be imported"):
            read_other(tmp_path / name)
    turned = np.tile(np.diag([1.0, 1, -1]), (3, 24, 1, 1))
    said = {"pred_rotmat": turned, "pred_shape": np.zeros((3, 10)), "pred_trans": np.zeros((3, 3))}
    (tmp_path / "hps").mkdir()
    np.save(tmp_path / "camera.npy", read_content(files["TRAM"].parent.parent / "camera.npy"))
    np.save(tmp_path / "hps" / "hps_track_0.npy", {**said, "frame": np.arange(3)})
    with pytest.raises(RecoverError, match="mirror"):
        read_other(tmp_path)


def test_the_command(files, demo_clip, tmp_path, repo, capfd):
    out, run = tmp_path / "x.motion.npz", CliRunner().invoke
    done = run(app, ["import", str(files["WHAM"]), "--clip", str(demo_clip), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "150 frames at 30 a second, 2 people, licence: research-only." in done.output
    assert (
        "Camera: as the imported file has it" in done.output and "Warning: Proportions are approximate" in done.output
    )
    done = run(app, ["import", str(files["AMASS"]), "--out", str(tmp_path / "y.motion.npz"), "--json"])
    assert done.exit_code == 0 and json.loads(capfd.readouterr().out.splitlines()[-1])["say"] == "done"
    done = run(app, ["import", str(repo / "tests" / "golden" / "version_1.motion.npz"), "--out", str(out)])
    assert done.exit_code == 2 and "is a motion file already" in done.output
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    done = run(app, ["import", str(tmp_path / "evil.pkl"), "--out", str(out)])
    assert done.exit_code == 2 and "os.system" in done.output


def test_the_engine_s_message(files, tmp_path):
    job = protocol.Import(3, str(files["GVHMR"]), None, 30.0, str(tmp_path / "x.motion.npz"))
    assert protocol.decode_request(protocol.encode(job)) == job
    said, answered = [], threading.Event()

    def say(reply):
        said.append(reply)
        if isinstance(reply, protocol.Error):
            answered.set()

    def lines():
        yield protocol.encode(job)
        yield protocol.encode(replace(job, id=4, file=str(tmp_path / "none.pt")))
        answered.wait(60)

    server = serve.Server(say)
    listening = threading.Thread(target=server.listen, args=(lines(),))
    listening.start()
    server.work()
    listening.join()
    done, error = (reply for reply in said if not isinstance(reply, protocol.Progress))
    assert (done.id, done.licence, list(done.quality)) == (3, "research-only", ["1"])
    assert (error.id, error.code) == (4, "no_file")
    assert {reply.stage for reply in said if isinstance(reply, protocol.Progress)} <= {"video", "world", "write"}


def test_stopped_it_leaves_nothing(files, tmp_path):
    def stop(progress):
        if progress.stage == "write":
            raise Cancelled

    with pytest.raises(Cancelled):
        import_file(files["GVHMR"], tmp_path / "x.motion.npz", None, 30.0, stop)
    assert not list(tmp_path.iterdir())
