"""A recovered motion against the truth: who was found, how well, and the camera."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from ghmr_engine import places
from ghmr_engine.body.smpl import load_body
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate import measures
from ghmr_engine.evaluate.matching import match_people
from ghmr_engine.evaluate.tracks import PersonTrack, Tracks, to_camera, tracks_of
from ghmr_engine.motion_file import read_motion


@dataclass(frozen=True)
class Measures:
    """One person's measures, or their mean; None where there was nothing to measure. measures.py says what each is."""

    pa_mpjpe_mm: float | None
    mpjpe_mm: float | None
    pve_mm: float | None
    accel_mps2: float | None
    wa_mpjpe100_mm: float | None
    w_mpjpe100_mm: float | None
    rte_percent: float | None
    jitter: float | None
    """10 m/s^3, of the prediction."""
    foot_sliding_mm: float | None
    penetration_mm: float | None
    contact_f1: float | None
    tilt_deg: float | None


@dataclass(frozen=True)
class PersonReport:
    """One true person."""

    name: str
    found: str | None
    """Name in the prediction; None where nobody matches."""
    frames_in_view: int
    frames_missed: int
    """In view, but the prediction has nobody there."""
    missed: float | None
    """Share of the frames in view; None for who never is in view."""
    identity_switches: int
    measures: Measures | None
    """Over the frames in view that the prediction has; None where there is none."""
    contact_note: str
    """Why there is no contact F1, or empty."""


@dataclass(frozen=True)
class Report:
    """A whole comparison."""

    people: tuple[PersonReport, ...]
    mean: Measures | None
    """Over people, weighed by their frames in view; None where nobody was found."""
    missed: float | None
    """Share of all frames in view of all people."""
    identity_switches: int
    false_people: int
    """Predicted people that match nobody."""
    false_frames: int
    """Their frames together."""
    apart_percent: float | None
    """How far distances between people are off, mean over all pairs; None for fewer than two."""
    camera: measures.CameraMeasures

    def as_dict(self) -> dict:
        """For JSON: dictionaries, lists, numbers, text and None only."""
        return {**asdict(self), "people": [asdict(person) for person in self.people]}


def evaluate_files(predicted: Path, truth: Path) -> Report:
    """Two motion files. Raises MotionFileError for an unreadable one, RecoverError where they are not of one clip."""
    motions = [read_motion(path) for path in (predicted, truth)]
    body = load_body(places.body_path(), "cpu") if places.body_path().is_file() else None
    found, true = (tracks_of(motion, body) for motion in motions)
    return compare(found, true)


def compare(found: Tracks, true: Tracks) -> Report:
    """All measures. Raises RecoverError where the number of frames, the rate or the picture's size differ."""
    _check_same_clip(found, true)
    matching = match_people(found, true)
    by_name = {person.name: person for person in found.people}
    people = tuple(
        _person_report(found, true, by_name.get(matching.pairs[person.name]), person, matching.switches[person.name])
        for person in true.people
    )
    false = [person for person in found.people if person.name not in matching.pairs.values()]
    in_view = sum(person.frames_in_view for person in people)
    return Report(
        people=people,
        mean=_mean_measures(people),
        missed=sum(person.frames_missed for person in people) / in_view if in_view else None,
        identity_switches=sum(person.identity_switches for person in people),
        false_people=len(false),
        false_frames=sum(len(person.frames) for person in false),
        apart_percent=_apart([(by_name.get(matching.pairs[person.name]), person) for person in true.people]),
        camera=measures.camera((found.R, found.t, found.K), (true.R, true.t, true.K)),
    )


