"""WHAM (Shin and others, CVPR 2024), from the user's own checkpoint: another reading of a person's motion."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ghmr_engine.body.skeleton import PARENTS
from ghmr_engine.errors import RecoverError
from ghmr_engine.lift.network import orthonormal
from ghmr_engine.lift.predict import between
from ghmr_engine.lift.wham.body import WhamBody, wham_body
from ghmr_engine.lift.wham.inputs import FirstPose, Reading, Sight, inputs_of, joined, sight_of
from ghmr_engine.lift.wham.network import WhamNetwork
from ghmr_engine.lift.wham.rollout import HIPS, Moved, averaged, refined
from ghmr_engine.progress import Report
from ghmr_engine.types import CameraMotion, Track

_SPREAD_M = (0.02, 0.01)
"""Error of a joint about the pelvis: the root's, and more for each bone in between. A choice of ours: WHAM says nothing
of single joints; the mean over them, 6 cm, is near its published error on 3DPW (58 mm)."""
_REPORT_EVERY = 30


@dataclass(frozen=True)
class Wham:
    """The network and the body that it was trained with."""

    network: WhamNetwork
    body: WhamBody

    def to(self, device: torch.device | str) -> Wham:
        """On another device. The network itself moves."""
        return Wham(self.network.to(device), self.body.to(device))

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.mask_embedding.device

    def first_pose(self, rotations: torch.Tensor, betas: torch.Tensor) -> FirstPose:
        """From SMPL's rotations (24, 3, 3), the root's body to camera, and betas (10,)."""
        joints, _ = self.body.posed(rotations[None].to(self.device), betas[None].to(self.device))
        joints = joints[0, :17] - joints[0, HIPS].mean(0)
        return FirstPose(rotations.to(self.device), joints)


@dataclass(frozen=True)
class WhamMotion:
    """One track's motion as WHAM says it. N frames of the track, as tensors."""

    rotations: torch.Tensor
    """(N, 24, 3, 3) SMPL's; the root's is body to the frame's own camera."""
    transl: torch.Tensor
    """(N, 3) m, SMPL's translation in that camera."""
    betas: torch.Tensor
    """(10,) SMPL's."""
    contacts: torch.Tensor
    """(N, 4) 0 to 1: left heel, left toe, right heel, right toe."""
    spread: torch.Tensor
    """(N, 24) m: expected error of each joint about the pelvis."""
    world_root: torch.Tensor
    """(N, 3, 3) body to WHAM's world, y up."""
    world_hips: torch.Tensor
    """(N, 3) m in that world, which starts near 0."""


def load_wham(state: dict[str, torch.Tensor]) -> Wham:
    """From the checkpoint's state dict, on the CPU. Raises RecoverError bad_weights where something is missing.

    Entries beside the network's and the body's are left alone.
    """
    network, fix = WhamNetwork(), "Use the file that its authors published."
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in state]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RecoverError("bad_weights", f"The WHAM checkpoint lacks {missing[0]}{more}.", fix)
    wrong = [name for name, value in wanted.items() if state[name].shape != value.shape]
    if wrong:
        raise RecoverError("bad_weights", f"The WHAM checkpoint's {wrong[0]} has another size than WHAM's.", fix)
    network.load_state_dict({name: state[name].float() for name in wanted})
    return Wham(network.eval().requires_grad_(False), wham_body(state))


@torch.no_grad()
def lift_with_wham(
    tracks: list[Track], readings: list[Reading], camera: CameraMotion, wham: Wham, size: tuple[int, int],
    fps: Fraction | float, report: Report,
) -> list[WhamMotion]:  # fmt: skip
    """Every track's motion; all people, and all of them mirrored too, in one batch (averaged as WHAM's authors do).

    Keypoints are in the straightened picture, whose width and height are `size`; fps is their own rate. Runs on the
    network's device. Raises what `report` raises.
    """
    if not tracks:
        return []
    sights = [sight_of(track, camera, one, fps, wham.device) for track, one in zip(tracks, readings, strict=True)]
    both = joined([inputs_of(sight, size) for sight in (*sights, *(sight.mirrored() for sight in sights))])
    total, done = 3 * both.x.shape[1], 0

    def stepped() -> None:
        nonlocal done
        done += 1
        if done % _REPORT_EVERY == 0:
            report(0.9 * done / total)

    said = wham.network(both, stepped)
    plain, mirrored = (type(said)(*(part[rows] for part in said)) for rows in _halves(len(tracks)))
    boxes, K = (_filled_up([getattr(sight, name) for sight in sights]) for name in ("boxes", "K"))
    moved = refined(averaged(plain, mirrored), wham.network.trajectory_refiner, wham.body, boxes, K)
    report(1.0)
    order = contact_order(wham.body)
    return [_at_its_own_rate(place, sight, moved, order) for place, sight in enumerate(sights)]


def contact_order(body: WhamBody) -> list[int]:
    """Places of left heel, left toe, right heel and right toe among the body's foot points, from where they are at
    rest: left is +x, toes are in front (+z)."""
    feet = (body.feet @ body.sparse.v_template).cpu().numpy()
    by_side = np.argsort(-feet[:, 0], kind="stable")
    sides = by_side[:2], by_side[2:]
    return [int(place) for side in sides for place in side[np.argsort(feet[side, 2], kind="stable")]]


def _halves(count: int) -> tuple[slice, slice]:
    return slice(0, count), slice(count, None)


def _filled_up(parts: list[torch.Tensor]) -> torch.Tensor:
    """(P, F, ...) of P people's (f, ...), each followed by its last row."""
    longest = max(map(len, parts))
    return torch.stack([part[torch.arange(longest, device=part.device).clamp(max=len(part) - 1)] for part in parts])


def _at_its_own_rate(place: int, sight: Sight, moved: Moved, order: list[int]) -> WhamMotion:
    """One person of the batch, back at the track's own frames."""
    count = len(sight.boxes)

    def own(values: torch.Tensor) -> torch.Tensor:
        return between(values[place, :count], sight.rows)

    rotations = orthonormal(own(moved.rotations[..., :2]))
    depth = [0] * 24
    for joint in range(1, 24):
        depth[joint] = depth[PARENTS[joint]] + 1
    spread = _SPREAD_M[0] + _SPREAD_M[1] * torch.tensor(depth).to(rotations)
    return WhamMotion(
        rotations=rotations, transl=own(moved.transl), betas=moved.betas[place, :count].mean(0),
        contacts=own(moved.contacts)[:, order].clamp(0, 1), spread=spread.expand(len(rotations), 24),
        world_root=orthonormal(own(moved.world_root[..., :2])), world_hips=own(moved.world_hips),
    )  # fmt: skip
