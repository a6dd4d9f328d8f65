"""Files of other programs, made from a known motion after those programs' published code: no real output is here.

Each is written through its program's own conventions, by other means than the engine reads it.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import joblib_files
import numpy as np
import roma
import torch

from ghmr_engine.body.smpl import Body
from ghmr_engine.motion_file import read_motion

SMPL_ROOT, SMPLX_ROOT = np.array([0.0, -0.22, 0.03]), np.array([0.0, -0.35, 0.01])
SIZE, FPS = (854, 480), 30
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From z up to y up."""


@dataclass(frozen=True)
class Cast:
    """One person: frames (N,), rotations (N, 24, 3, 3) with the root's in the world, pelvis (N, 3) m."""

    frames: np.ndarray
    rotations: np.ndarray
    pelvis: np.ndarray

    def moved(self, turn: np.ndarray, shift: np.ndarray | tuple) -> Cast:
        """In the world x' = turn x + shift."""
        rotations = self.rotations.copy()
        rotations[:, 0] = np.stack([turn @ root for root in rotations[:, 0]])
        return replace(self, rotations=rotations, pelvis=np.stack([turn @ p for p in self.pelvis]) + shift)


@dataclass(frozen=True)
class Known:
    """A motion with known answers; R (T, 3, 3), t (T, 3): world to camera, focal in px."""

    people: tuple[Cast, ...]
    R: np.ndarray
    t: np.ndarray
    focal: float
    contacts: np.ndarray
    """(T, 6) bool of the first person: left heel and toe, right heel and toe, wrists."""

    def seen(self, person: Cast) -> tuple[np.ndarray, np.ndarray]:
        """Roots (N, 3, 3) and pelvises (N, 3) in each frame's camera."""
        roots = [self.R[f] @ root for f, root in zip(person.frames, person.rotations[:, 0], strict=True)]
        places = [self.R[f] @ p + self.t[f] for f, p in zip(person.frames, person.pelvis, strict=True)]
        return np.stack(roots), np.stack(places)

    def moved(self, turn: np.ndarray, shift: np.ndarray) -> Known:
        """In another world."""
        R = np.stack([R @ turn.T for R in self.R])
        t = np.stack([t - R_new @ shift for t, R_new in zip(self.t, R, strict=True)])
        return replace(self, people=tuple(person.moved(turn, shift) for person in self.people), R=R, t=t)


def known_motion(repo: Path, people: int = 2, still: bool = False) -> Known:
    """The demo's walk, and the same beside it from the 20th frame to the 120th; still: before a camera that stands."""
    motion = read_motion(repo / "assets" / "demo.truth.npz")
    source = motion.people["1"]
    rotations = turns(source.poses)
    first = Cast(source.frames, rotations, source.transl.astype(float) + source.joints[0])
    part = slice(20, 120)
    second = Cast(source.frames[part], rotations[part], first.pelvis[part]).moved(about_z(0.4), (0.8, 1.2, 0.0))
    R, t = motion.R.astype(float), motion.t.astype(float)
    if still:
        R, t = np.tile(R[:1], (len(R), 1, 1)), np.tile(t[:1], (len(t), 1))
    contacts = np.pad(source.contacts > 0.5, ((0, 0), (0, 2)))
    return Known((first, second)[:people], R, t, float(motion.K[0, 0, 0]), contacts)


def turns(vectors: np.ndarray) -> np.ndarray:
    return roma.rotvec_to_rotmat(torch.as_tensor(np.asarray(vectors, float))).numpy()


def vectors(matrices: np.ndarray) -> np.ndarray:
    return roma.rotmat_to_rotvec(torch.as_tensor(matrices)).numpy()


def about_z(angle: float) -> np.ndarray:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def write_wham(folder: Path, known: Known, body: Body) -> Path:
    """Worlds of their own: everybody begins somewhere else, looking elsewhere."""
    rest = body.joints_template.double().numpy()
    between = (rest[1] + rest[2]) / 2 - rest[0]
    results: dict = defaultdict(dict)
    for number, person in enumerate(known.people):
        own = person.moved(about_z(0.7 + number), (3.0 - number, 5.0, -0.4 * number)).moved(Y_UP, (0, 0.3, 0))
        roots, places = known.seen(person)
        body_pose = vectors(person.rotations[:, 1:]).reshape(-1, 69)
        hips = own.pelvis + np.stack([root @ between for root in own.rotations[:, 0]])
        count = len(person.frames)
        results[number] = {
            "pose": np.concatenate([vectors(roots), body_pose], 1).astype(np.float32),
            "trans": (places - SMPL_ROOT).astype(np.float32),
            "pose_world": np.concatenate([vectors(own.rotations[:, 0]), body_pose], 1).astype(np.float32),
            "trans_world": hips.astype(np.float32),
            "betas": np.full((count, 10), 0.1, np.float32),
            "verts": np.zeros((count, 20, 3), np.float32),
            "frame_ids": person.frames,
        }
    joblib_files.dump(results, folder / "wham_output.pkl")
    return folder / "wham_output.pkl"