def _apart(people: list[tuple[PersonTrack | None, PersonTrack]]) -> float | None:
    """Of the pairs of (found, true), over the frames in which both are in view and found."""
    values = []
    for (a, true_a), (b, true_b) in itertools.combinations([pair for pair in people if pair[0] is not None], 2):
        in_view = (person.frames[person.in_view] for person in (true_a, true_b))
        common = functools.reduce(np.intersect1d, (*in_view, a.frames, b.frames))
        pelvis = [person.joints[np.searchsorted(person.frames, common), 0] for person in (a, b, true_a, true_b)]
        values.append(measures.apart_percent(pelvis[1] - pelvis[0], pelvis[3] - pelvis[2]))
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def table(report: Report) -> str:
    """Plain text: a row a person, the mean, those who were not there, and the camera."""
    rows = [("", *(head for head, _ in _COLUMNS)), ("", *(unit for _, unit in _COLUMNS))]
    for person in report.people:
        first = (person.found or "-", str(person.frames_in_view), _percent(person.missed))
        rows.append((person.name, *first, str(person.identity_switches), *_figures(person.measures)))
    in_view = sum(person.frames_in_view for person in report.people)
    rows.append(
        ("mean", "", str(in_view), _percent(report.missed), str(report.identity_switches), *_figures(report.mean))
    )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    lines.append(f"false people: {report.false_people} ({report.false_frames} frames)")
    if report.apart_percent is not None:
        lines.append(f"people's distance from each other: {report.apart_percent:.1f} % off")
    return "\n".join([*(line.rstrip() for line in lines), _camera_line(report.camera)])


_CHUNK = 32
"""Frames whose meshes are compared at once."""
_COLUMNS = (
    ("found", "as"), ("view", "frames"), ("missed", "%"), ("swaps", ""), ("PA", "mm"), ("MPJPE", "mm"), ("PVE", "mm"),
    ("accel", "m/s2"), ("WA", "mm"), ("W", "mm"), ("RTE", "%"), ("jitter", "10m/s3"), ("slide", "mm"), ("sink", "mm"),
    ("contact", "F1"), ("tilt", "deg"),
)  # fmt: skip
"""Head and unit; the last twelve in the order of Measures' fields."""


def _figures(each: Measures | None) -> list[str]:
    """Cells in the order of the fields."""
    values = [None] * len(fields(Measures)) if each is None else list(asdict(each).values())
    names = [field.name for field in fields(Measures)]
    digits = {"contact_f1": 2, "rte_percent": 2, "accel_mps2": 2, "tilt_deg": 2, "foot_sliding_mm": 2}
    return [
        "-" if value is None else f"{value:.{digits.get(name, 1)}f}"
        for name, value in zip(names, values, strict=True)
    ]  # fmt: skip


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _camera_line(camera: measures.CameraMeasures) -> str:
    path = "no path" if camera.path_percent is None else f"path {camera.path_percent:.2f} %, scale {camera.scale:.3f}"
    return (
        f"camera: rotation {camera.rotation_deg:.2f} deg (rms {camera.rotation_rms_deg:.2f}), {path}, "
        f"{_standing(camera)}, drift {camera.drift_mm:.1f} mm, "
        f"up {camera.tilt_deg:.2f} deg, focal {camera.focal_percent:+.1f} %"
    )


def _standing(camera: measures.CameraMeasures) -> str:
    says, truth = ("stands" if still else "moves" for still in (camera.stands, camera.truly_stands))
    return f"{says} as in truth" if says == truth else f"{says}, but in truth it {truth}"


def _check_same_clip(found: Tracks, true: Tracks) -> None:
    same = "Compare files of the same clip, at the same rate."
    if len(found.R) != len(true.R):
        text = f"The prediction has {len(found.R)} frames, the truth {len(true.R)}."
        raise RecoverError("frames_differ", text, same)
    if not math.isclose(found.fps, true.fps, rel_tol=1e-4):  # 29.97 is another way to write 30000/1001
        text = f"The prediction has {found.fps:.6g} frames a second, the truth {true.fps:.6g}."
        raise RecoverError("fps_differ", text, same)
    if found.image_size != true.image_size:
        sizes = ["{}x{}".format(*tracks.image_size) for tracks in (found, true)]
        text = f"The prediction's picture is {sizes[0]} pixels, the truth's {sizes[1]}."
        raise RecoverError("size_differs", text, same)


