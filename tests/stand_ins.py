"""The engine with made-up stages, for tests of what lies around them: `stand_ins.py BEHAVIOUR recover ...` or `serve`.

The stages answer at once with the walking figure of motions.py, but for the one thing that BEHAVIOUR says.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import roma
import torch
from motions import walking_motion

from ghmr_engine import added_stages, cli, pipeline, serve, video
from ghmr_engine.body.smpl import Body
from ghmr_engine.errors import RecoverError
from ghmr_engine.types import CameraMotion, LiftedPerson, People, Track, VideoInfo, WorldPerson, WorldScene

FRAMES = 30
WALK = walking_motion(frames=FRAMES, people=2, absent=(10, 14))


class Clip:
    def __init__(self, path: Path, info: VideoInfo) -> None:
        self.path, self.info = path, info

    def frame(self, index):
        return np.full((720, 1280, 3), 90, np.uint8)


def open_video(path, options, report):
    video._check_file(path)
    data = path.read_bytes()
    info = VideoInfo(
        path, path.name, len(data), hashlib.sha256(data).hexdigest(), 1280, 720, Fraction(30), FRAMES, options.start,
        90 if "turned" in path.name else 0, True, False, None, ("The clip is made up.",),
    )  # fmt: skip
    return Clip(path, info)


def write_background(clip, out, report):
    out.write_bytes(b"a copy")
    report(0.5)


def find_people(clip, options, report, watch=None):
    log("people")
    tracks = tuple(
        Track(
            int(name), person.frames, np.zeros((len(person.frames), 4)), person.keypoints, person.keypoints,
            np.ones(len(person.frames), bool),
        )
        for name, person in WALK.people.items()
    )  # fmt: skip
    return People(tracks, np.zeros((FRAMES, 2, 1), np.uint8), (2, 8), ("A second warning.", "The clip is made up."))


def track_camera(clip, found, options, report):
    log("camera")
    return CameraMotion(
        WALK.R,
        WALK.t,
        WALK.K,
        WALK.camera_confidence,
        True,
        "metre",
        np.zeros((0, 3)),
        np.zeros((0, 4)),
        "user" if options.focal else "default",
        "rotation",
    )


def lift_people(found, filmed, body, info, options, network, report):
    log("lift")
    return tuple(
        LiftedPerson(
            int(name),
            p.frames,
            rotations(p),
            p.transl,
            p.betas,
            p.keypoints,
            p.confidence,
            np.ones(len(p.frames), bool),
        )
        for name, p in WALK.people.items()
    )


def place_in_world(lifted, filmed, body, info, options, report):
    log("world")
    cast = tuple(
        WorldPerson(
            each.person, each.frames, each.rotations, each.transl, each.betas,
            WALK.people[str(each.person)].contacts, each.confidence, each.keypoints,
            WALK.people[str(each.person)].reprojection, each.seen,
        )
        for each in lifted
    )  # fmt: skip
    return WorldScene(cast, filmed.R, filmed.t, filmed.K, filmed.confidence)


def refine(scene, lifted, body, info, options, report, priors):
    log("refine")
    return scene


def rotations(person):
    return roma.rotvec_to_rotmat(torch.as_tensor(person.poses)).numpy()


def load_body(path, device):
    person = WALK.people["1"]

    def tensor(array):
        return torch.as_tensor(np.asarray(array, np.float32))

    count = len(person.vertices)
    return Body(
        name="figure", licence=os.environ.get("STAND_IN_LICENCE", "CC0-1.0"), sha256="ab" * 32,
        v_template=tensor(person.vertices), shapedirs=torch.zeros(count, 3, 10), posedirs=None,
        J_regressor=torch.zeros(24, count), weights=tensor(person.weights), parents=torch.as_tensor(WALK.parents),
        faces=torch.as_tensor(WALK.faces), colors=torch.as_tensor(WALK.colors),
        points=torch.zeros(37, 1, dtype=torch.long), point_weights=torch.ones(37, 1),
        joints_template=tensor(person.joints), joints_shapedirs=torch.zeros(24, 3, 10),
    )  # fmt: skip


def log(stage):
    """Tell a test that a stage really ran."""
    if "STAND_IN_LOG" in os.environ:
        with Path(os.environ["STAND_IN_LOG"]).open("a") as file:
            file.write(stage + "\n")


def slow(clip, options, report, watch=None):
    """A stage that reports often."""
    for step in range(1000):
        report(step / 1000)
        time.sleep(0.02)


def native(clip, options, report, watch=None):
    """A stage whose native code does not come back, as a long step of PyTorch's."""
    report(0.3)
    big = torch.rand(6000, 6000)
    while True:
        torch.mm(big, big)  # seconds each


def failing(clip, options, report, watch=None):
    raise ValueError("a broken\nstage")


def nobody(clip, options, report, watch=None):
    raise RecoverError("nobody", "There is nobody in the clip.", "Choose another.")


def noisy(clip, options, report, watch=None):
    print("a print")  # noqa: T201
    os.write(1, b"a C library's write\n")
    sys.stdout.flush()
    return find_people(clip, options, report)


def background_fails(clip, out, report):
    out.write_bytes(b"half a copy")
    raise OSError(28, "No space left on device")


def slow_background(clip, out, report):
    out.write_bytes(b"half a copy")
    slow(clip, None, report)


def stand_in(behaviour, put=setattr):
    """Put the made-up stages into the engine. put: called as setattr is."""
    put(pipeline.video, "open_video", open_video)
    copies = {"background_fails": background_fails, "slow_background": slow_background}
    put(pipeline.video, "write_background", copies.get(behaviour, write_background))
    finders = {"slow": slow, "native": native, "failing": failing, "nobody": nobody, "noisy": noisy}
    put(pipeline.people, "find_people", finders.get(behaviour, find_people))
    put(pipeline.camera, "track_camera", track_camera)
    put(pipeline.lift, "lift_people", lift_people)
    put(pipeline.world, "place_in_world", place_in_world)
    put(pipeline.refine, "refine", refine)
    put(added_stages, "load_body", load_body)
    put(pipeline, "load_network", lambda path, device: None)


def main() -> None:
    behaviour, *rest = sys.argv[1:]
    stand_in(behaviour)
    if rest == ["serve"]:
        serve.main()
    else:
        cli.app(rest)


if __name__ == "__main__":
    main()