def write_gvhmr(folder: Path, known: Known, _body: Body) -> Path:
    person = known.people[0]
    count = len(person.frames)
    own = person.moved(Y_UP @ about_z(-1.1), (1.0, 0.9, 2.0))
    roots, places = known.seen(person)
    shared = {"body_pose": tensor(vectors(person.rotations[:, 1:22]).reshape(count, 63)),
              "betas": torch.zeros(count, 10)}  # fmt: skip
    lens = np.array([[known.focal, 0, SIZE[0] / 2], [0, known.focal, SIZE[1] / 2], [0, 0, 1]])
    own_transl, transl = tensor(own.pelvis - SMPLX_ROOT), tensor(places - SMPLX_ROOT)
    logits = tensor(np.where(known.contacts, 3, -3)[None])
    pred = {
        "smpl_params_global": {**shared, "global_orient": tensor(vectors(own.rotations[:, 0])), "transl": own_transl},
        "smpl_params_incam": {**shared, "global_orient": tensor(vectors(roots)), "transl": transl},
        "K_fullimg": tensor(np.tile(lens, (count, 1, 1))),
        "net_outputs": {"static_conf_logits": logits, "model_output": {"pred_cam": torch.ones(2)}},
    }
    torch.save(pred, folder / "hmr4d_results.pt")
    return folder / "hmr4d_results.pt"


def write_slahmr(folder: Path, known: Known, _body: Body) -> Path:
    """The world is the first camera's frame; people are there in all frames, and track_info.json says when seen."""
    floor = known.R[0] @ (0, 0, 1), known.R[0] @ (0, 0, 1) @ known.t[0]  # z = 0, as seen by the first camera
    here = known.moved(known.R[0], known.t[0])
    count, who = len(known.R), len(known.people)
    trans, roots, poses = np.zeros((who, count, 3)), np.zeros((who, count, 3)), np.zeros((who, count, 63))
    tracks = {}
    for number, person in enumerate(here.people):
        seen = np.isin(np.arange(count), person.frames)
        trans[number, seen] = person.pelvis - SMPL_ROOT
        roots[number, seen] = vectors(person.rotations[:, 0])
        poses[number, seen] = vectors(person.rotations[:, 1:22]).reshape(-1, 63)
        tracks[str(number + 4)] = {"index": number, "vis_mask": seen.tolist()}
    path = folder / "motion_chunks" / "clip_000060_world_results.npz"
    path.parent.mkdir()
    np.savez(path, trans=trans, root_orient=roots, pose_body=poses, betas=np.zeros((who, 16)),
             cam_R=np.tile(here.R, (who, 1, 1, 1)), cam_t=np.tile(here.t, (who, 1, 1)),
             intrins=np.array([known.focal, known.focal, SIZE[0] / 2, SIZE[1] / 2]),
             floor_plane=(floor[0] * floor[1])[None], floor_idcs=np.zeros(who, int),
             world_scale=np.ones((1, 1)))  # fmt: skip
    (folder / "track_info.json").write_text(json.dumps({"tracks": tracks, "meta": {}}))
    return path


def write_tram(folder: Path, known: Known, _body: Body) -> Path:
    here = known.moved(Y_UP @ about_z(2.0), np.array([0.3, -1.0, 0.2]))
    turn = np.stack([R.T for R in here.R])
    place = np.stack([-R.T @ t for R, t in zip(here.R, here.t, strict=True)])
    camera = {"pred_cam_R": turn, "pred_cam_T": place, "world_cam_R": turn, "world_cam_T": place,
              "img_focal": np.float64(known.focal), "img_center": np.array(SIZE) / 2, "spec_focal": 700.0}  # fmt: skip
    np.save(folder / "camera.npy", camera)
    (folder / "hps").mkdir()
    for number, person in enumerate(known.people):
        roots, places = known.seen(person)
        said = {"pred_cam": torch.zeros(len(roots), 3), "pred_pose": torch.zeros(len(roots), 144),
                "pred_shape": torch.zeros(len(roots), 10),
                "pred_rotmat": tensor(np.concatenate([roots[:, None], person.rotations[:, 1:]], 1)),
                "pred_trans": tensor(places - SMPL_ROOT)[:, None], "frame": torch.as_tensor(person.frames)}  # fmt: skip
        np.save(folder / "hps" / f"hps_track_{number}.npy", said)
    return folder / "hps" / "hps_track_0.npy"


