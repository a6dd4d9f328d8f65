"""How many metres one unit of the camera's path is: SLAHMR's alpha, from people whose size is known.

Two kinds of evidence, weighed together over the whole clip and everybody in it: feet that rest must stay where they are
while the camera moves (SLAHMR, Ye and others 2023, section 3.3), and they rest on the ground that the background shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAMPLES = 800
_TILT = np.cos(np.radians(20))  # at most between the plane and what is known of up
_THICKNESS = 0.02  # of the plane, as a share of the camera's height over it
_FEWEST = 15
_GRID = np.geomspace(1 / 30, 30, 1200)
_PAUSE_S = 0.2  # between two looks at a foot
_REST_MS = 0.15  # metres a second: feet that move less may be resting
_ALONG_SIGHT = 0.5  # a foot's motion along the line of sight counts by so much: depth is read badly
_GROUND = 0.08  # deviation of a logarithm: how well a foot's height under the camera is read
_CORRELATED_S = 0.5  # neighbouring frames err alike: so many of them count as one
_BODY = 0.04  # deviation of the logarithm of a person's size


@dataclass(frozen=True)
class Plane:
    """normal . x = height."""

    normal: np.ndarray
    """(3,) unit, pointing up."""
    height: float


@dataclass(frozen=True)
class Feet:
    """One person's foot points in each frame's own camera."""

    frames: np.ndarray
    """(N,) int."""
    points: np.ndarray
    """(N, 4, 3) m."""


@dataclass(frozen=True)
class Scale:
    """Metres a unit."""

    alpha: float
    deviation: float
    """Of its logarithm: 0.05 means that it may well be off by 5 percent."""


def ground_plane(points: np.ndarray, eyes: np.ndarray, up: np.ndarray) -> Plane | None:
    """The floor among points (M, 3) of the background, under the camera's places eyes (T, 3), in any unit; up (3,):
    roughly. A plane that many points lie in and next to none lie under (RANSAC, Fischler and Bolles 1981)."""
    below = points @ up < (eyes @ up).min()
    if below.sum() < _FEWEST:
        return None
    candidates = points[below]
    corners = candidates[np.random.default_rng(0).integers(0, len(candidates), (_SAMPLES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(length, 1e-12)[:, None]
    normals *= np.sign(normals @ up)[:, None]
    usable = (length > 1e-9) & (normals @ up > _TILT)
    if not usable.any():
        return None
    normals, heights = normals[usable], (normals * corners[:, 0]).sum(1)[usable]
    tall = np.maximum((normals @ eyes.T).min(1) - heights, 1e-9)
    off = (normals @ candidates.T - heights[:, None]) / tall[:, None]
    score = (np.abs(off) < _THICKNESS).sum(1) - 2.0 * (off < -2 * _THICKNESS).sum(1)
    score[tall <= 1e-6] = -np.inf
    best = int(score.argmax())
    plane, within = Plane(normals[best], float(heights[best])), np.abs(off[best]) < _THICKNESS
    for _ in range(3):
        if within.sum() < _FEWEST:
            return None
        plane = _fitted(candidates[within], up)
        tall = (eyes @ plane.normal).min() - plane.height
        within = np.abs(candidates @ plane.normal - plane.height) < _THICKNESS * tall
    return plane if plane.normal @ up > _TILT and within.sum() >= _FEWEST else None


def _fitted(points: np.ndarray, up: np.ndarray) -> Plane:
    """Least squares."""
    middle = points.mean(0)
    normal = np.linalg.svd(points - middle, full_matrices=False)[2][-1]
    normal = normal * np.sign(normal @ up)
    return Plane(normal, float(normal @ middle))


def find_scale(feet: list[Feet], R: np.ndarray, t: np.ndarray, plane: Plane | None, fps: float, sized: bool) -> Scale:
    """The most likely scale of t (T, 3), by trying all; R (T, 3, 3) world to camera, sized: somebody's height is known.

    Every frame votes robustly: feet in the air, or a foot taken for another, must not drag it along.
    """
    eyes = -np.einsum("tji,tj->ti", R, t)
    middle = _rough(feet, R, eyes, plane)
    grid = middle * _GRID
    cost = np.zeros(len(grid))
    for person in feet:
        cost += _resting_cost(person, R, eyes, grid, fps)
        if plane is not None:
            cost += _ground_cost(person, R, eyes, plane, grid)
    cost /= max(_CORRELATED_S * fps, 1.0)
    likely = np.exp(cost.min() - cost)
    likely /= likely.sum()
    best = int(cost.argmin())
    near = slice(max(best - 60, 0), best + 61)  # the peak's own middle: a half of the clip that disagrees is not it
    share = likely[near] / likely[near].sum()
    mean = float((share * np.log(grid[near])).sum())
    spread = float((likely * (np.log(grid) - mean) ** 2).sum())
    return Scale(float(np.exp(mean)), float(np.sqrt(spread + (0.0 if sized else _BODY**2))))


def _rough(feet: list[Feet], R: np.ndarray, eyes: np.ndarray, plane: Plane | None) -> float:
    """Where to look: by the floor, else by how far the camera went and how far away people are."""
    if plane is not None:
        return float(np.median(np.concatenate([_ratios(person, R, eyes, plane) for person in feet])))
    away = np.median(np.concatenate([np.linalg.norm(person.points.mean(1), axis=1) for person in feet]))
    return float(away / max(np.linalg.norm(np.ptp(eyes, axis=0)), 1e-9))


def _ratios(person: Feet, R: np.ndarray, eyes: np.ndarray, plane: Plane) -> np.ndarray:
    """(N,) metres from the camera down to a person's lower foot, over units from the camera down to the floor."""
    down = np.einsum("nij,j->ni", R[person.frames], -plane.normal)
    metres = np.einsum("npi,ni->np", person.points, down).max(1)
    units = eyes[person.frames] @ plane.normal - plane.height
    return np.maximum(metres, 0.05) / np.maximum(units, 1e-9)


