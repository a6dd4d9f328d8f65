"""Joints that a user put somewhere in the picture: where they are to be seen, and what of a body may follow them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS
from ghmr_engine.edits import Pin
from ghmr_engine.resolve.feet import Stands

SIGMA_PX = 0.1
"""A pin is all but exact: what else is known of a joint is known to some pixels, in many frames."""
_STANDING_PX = 3.0
"""One on a planted foot tells where the whole plant is, and gives way to it."""
_STRETCH = 0.999
"""Share of a limb's length that it is stretched to at the most."""
_FARTHEST_M = 1.0
"""A plant is not moved farther than this by a pin."""

FEET = tuple(tuple(JOINT_NAMES.index(f"{side}_{part}") for part in ("ankle", "foot")) for side in ("left", "right"))
_ROOTS = [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]


@dataclass(frozen=True)
class View:
    """The camera in a person's frames. N frames."""

    R: np.ndarray
    """(N, 3, 3) world to camera."""
    t: np.ndarray
    """(N, 3) m."""
    K: np.ndarray
    """(N, 3, 3) px."""

    def eye(self) -> np.ndarray:
        """(N, 3) m: where it stands."""
        return -np.einsum("nji,nj->ni", self.R, self.t)

    def ray(self, row: int, px: np.ndarray) -> np.ndarray:
        """(3,) unit vector in the world, toward a place in the picture (2,)."""
        way = self.R[row].T @ np.linalg.solve(self.K[row], [*px, 1.0])
        return way / np.linalg.norm(way)

    def seen(self, row: int, point: np.ndarray) -> np.ndarray:
        """(2,) px of a point (3,) m."""
        x, y, z = self.K[row] @ (self.R[row] @ point + self.t[row])
        return np.array([x, y]) / z


@dataclass(frozen=True)
class Pinned:
    """All pins of a person. N frames."""

    px: np.ndarray
    """(N, 24, 2) where joints are to be seen."""
    sigma: np.ndarray
    """(N, 24) px, infinite where nothing is pinned."""


def pinned_to(
    pins: Iterable[Pin], frames: np.ndarray, joints: np.ndarray, feet: np.ndarray, stands: Stands, view: View
) -> tuple[Pinned, Stands]:  # fmt: skip
    """Pins by row and joint, as near to the user's as limbs reach, and plants moved to where their feet are pinned.

    frames (N,), joints (N, 24, 3) m and feet (N, 4, 3) m as they are.
    """
    px, sigma = np.zeros((len(frames), 24, 2)), np.full((len(frames), 24), np.inf)
    wishes: dict[tuple[int, int], list[np.ndarray]] = {}
    for pin in pins:
        row, joint = int(np.searchsorted(frames, pin.frame)), JOINT_NAMES.index(pin.joint)
        ray = view.ray(row, np.array([pin.x, pin.y]))
        px[row, joint] = _within_reach(row, joint, np.array([pin.x, pin.y]), ray, joints, view)
        sigma[row, joint] = SIGMA_PX
        side = next((side for side in range(2) if joint in FEET[side]), None)
        if side is None or not stands.nailed[row, 2 * side : 2 * side + 2].any():
            continue
        sigma[row, joint] = _STANDING_PX
        by = _along_ground(row, side, joints[row, joint], feet, stands, ray, view.eye()[row])
        if stands.movable[row, side] and np.linalg.norm(by) < _FARTHEST_M:
            wishes.setdefault((side, stands.movable[row, side]), []).append(by)
    for (side, plant), ways in wishes.items():
        stands = stands.shifted(side, plant, np.mean(ways, 0))
    return Pinned(px, sigma), stands


def limb_root(joint: int) -> int | None:
    """The shoulder or hip that a joint hangs from; None on the trunk."""
    above = PARENTS[joint]
    while above >= 0 and above not in _ROOTS:
        above = PARENTS[above]
    return above if above >= 0 else None


def _within_reach(row: int, joint: int, px: np.ndarray, ray: np.ndarray, joints: np.ndarray, view: View) -> np.ndarray:
    """(2,) px: the pin, or where the stretched limb comes nearest to it, so that nothing tears at the trunk."""
    root = limb_root(joint)
    if root is None:
        return px
    length, at = 0.0, joint
    while at != root:
        length += float(np.linalg.norm(joints[row, at] - joints[row, PARENTS[at]]))
        at = PARENTS[at]
    start, eye = joints[row, root], view.eye()[row]
    nearest = eye + max((start - eye) @ ray, 0.0) * ray
    away = np.linalg.norm(nearest - start)
    if away <= _STRETCH * length:
        return px
    return view.seen(row, start + (nearest - start) * _STRETCH * length / away)


def _along_ground(
    row: int, side: int, joint: np.ndarray, feet: np.ndarray, stands: Stands, ray: np.ndarray, eye: np.ndarray
) -> np.ndarray:
    """(2,) m by which a plant is to move along the ground for its foot's joint (3,) to be seen along the ray; infinite
    where the ray does not come down to it."""
    ends = np.flatnonzero(stands.nailed[row, 2 * side : 2 * side + 2]) + 2 * side
    stood = joint + (stands.places[row, ends] - feet[row, ends]).mean(0)
    if abs(ray[2]) < 0.05:
        return np.full(2, np.inf)
    far = (stood[2] - eye[2]) / ray[2]
    return (eye + far * ray - stood)[:2] if far > 0 else np.full(2, np.inf)
