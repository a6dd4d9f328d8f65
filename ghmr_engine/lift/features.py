"""What the lifting network sees of a person, the same in training and in use, and what its answers mean in the camera.

Every frame is seen by a camera of its own in the same place, turned to look straight at the person: so nothing depends
on where in the picture they are (CLIFF, Li and others 2022, gives its network the offset instead; turning is exact).
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from ghmr_engine.lift.limbs import laid_along
from ghmr_engine.lift.network import FPS, POSED, Lifted

BODY_M = 1.7
"""Length of the body that sizes in the picture are compared with."""
_USUAL_SIZE = 0.35
"""A person's size over its distance that counts as 0 among the inputs: 1.7 m at about 5 m."""


class Sights(NamedTuple):
    """One person in B windows of F frames."""

    rays: torch.Tensor
    """(B, F, 33, 2) landmarks' x and y over depth, in the frame's camera (OpenCV)."""
    visible: torch.Tensor
    """(B, F, 33) 0 to 1."""
    landmarks: torch.Tensor
    """(B, F, 33, 3) m: BlazePose's 3D as it gives it, which is seen by a camera that looks straight at the person."""
    R: torch.Tensor
    """(B, F, 3, 3) world to camera: only how it changes is used."""
    there: torch.Tensor
    """(B, F) bool: the frame exists."""


class Inputs(NamedTuple):
    """What the network reads, and what leads back to the frame's camera."""

    numbers: torch.Tensor
    """(B, F, INPUTS)."""
    start: torch.Tensor
    """(B, F, 22, 3, 3) the pose laid along the landmarks."""
    there: torch.Tensor
    """(B, F)."""
    turn: torch.Tensor
    """(B, F, 3, 3): from the camera that looks straight at the person to the frame's own."""
    size: torch.Tensor
    """(B, F): the person's size over its distance."""


def inputs_of(seen: Sights) -> Inputs:
    """Everything the network is told."""
    centre, size = _box(seen.rays, seen.visible, seen.there)
    turn = look_at(centre)
    straight = torch.cat([seen.rays, torch.ones_like(seen.rays[..., :1])], -1) @ turn
    flat = straight[..., :2] / straight[..., 2:].clamp(min=0.1) / size[..., None, None]
    start = laid_along(seen.landmarks.flatten(0, 1)).unflatten(0, seen.landmarks.shape[:2])[:, :, :POSED]
    numbers = torch.cat(
        [
            flat.clamp(-3, 3).flatten(2), seen.visible, 2 * seen.landmarks.clamp(-2, 2).flatten(2),
            (size / _USUAL_SIZE).log()[..., None],
            turning(turn.transpose(-1, -2) @ seen.R), turning(seen.R), start[..., :2].flatten(2),
            seen.visible.mean(-1, keepdim=True), seen.there[..., None].float(),
        ],
        -1,
    )  # fmt: skip
    return Inputs(numbers * seen.there[..., None], start, seen.there, turn, size)


def place_of(lifted: Lifted, size: torch.Tensor) -> torch.Tensor:
    """(B, F, 3) m: the pelvis in the camera that looks straight at the person. size (B, F)."""
    depth = BODY_M / size * lifted.place[..., 2].exp()
    flat = lifted.place[..., :2] * size[..., None]
    return torch.cat([flat, torch.ones_like(depth)[..., None]], -1) * depth[..., None]


def placed(place: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """The network's numbers (B, F, 3) for a pelvis at `place` (B, F, 3) m: the inverse of place_of."""
    depth = place[..., 2].clamp(min=0.1)
    flat = place[..., :2] / depth[..., None] / size[..., None]
    return torch.cat([flat, (depth * size / BODY_M).log()[..., None]], -1)


def turning(R: torch.Tensor) -> torch.Tensor:
    """(B, F, 6): how fast rotations R (B, F, 3, 3), world to camera, turn: 6D(R_t R_t+1^T) - 6D(1), radians a second,
    the last frame as the one before it (WHAM, Shin and others 2024, section 3.2)."""
    step = R[:, :-1] @ R[:, 1:].transpose(-1, -2)
    change = (step[..., :2] - torch.eye(3, 2).to(R)).flatten(-2) * FPS
    return torch.cat([change, change[:, -1:]], 1).clamp(-8, 8) if R.shape[1] > 1 else torch.zeros(*R.shape[:2], 6).to(R)


def look_at(centre: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) shortest turns from the optical axis to rays (..., 2); apply to what the turned camera sees."""
    ray = torch.nn.functional.normalize(torch.cat([centre, torch.ones_like(centre[..., :1])], -1), dim=-1)
    x, y, z = ray.unbind(-1)
    # Rodrigues' formula for the axis (-y, x, 0) / sin and the angle whose cosine is z, free of division by the sine.
    share = 1 / (1 + z)
    rows = [1 - x * x * share, -x * y * share, x, -x * y * share, 1 - y * y * share, y, -x, -y, z]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def _box(rays: torch.Tensor, visible: torch.Tensor, there: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre (B, F, 2) and size (B, F) of the box about the landmarks, averaged over a third of a second, so that
    neither pumps with the detector's jitter."""
    del visible  # BlazePose's guess of what is hidden is part of the body's extent too
    low, high = rays.amin(2), rays.amax(2)
    box = torch.cat([(low + high) / 2, (high - low).amax(-1, keepdim=True)], -1)
    kernel = torch.hann_window(13, periodic=False, device=rays.device, dtype=rays.dtype)[1:-1]
    weight = there.to(rays.dtype)

    def smooth(values: torch.Tensor) -> torch.Tensor:
        padded = torch.nn.functional.conv1d(
            values.transpose(1, 2).flatten(0, 1)[:, None], kernel[None, None], padding=5
        )
        return padded[:, 0].unflatten(0, (values.shape[0], values.shape[2])).transpose(1, 2)

    smoothed = smooth(box * weight[..., None]) / smooth(weight[..., None]).clamp(min=1e-6)
    return smoothed[..., :2], smoothed[..., 2].clamp(min=0.02)