def _person_report(
    found: Tracks, true: Tracks, a: PersonTrack | None, b: PersonTrack, switches: int
) -> PersonReport:  # fmt: skip
    """True person b, found as a."""
    in_view = b.frames[b.in_view]
    common = np.intersect1d(a.frames, in_view) if a is not None else in_view[:0]
    missed = len(in_view) - len(common)
    each, note = None, ""
    if a is not None and len(common):
        each, note = _measures(found, true, _rows(a, common), _rows(b, common))
    return PersonReport(
        name=b.name,
        found=None if a is None else a.name,
        frames_in_view=len(in_view),
        frames_missed=missed,
        missed=missed / len(in_view) if len(in_view) else None,
        identity_switches=switches,
        measures=each,
        contact_note=note,
    )


def _rows(person: PersonTrack, frames: np.ndarray) -> PersonTrack:
    """Those `frames` of a person alone, all of which that person has."""
    at = np.searchsorted(person.frames, frames)
    arrays = (
        None if array is None else array[at] for array in (person.joints, person.feet, person.contacts, person.in_view)
    )
    mesh = person.mesh
    return PersonTrack(person.name, frames, *arrays, None if mesh is None else lambda rows: mesh(at[rows]))


def _measures(found: Tracks, true: Tracks, a: PersonTrack, b: PersonTrack) -> tuple[Measures, str]:
    """a found, b true, of the same frames."""
    at = b.frames
    seen, seen_true = (to_camera(x.joints, c.R[at], c.t[at]) for c, x in ((found, a), (true, b)))
    body, body_true = measures.centred(seen, seen), measures.centred(seen_true, seen_true)
    f1, note = measures.contact_f1(a.contacts, b.contacts)
    return Measures(
        pa_mpjpe_mm=measures.pa_mpjpe(a.joints, b.joints),
        mpjpe_mm=measures.mpjpe(body, body_true),
        pve_mm=_pve(found, true, a, b, (seen, seen_true)),
        accel_mps2=measures.accel(at, body, body_true, true.fps),
        wa_mpjpe100_mm=measures.wa_mpjpe100(a.joints, b.joints),
        w_mpjpe100_mm=measures.w_mpjpe100(a.joints, b.joints),
        rte_percent=measures.rte(a.joints[:, 0], b.joints[:, 0]),
        jitter=measures.jitter(at, a.joints, true.fps),
        foot_sliding_mm=measures.foot_sliding(at, a.feet, b.feet),
        penetration_mm=measures.penetration(a.feet),
        contact_f1=f1,
        tilt_deg=measures.upright_tilt(a.joints, b.joints),
    ), note


def _pve(
    found: Tracks, true: Tracks, a: PersonTrack, b: PersonTrack, seen: tuple[np.ndarray, np.ndarray]
) -> float | None:
    """PVE in mm, a part of the frames at a time; None unless both have a mesh, of the same vertices.

    seen: both people's joints (N, 24, 3) m in their cameras.
    """
    if a.mesh is None or b.mesh is None:
        return None
    total = 0.0
    for rows in np.array_split(np.arange(len(a.frames)), -(-len(a.frames) // _CHUNK)):
        meshes = []
        for tracks, person, joints in zip((found, true), (a, b), seen, strict=True):
            at = person.frames[rows]
            in_camera = to_camera(person.mesh(rows), tracks.R[at], tracks.t[at])
            meshes.append(measures.centred(in_camera, joints[rows]))
        if meshes[0].shape != meshes[1].shape:
            return None
        total += measures.mpjpe(*meshes) * len(rows)
    return total / len(a.frames)


def _mean_measures(people: tuple[PersonReport, ...]) -> Measures | None:
    """Every measure over those people who have it, weighed by frames in view."""
    met = [(person.measures, person.frames_in_view) for person in people if person.measures is not None]
    if not met:
        return None
    means = {}
    for field in fields(Measures):
        pairs = [(getattr(each, field.name), weight) for each, weight in met if getattr(each, field.name) is not None]
        means[field.name] = sum(v * w for v, w in pairs) / sum(w for _, w in pairs) if pairs else None
    return Measures(**means)
