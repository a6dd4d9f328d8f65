"""The people file (NAME.people.json) and a thumbnail of each person beside it: docs/people_file.md."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ghmr_engine import __version__, output
from ghmr_engine.crops import cut_out
from ghmr_engine.jpeg import jpeg
from ghmr_engine.part_files import part_of
from ghmr_engine.progress import Report
from ghmr_engine.types import People, Track
from ghmr_engine.video import Video

FORMAT = "recover-motion people"
VERSION = 1
THUMBNAIL = 128
"""Pixels a side."""
_MARGIN = 1.3
"""Of a thumbnail's side over the box of landmarks, which ends at the eyes."""
_SHOULDERS = 0.2
"""Of a body's size: between the shoulders of who looks into the camera."""
_NOSE, _LEFT_SHOULDER, _RIGHT_SHOULDER, _HIPS = 0, 11, 12, slice(23, 25)


def write_people(out: Path, clip: Video, people: People, report: Report) -> dict:
    """Write the people file `out` and the thumbnails under the names of parts, within output.whole_or_nothing; returns
    what is in the file.

    Raises OSError, and what the video and `report` raise.
    """
    content = describe(out, clip, people)
    for done, track in enumerate(people.tracks):
        row = good_row(track, people, clip.info.width, clip.info.height)
        picture = thumbnail(clip.frame(int(track.frames[row])), track.boxes[row])
        part_of(output.thumbnail_path(out, track.person)).write_bytes(jpeg(picture))
        report((done + 1) / len(people.tracks))
    part_of(out).write_text(json.dumps(content), encoding="utf-8")
    return content


def describe(out: Path, clip: Video, people: People) -> dict:
    """The file's content."""
    info = clip.info
    return {
        "format": FORMAT,
        "version": VERSION,
        "engine": __version__,
        "video": {"name": info.name, "path": str(info.path.absolute()), "sha256": info.sha256},
        "fps": [info.fps.numerator, info.fps.denominator],
        "frames": info.frames,
        "image_size": [info.width, info.height],
        "start": info.start,
        "people": [
            {
                "person": track.person,
                "main": bool(track.main),
                "seen": round(float(track.seen.sum()) / info.frames, 4),
                "frames": track.frames.tolist(),
                "boxes": np.round(track.boxes.astype(float), 1).tolist(),
                "thumbnail": output.thumbnail_path(out, track.person).name,
            }
            for track in people.tracks
        ],
        "warnings": list(dict.fromkeys([*info.warnings, *people.warnings])),
    }


def good_row(track: Track, people: People, width: int, height: int) -> int:
    """Place in a track of a frame that shows the person well: large, seen, with nobody else there, from the front,
    upright, near the track's middle. width, height: of the picture, px."""
    points = track.keypoints
    size = np.ptp(points[..., :2], axis=1).max(1)
    low, high = track.boxes[:, :2], track.boxes[:, 2:]
    in_picture = _area(low.clip(0), high.clip(max=[width, height])) / np.maximum(_area(low, high), 1)
    front = ((points[:, _LEFT_SHOULDER, 0] - points[:, _RIGHT_SHOULDER, 0]) / (_SHOULDERS * size)).clip(0, 1)
    upright = points[:, _NOSE, 1] < points[:, _HIPS, 1].mean(1)
    middle = 1 - 0.5 * abs(np.linspace(-1, 1, len(points))) if len(points) > 1 else np.ones(1)
    score = size * points[..., 2].mean(1) * in_picture * (1 - _covered(track, people)) * middle
    score *= (0.6 + 0.4 * front) * np.where(upright, 1.0, 0.7) * np.where(track.seen, 1.0, 1e-3)
    return int(score.argmax())


def thumbnail(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(128, 128, 3): the square around a person's box (4,) px of a picture (H, W, 3), moved into the picture as far as
    it fits; what is outside is black."""
    bounds = np.array(picture.shape[1::-1], float)
    low, high = box[:2].clip(0, bounds - 1), box[2:].clip(0, bounds - 1)
    side = _MARGIN * max(*(high - low), 16.0)
    corner = (low + high - side) / 2
    room = bounds - side
    corner = np.where(room > 0, corner.clip(0, room.clip(0)), room / 2)
    scale = side / THUMBNAIL
    affine = np.column_stack([np.eye(2) * scale, corner + 0.5 * scale - 0.5])
    return cut_out(picture, affine, (THUMBNAIL, THUMBNAIL))


def _covered(track: Track, people: People) -> np.ndarray:
    """(N,) how much of other people's boxes is in the person's thumbnail, in areas of the person's box, at most 1."""
    covered = np.zeros(len(track.frames))
    low, high = track.boxes[:, :2], track.boxes[:, 2:]
    reach = _MARGIN / 2 * (high - low).max(1, keepdims=True)
    middle, area = (low + high) / 2, np.maximum(_area(low, high), 1)
    for other in people.tracks:
        if other is not track:
            _, own, theirs = np.intersect1d(track.frames, other.frames, return_indices=True)
            box = other.boxes[theirs]
            begin, end = np.maximum((middle - reach)[own], box[:, :2]), np.minimum((middle + reach)[own], box[:, 2:])
            covered[own] += _area(begin, end) / area[own]
    return covered.clip(max=1)


def _area(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(N,) of boxes from low to high (N, 2); 0 where they are none."""
    return np.prod((high - low).clip(0), axis=1)