def write_phalp(folder: Path, known: Known, _body: Body) -> Path:
    """Through a lens of 5000 in a square of 256, which puts everybody far away."""
    farther = 5000 / 256 * max(SIZE) / math.hypot(*SIZE)
    frames, seen = {}, [known.seen(person) for person in known.people]
    for time in range(len(known.R)):
        keys = ("tid", "tracked_time", "smpl", "camera", "size", "bbox", "conf", "mask")
        frame = {"time": time, "shot": 0, "frame_path": f"{time:06d}.jpg", **{key: [] for key in keys}}
        for number, person in enumerate(known.people):
            rows = np.flatnonzero(person.frames == time)
            for row in rows:
                roots, places = (part[[row]] for part in seen[number])
                # In the picture z is farther and the middle of the lens stays.
                frame["tid"].append(number + 1)
                frame["tracked_time"].append(0)
                frame["camera"].append(((places[0] - SMPL_ROOT) * (1, 1, farther)).astype(np.float32))
                frame["smpl"].append({"global_orient": roots.astype(np.float32),
                                      "body_pose": person.rotations[row, 1:].astype(np.float32),
                                      "betas": np.zeros(10, np.float32)})  # fmt: skip
                frame["size"].append([SIZE[1], SIZE[0]])
                frame["bbox"].append(np.zeros(4))
                frame["conf"].append(np.float32(0.9))
                frame["mask"].append([{"size": [1, 1], "counts": "0"}])
        if time == 40:  # somebody guessed, not seen
            frame["tid"].append(9)
            frame["tracked_time"].append(3)
            frame["camera"].append(np.zeros(3, np.float32))
            frame["smpl"].append(frame["smpl"][0])
            frame["size"].append([SIZE[1], SIZE[0]])
        frames[f"{time:06d}.jpg"] = frame
    joblib_files.dump(frames, folder / "demo_clip.pkl", packed=True)
    return folder / "demo_clip.pkl"


def _thetas(roots: np.ndarray, person: Cast) -> np.ndarray:
    return np.concatenate([vectors(roots), vectors(person.rotations[:, 1:]).reshape(-1, 69)], 1).astype(np.float32)


def write_romp(folder: Path, known: Known, _body: Body) -> Path:
    sequences = {}
    for number, person in enumerate(known.people):
        roots, places = known.seen(person)
        sequences[number] = {
            "frame_id": [int(frame) for frame in person.frames],
            "smpl_thetas": list(_thetas(roots, person)),
            "smpl_betas": list(np.zeros((len(roots), 10), np.float32)),
            "cam_trans": list((places - SMPL_ROOT).astype(np.float32)),
            "cam": list(np.zeros((len(roots), 3), np.float32)),
        }
    np.savez(folder / "video_results.npz", results={"00000000.jpg": {}}, sequence_results=sequences)
    return folder / "video_results.npz"


def write_trace(folder: Path, known: Known, _body: Body) -> Path:
    here = known.moved(known.R[0], known.t[0])
    rows: dict[str, list] = defaultdict(list)
    for number, (person, own) in enumerate(zip(known.people, here.people, strict=True)):
        roots, places = known.seen(person)
        rows["smpl_thetas"].append(_thetas(roots, person))
        rows["world_global_rots"].append(vectors(own.rotations[:, 0]))
        rows["world_trans"].append(own.pelvis - SMPL_ROOT)
        rows["cam_trans"].append(places - SMPL_ROOT)
        rows["smpl_betas"].append(np.zeros((len(roots), 10)))
        rows["track_ids"].append(np.full(len(roots), number + 1))
        rows["reorganize_idx"].append(person.frames)
    outputs = {key: np.concatenate(parts) for key, parts in rows.items()}
    order = np.argsort(outputs["reorganize_idx"], kind="stable")
    outputs = {key: value[order] for key, value in outputs.items()} | {"j3d": np.zeros((3, 44, 3), np.float16)}
    np.savez(folder / "clip.npz", outputs=outputs, imgpaths=np.array(["0.jpg", "1.jpg"]))
    return folder / "clip.npz"


def write_amass(folder: Path, known: Known, _body: Body) -> Path:
    person = known.people[0].moved(about_z(0.9), (4.0, 2.0, 0.05))
    count = len(person.frames)
    poses = np.zeros((count, 156))
    poses[:, :66] = vectors(person.rotations[:, :22]).reshape(count, 66)
    np.savez(folder / "walk_poses.npz", poses=poses, trans=person.pelvis - SMPL_ROOT, betas=np.zeros(16),
             gender="neutral", mocap_framerate=float(FPS), dmpls=np.zeros((count, 8)))  # fmt: skip
    return folder / "walk_poses.npz"


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, np.float32))


WRITERS = {
    "WHAM": write_wham, "GVHMR": write_gvhmr, "SLAHMR": write_slahmr, "TRAM": write_tram, "4D-Humans": write_phalp,
    "ROMP": write_romp, "TRACE": write_trace, "AMASS": write_amass,
}  # fmt: skip