def _ground_cost(person: Feet, R: np.ndarray, eyes: np.ndarray, plane: Plane, grid: np.ndarray) -> np.ndarray:
    off = np.log(_ratios(person, R, eyes, plane))[:, None] - np.log(grid)[None]
    squared = (off / _GROUND) ** 2
    return (0.5 * squared / (1 + squared / 9)).sum(0)


def _resting_cost(person: Feet, R: np.ndarray, eyes: np.ndarray, grid: np.ndarray, fps: float) -> np.ndarray:
    """Lower, the more frames have a foot that rests."""
    pause = max(round(_PAUSE_S * fps), 1)
    if len(person.frames) <= pause:
        return np.zeros(len(grid))
    turns = np.swapaxes(R[person.frames], 1, 2)
    points = np.einsum("nij,npj->npi", turns, person.points)
    follows = person.frames[pause:] - person.frames[:-pause] == pause
    moved = (points[pause:] - points[:-pause])[follows]
    went = (eyes[person.frames[pause:]] - eyes[person.frames[:-pause]])[follows]
    sight = points[:-pause][follows]
    sight = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    # |W (moved + alpha went)|^2 with W a shrinking along the line of sight is a parabola in alpha: its three numbers.
    lost = 1 - _ALONG_SIGHT**2
    went = np.broadcast_to(went[:, None], moved.shape)

    def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a * b).sum(-1) - lost * (a * sight).sum(-1) * (b * sight).sum(-1)

    aa, ab, bb = dot(moved, moved), dot(moved, went), dot(went, went)
    cost = np.zeros(len(grid))
    for place, alpha in enumerate(grid):
        speed = np.maximum(aa + 2 * alpha * ab + alpha**2 * bb, 0).min(1) / (pause / fps) ** 2
        cost[place] = (2 * speed / (speed + _REST_MS**2)).sum()
    return cost
