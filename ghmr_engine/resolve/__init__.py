"""Solving a part of a motion again, near what it is, by what a user changed in it: foot contacts and pinned joints.

Terms and solver are those of the stages (energy/); a motion file is all that is known (docs/resolve.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import roma
import torch
from scipy.ndimage import binary_dilation, find_objects, label

from ghmr_engine import quality
from ghmr_engine.body.skeleton import COCO_FROM_LANDMARKS
from ghmr_engine.body.smpl import Body
from ghmr_engine.edits import Edits
from ghmr_engine.energy.marks import BLAZEPOSE_OFFSETS
from ghmr_engine.energy.placed import Placed, reprojection_error
from ghmr_engine.energy.solver import blend_ramp, windows
from ghmr_engine.motion_file import Motion, Person
from ghmr_engine.progress import Report
from ghmr_engine.resolve.body import body_of
from ghmr_engine.resolve.check import check_edits
from ghmr_engine.resolve.feet import let_go, stands_of
from ghmr_engine.resolve.freedom import freedom_of
from ghmr_engine.resolve.pins import View, pinned_to
from ghmr_engine.resolve.problem import Evidence, Problem
from ghmr_engine.resolve.shortfalls import shortfalls

CONTEXT = 3
"""Frames before and after the range: they do not change, and what does is joined to them smoothly."""
WINDOW, OVERLAP = 400, 24


def resolve(motion: Motion, edits: Edits, report: Report, known: Body | None = None) -> Motion:
    """The motion with the people of `edits` solved again within its range, and their quality measured anew.

    known: the body of this machine, whose points a file with the same mesh has (body.py). Runs on the CPU. Raises
    RecoverError where the edits do not fit the motion, and what `report` raises.
    """
    check_edits(motion, edits)
    people, figures, warnings = dict(motion.people), dict(motion.meta.get("quality", {})), []
    names = list(dict.fromkeys(edits.people))
    for number, name in enumerate(names):
        body, has = body_of(motion.people[name], motion, known)
        people[name], missed = _solved(name, motion, edits, body, has,
                                       lambda done, number=number: report((number + done) / len(names)))  # fmt: skip
        figures[name] = _figures(people[name], body, motion, figures.get(name, {}))
        warnings += missed
    history = [*motion.meta.get("edits", []), {**edits.as_dict(), "warnings": warnings}]
    return replace(motion, people=people, meta={**motion.meta, "quality": figures, "edits": history})


def _solved(
    name: str, motion: Motion, edits: Edits, body: Body, has: np.ndarray, report: Report
) -> tuple[Person, list[str]]:
    """One person with the rows of the range solved again, and what could not be done."""
    source, fps = motion.people[name], motion.meta["fps"][0] / motion.meta["fps"][1]
    first, stop = np.searchsorted(source.frames, [edits.first, edits.last + 1])
    rows = slice(max(first - CONTEXT, 0), min(stop + CONTEXT, len(source.frames)))
    person = placed(source, _offsets(motion), has, rows)
    free = (person.frames >= edits.first) & (person.frames <= edits.last)
    pins = [pin for pin in edits.pins if pin.person == name]
    evidence = _evidence(person, pins, motion, free, body, fps)
    after = _lowered(person, evidence, body, fps, report)
    missed = list(shortfalls(name, after, pins, free, evidence.view, body))
    view = (motion.R, motion.t, motion.K)
    changed = evidence.freedom.changing()
    inside = np.arange(rows.start, rows.stop)[changed]
    poses, transl, reprojection = (np.array(x) for x in (source.poses, source.transl, source.reprojection))
    poses[inside, :22] = roma.rotmat_to_rotvec(after.rotations[changed, :22]).numpy()
    transl[inside] = after.transl[changed].numpy()
    reprojection[inside] = reprojection_error(after, body, *view)[changed]
    return replace(source, poses=poses, transl=transl, reprojection=reprojection), missed


def _evidence(person: Placed, pins: list, motion: Motion, free: np.ndarray, body: Body, fps: float) -> Evidence:
    view = View(*(np.asarray(part[person.frames], float) for part in (motion.R, motion.t, motion.K)))
    posed = body.forward(person.rotations, person.transl, person.betas)
    joints, feet = posed.joints.double().numpy(), posed.contacts.double().numpy()
    contacts = person.contacts.numpy()
    stands = stands_of(feet, contacts, person.frames, free, fps)
    pinned, stands = pinned_to(pins, person.frames, joints, feet, stands, view)
    stands = stands.within_reach(joints, feet)
    away = (np.linalg.norm(stands.places - feet, axis=-1) * stands.nailed).reshape(-1, 2, 2).max(2)
    released = let_go(feet, contacts, person.frames, fps) & free[:, None]
    return Evidence(view, stands, pinned, freedom_of(away, released, pinned, person.frames, free, fps))


def _lowered(person: Placed, evidence: Evidence, body: Body, fps: float, report: Report) -> Placed:
    """The person where the energy is lowest, long stretches in windows that are faded into each other."""
    after, solved = person, 0
    spans = list(_spans(evidence.freedom.changing()))
    for number, span in enumerate(spans):
        problem = Problem(person.cut(span), evidence.cut(span), body, fps)
        moved = problem.solve(lambda done, number=number: report((number + done) / len(spans)))
        known = max(solved - span.start, 0)
        ramp = np.concatenate([blend_ramp(known), np.ones(span.stop - span.start - known)])
        first = int(person.frames[span.start])
        by_frame = np.zeros(int(person.frames[span.stop - 1]) - first + 1)
        by_frame[person.frames[span] - first] = ramp
        after = after.merged(span, moved, torch.as_tensor(by_frame).to(person.transl), first)
        solved = span.stop
    return after


def _spans(changing: np.ndarray) -> Iterator[slice]:
    """Stretches of rows that change, with what they are joined to, cut into windows that overlap where one is long."""
    about, _ = label(binary_dilation(changing, iterations=CONTEXT))
    for (stretch,) in find_objects(about):
        for span in windows(stretch.stop - stretch.start, WINDOW, OVERLAP):
            yield slice(stretch.start + span.start, stretch.start + span.stop)


def placed(person: Person, offsets: np.ndarray, has: np.ndarray, rows: slice) -> Placed:
    """Some rows of a motion file's person, as tensors. offsets (33, 3) m and has (33,) of the landmarks."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array, np.float32))

    keypoints = np.array(person.keypoints[rows])
    keypoints[..., 2] *= has
    return Placed(
        0, person.frames[rows], roma.rotvec_to_rotmat(tensor(person.poses[rows])), tensor(person.transl[rows]),
        tensor(person.betas), tensor(keypoints), tensor(offsets), tensor(person.contacts[rows]),
    )  # fmt: skip


def _offsets(motion: Motion) -> np.ndarray:
    """(33, 3) m from the body's landmarks to those of the detector that saw them."""
    offsets = BLAZEPOSE_OFFSETS.copy()
    if any(model["name"] == "vitpose" for model in motion.meta.get("models", [])):
        offsets[list(COCO_FROM_LANDMARKS)] = 0  # as people/vitpose.py takes them
    return offsets


def _figures(person: Person, body: Body, motion: Motion, before: dict) -> dict[str, float | None]:
    """A person's quality; what only the recovery knew stays."""
    everything = placed(person, np.zeros((33, 3)), np.ones(33, bool), slice(None))
    fps = motion.meta["fps"][0] / motion.meta["fps"][1]
    with torch.no_grad():
        posed = body.forward(everything.rotations, everything.transl, everything.betas)
    joints, feet = posed.joints.numpy(), posed.contacts.numpy()
    off = person.reprojection[np.isfinite(person.reprojection)]
    return {
        **before,
        "reprojection_px": float(off.mean(dtype=float)) if len(off) else None,
        "sliding_mm": quality.sliding_mm(person.frames, feet, person.contacts),
        "penetration_mm": quality.penetration_mm(feet),
        "jitter": quality.jitter(person.frames, joints, fps),
    }
