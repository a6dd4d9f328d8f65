"""The focal length from straight lines: rooms, streets and crates have three directions at right angles.

Coughlan and Yuille 1999 found such a scene's directions with the focal length known; here it is one more unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

_REACH = 0.6  # of the logarithm: from 0.55 to 1.8 times the guess
_STEPS = 25  # focal lengths to try in that
_TRIES = 600  # directions to try at each
_LINES = 160  # the longest ones are enough
_WIDTH_DEG, _ENDS_PX = 0.1, 0.5  # of what counts as pointing along a direction: of long lines, and of short ones' ends
_NEAR = 2.5  # such widths
_CONTRAST = 0.02
"""A focal length whose lines agree less by this share of all is less likely by a factor of e."""
_FEWEST = 10  # lines of each of two directions, and of the third with the second
_SHARE = 0.35  # of all lines' weight along the three directions
_AWAY = 0.15
"""Of the logarithm: where the best of the tried ones is refined to one further away, the lines do not hold it."""
_PICTURES = 4
_LEAST, _MOST = 0.03, 0.1
"""Of the deviation: walls are not quite at right angles; and what is less sure is not worth more than a guess."""


@dataclass(frozen=True)
class LineFocal:
    """A focal length, and how sure it is."""

    focal_px: float
    log_deviation: float
    """Of its logarithm."""


def focal_of_lines(pictures: list[np.ndarray], guess_px: float, log_deviation: float) -> LineFocal | None:
    """The middle of what pictures of one clip show, each by itself; pictures: ends (S, 4) of lines, px from the centre.

    guess_px: a likely focal length, log_deviation: of its logarithm. None where most of the pictures that have lines
    show nothing, or they contradict each other.
    """
    chosen = sorted(pictures, key=len)[-_PICTURES:]
    found = [focal_of_picture(lines_px, guess_px, log_deviation) for lines_px in chosen]
    known = [each for each in found if each is not None]
    if not known or 2 * len(known) < len(chosen):
        return None
    logs = np.log([each.focal_px for each in known])
    middle = float(np.median(logs))
    apart = float(np.median(np.abs(logs - middle)))
    deviation = max(_LEAST, 1.5 * apart, float(np.median([each.log_deviation for each in known])))
    return LineFocal(float(np.exp(middle)), deviation) if deviation < _MOST else None


def focal_of_picture(lines_px: np.ndarray, guess_px: float, log_deviation: float) -> LineFocal | None:
    """As above, of one picture. None where the lines do not show three directions at right angles, or no perspective.

    All focal lengths near the guess are tried, each with directions that few lines make (RANSAC); what most lines agree
    with is refined by robust least squares. Always the same for the same lines.
    """
    length = np.linalg.norm(lines_px[:, 2:] - lines_px[:, :2], axis=1)
    kept = np.argsort(-length)[:_LINES]
    lines_px, weight = lines_px[kept], np.minimum(length[kept], 4 * np.median(length[kept])) if len(kept) else length
    if len(lines_px) < 3 * _FEWEST:
        return None
    random = np.random.default_rng(0)
    focals = guess_px * np.exp(np.linspace(-_REACH, _REACH, _STEPS))
    width = np.hypot(np.radians(_WIDTH_DEG), _ENDS_PX / np.linalg.norm(lines_px[:, 2:] - lines_px[:, :2], axis=1))
    found = [_best_axes(_normals(lines_px, focal) / width[:, None], weight, random) for focal in focals]
    score = np.array([each[0] for each in found]) / weight.sum()
    logs = np.log(focals / guess_px)
    likely = np.exp((score - score.max()) / _CONTRAST - 0.5 * (logs / log_deviation) ** 2)
    likely /= likely.sum()
    best = int(likely.argmax())
    spread = float(np.sqrt((likely * (logs - logs[best]) ** 2).sum()))
    if score[best] < _SHARE or spread > _MOST:
        return None
    refined = _refined(lines_px, weight, width, focals[best], found[best][1])
    return None if refined is None else replace(refined, log_deviation=max(refined.log_deviation, spread))


def _normals(lines_px: np.ndarray, focal_px: float) -> np.ndarray:
    """(S, 3) unit normals of the planes through the camera and the lines."""
    ends = [np.column_stack([end / focal_px, np.ones(len(end))]) for end in (lines_px[:, :2], lines_px[:, 2:])]
    normals = np.cross(*ends)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _best_axes(normals: np.ndarray, weight: np.ndarray, random: np.random.Generator) -> tuple[float, np.ndarray]:
    """The best score and its directions (3, 3), in rows: two lines make one, a third the next, the last is across.

    normals (S, 3), each over the width that its line counts within.
    """
    one, two, three = random.choice(len(normals), (3, _TRIES * 4), p=weight / weight.sum())
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    first = np.cross(unit[one], unit[two])
    size = np.linalg.norm(first, axis=1)
    usable = np.flatnonzero(size > np.sin(np.radians(2.0)))[:_TRIES]
    first = first[usable] / size[usable, None]
    second = np.cross(first, unit[three[usable]])
    size = np.linalg.norm(second, axis=1)
    first, second = first[size > 0.05], second[size > 0.05] / size[size > 0.05, None]
    if not len(first):
        return 0.0, np.eye(3)
    axes = np.stack([first, second, np.cross(first, second)], 1)  # (M, 3, 3)
    score = _pointing(normals, axes).max(1) @ weight
    best = int(score.argmax())
    return float(score[best]), axes[best]


def _pointing(normals: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(M, 3, S) 0 to 1: how well each direction lies in each plane."""
    return np.exp(-0.5 * (axes @ normals.T) ** 2)


def _refined(
    lines_px: np.ndarray, weight: np.ndarray, width: np.ndarray, focal_px: float, axes: np.ndarray
) -> LineFocal | None:
    """Directions axes (3, 3) and the focal length together, by the lines (S, 4) that point along one of them."""
    start = Rotation.from_matrix(axes)
    share = np.sqrt(weight / weight.mean()) / width
    values = np.zeros(4)  # a turn of the directions, and the logarithm of the focal length over the given one
    for _ in range(4):
        off = (
            _normals(lines_px, focal_px * np.exp(values[3])) @ (Rotation.from_rotvec(values[:3]) * start).as_matrix().T
        )
        near = np.abs(off).min(1) < _NEAR * width
        which = np.abs(off).argmin(1)[near]
        if near.sum() < 3 * _FEWEST:
            return None
        solved = least_squares(
            _off, values, loss="soft_l1", args=(lines_px[near], which, share[near], start, focal_px)
        )  # fmt: skip
        values = solved.x
        if abs(values[3]) > _AWAY:
            return None
    if np.sort(np.bincount(which, minlength=3))[1] < _FEWEST:
        return None
    # A little is added, so that what the lines leave open comes out as open.
    deviation = float(np.sqrt(np.linalg.inv(solved.jac.T @ solved.jac + 1e-6 * np.eye(4))[3, 3]))
    return LineFocal(float(focal_px * np.exp(values[3])), deviation) if deviation < _MOST else None


def _off(
    values: np.ndarray, lines_px: np.ndarray, which: np.ndarray, share: np.ndarray, start: Rotation, focal_px: float
) -> np.ndarray:
    """(S,) how far lines (S, 4) are from pointing along their direction which (S,), in deviations."""
    along = (Rotation.from_rotvec(values[:3]) * start).as_matrix()[which]
    normals = _normals(lines_px, focal_px * np.exp(values[3]))
    return (normals * along).sum(1) * share
