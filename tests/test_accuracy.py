"""The regression suite: clips with known truth. No measure may get worse than what was measured, by a stated margin.

Margins: the same clips encoded once more, coarser or finer (x264 at 18 and at 28), which changes nothing that matters,
moved poses by up to 13 %, places by 17 %, F1 by 0.06 and up by 1 degree; sliding went from 3 to 8 mm on one and from 2 to
12 on another. So limits are the measure and 20 % of it for poses and places, and what is said below for the rest.
docs/benchmark.md says how the clips are made; the motions of the three are in nobody's training.
"""

from __future__ import annotations

import numpy as np
import pytest

from ghmr_engine.evaluate.compare import compare
from ghmr_engine.evaluate.suite import REGRESSION, find_clips, read_suite
from ghmr_engine.evaluate.tracks import tracks_of
from ghmr_engine.motion_file import read_motion
from ghmr_engine.options import Options
from ghmr_engine.pipeline import recover

# Measured when written: PA-MPJPE, MPJPE, WA-MPJPE100 in mm, RTE in %, sliding in mm, contact F1, tilt of the camera's up
# in degrees, jitter. The demo's constants were chosen on the demo itself; the other three were not looked at.
MEASURED = {
    "demo": (53, 62, 82, 2.7, 2.2, 0.86, 0.9, 5.7),
}
SHARE = 1.2
SLIDING_MM, F1, TILT_DEG, RTE_PERCENT, JITTER = 3.0, 0.08, 1.5, 1.0, 3.0
"""Added to the measures of these names, since they are small or sway."""


def test_the_clips_are_those_of_the_list_and_small():
    names = {clip.name for clip in read_suite("regression")}
    clips = find_clips(REGRESSION)
    assert set(clips) == names == set(MEASURED) - {"demo"}
    assert sum(path.stat().st_size for pair in clips.values() for path in pair) < 3_000_000


@pytest.fixture(scope="module", params=MEASURED)
def result(request, body, demo_clip, tmp_path_factory):
    """(name, report, true tracks, found tracks) of one clip."""
    name = request.param
    clip = demo_clip if name == "demo" else REGRESSION / f"{name}.mp4"
    out = tmp_path_factory.mktemp("accuracy") / f"{name}.motion.npz"
    recover(clip, out, Options(device="cpu"), lambda _progress: None)
    true = tracks_of(read_motion(clip.with_name(f"{name}.truth.npz")), body)
    found = tracks_of(read_motion(out), body)
    return name, compare(found, true), true, found


def test_everybody_is_seen_whenever_in_view(result):
    _, report, true, found = result
    assert len(found.people) == len(true.people)
    assert report.false_people == 0
    assert report.missed <= 0.05


def test_poses_places_and_feet(result):
    name, report, _, _ = result
    pose, camera_pose, world, path, sliding, f1, tilt, jitter = MEASURED[name]
    mean = report.mean
    assert mean.pa_mpjpe_mm < SHARE * pose
    assert mean.mpjpe_mm < SHARE * camera_pose
    assert mean.wa_mpjpe100_mm < SHARE * world
    assert mean.rte_percent < SHARE * path + RTE_PERCENT
    assert mean.foot_sliding_mm < sliding + SLIDING_MM
    assert mean.contact_f1 > f1 - F1
    assert mean.jitter < SHARE * jitter + JITTER
    assert mean.penetration_mm < 3
    assert report.camera.tilt_deg < tilt + TILT_DEG


def test_people_go_forward_with_the_left_on_the_left(result):
    """Hips point the same way as the truth's, seen by the camera: nobody walks backwards."""
    _, report, true, found = result
    by_name = {person.name: person for person in found.people}
    for person, own in zip(true.people, report.people, strict=True):
        other = by_name[own.found]
        frames, at, to = np.intersect1d(person.frames, other.frames, return_indices=True)
        hips = [each.joints[rows, 1] - each.joints[rows, 2] for each, rows in ((person, at), (other, to))]
        hips = [np.einsum("nij,nj->ni", each.R[frames], way) for each, way in zip((true, found), hips, strict=True)]
        cosine = (hips[0] * hips[1]).sum(1) / np.prod([np.linalg.norm(way, axis=1) for way in hips], 0)
        assert np.mean(cosine > 0) > 0.9
