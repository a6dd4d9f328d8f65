"""Virtual cameras for a batch of motions: standing, turned after people, carried along or around them."""

from __future__ import annotations

import torch

from ghmr_engine.lift.network import FPS

_NEAREST, _FARTHEST = 1.6, 11.0
_FOV_DEG = 40.0, 85.0
"""Across the picture's longer side."""
_SHAPES = torch.tensor([[1.0, 9 / 16], [9 / 16, 1.0], [1.0, 3 / 4]])
_UNSTEADY = 0.004
"""Deviation, in radians, of the camera's turn as the engine finds it, which wanders over half a second."""
_UNKNOWN = 0.1
"""Share of windows in which the engine takes a camera for standing."""


def film(pelvis: torch.Tensor, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """R (B, F, 3, 3), t (B, F, 3) world to camera, and the picture's half width and height (B, 2) over depth.

    pelvis (B, F, 3) m, z up. The camera aims near the person at the height of the hips.
    """
    count, frames, _ = pelvis.shape

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=chance)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(count, *shape, generator=chance)

    half = torch.tan(torch.deg2rad(torch.lerp(*map(torch.tensor, _FOV_DEG), draw(1))) / 2)
    half = half * _SHAPES[torch.randint(len(_SHAPES), (count,), generator=chance)]
    far = _NEAREST * (_FARTHEST / _NEAREST) ** draw(1)
    # Nearer than this the body would not fit into the picture.
    far = far.maximum(0.75 / half.amin(1, keepdim=True))
    follows = (draw(1, 1) < 0.5).float() * draw(1, 1).clamp(min=0.5)  # how much of the person's way the camera goes too
    aims = (draw(1, 1) < 0.65).float()  # whether it turns after them
    smooth = _smoothed(pelvis, 9)
    middle = smooth.mean(1, keepdim=True)
    aside = 0.5 * normal(1, 3) * half.amin(1)[:, None, None] * far[:, None] * pelvis.new_tensor([0.5, 0.5, 0.15])
    target = middle + aims * (smooth - middle) + aside
    azimuth = 2 * torch.pi * draw(1)
    orbit = (draw(1) < 0.25) * torch.deg2rad(torch.tensor(40.0)) * normal(1)
    time = torch.linspace(-0.5, 0.5, frames)
    around = azimuth + orbit * time
    pitch = torch.deg2rad(4 + 9 * normal(1)) + (draw(1) < 0.15) * torch.deg2rad(30 * draw(1))
    pitch = pitch.clamp(-0.35, 1.0)[..., None]
    level = torch.stack([around.cos(), around.sin()], -1) * pitch.cos()
    off = far[..., None] * torch.cat([level, pitch.sin().expand(-1, frames, 1)], -1)
    drift = (draw(1, 1) < 0.5) * 0.4 * normal(1, 3) * pelvis.new_tensor([1.0, 1, 0.2])
    seconds = frames / FPS
    eye = middle + follows * (smooth - middle) + off + drift * time[None, :, None] * seconds
    carried = (draw(1, 1) < 0.6).float()
    eye = eye + carried * 0.02 * _wander(count, frames, 8, chance)
    roll = torch.deg2rad(3 * normal(1)) + carried[:, 0] * 0.01 * _wander(count, frames, 10, chance)[..., 0]
    R = _looking(target - eye, roll)
    R = _small_turn(carried * 0.006 * _wander(count, frames, 8, chance)) @ R
    return R, -(R @ eye[..., None])[..., 0], half


def misjudged(R: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Rotations as the engine finds them."""
    count, frames = R.shape[:2]
    found = _small_turn(_UNSTEADY * _wander(count, frames, 15, chance)) @ R
    stands = torch.rand(count, 1, 1, 1, generator=chance) < _UNKNOWN
    return torch.where(stands, R[:, :1].expand_as(R), found)


def about_z(angle: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) turns about z by angles (...,)."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], -1).unflatten(-1, (3, 3))


def _looking(forward: torch.Tensor, roll: torch.Tensor) -> torch.Tensor:
    """(B, F, 3, 3) world to camera (OpenCV) along `forward` (B, F, 3), upright but for roll (B, F) radians."""
    z = torch.nn.functional.normalize(forward, dim=-1)
    up = torch.tensor([0.0, 0.0, 1.0]).expand_as(z)
    x = torch.nn.functional.normalize(torch.linalg.cross(z, up), dim=-1)
    level = torch.stack([x, torch.linalg.cross(z, x), z], -2)
    return about_z(roll) @ level


def _small_turn(vector: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) by rotation vectors (..., 3) of a few hundredths of a radian: orthonormal to their square."""
    x, y, z = vector.unbind(-1)
    one = torch.ones_like(x)
    matrix = torch.stack([one, -z, y, z, one, -x, -y, x, one], -1).unflatten(-1, (3, 3))
    return torch.linalg.qr(matrix)[0] * torch.linalg.qr(matrix)[1].diagonal(dim1=-2, dim2=-1).sign()[..., None, :]


def _wander(count: int, frames: int, every: int, chance: torch.Generator) -> torch.Tensor:
    """(B, F, 3) smooth noise of deviation about 1 that changes within `every` frames."""
    knots = torch.randn(count, 3, frames // every + 3, generator=chance)
    fine = torch.nn.functional.interpolate(knots, scale_factor=every, mode="linear", align_corners=False)
    return 1.4 * _smoothed(fine[..., :frames].transpose(1, 2), every // 2)


def _smoothed(path: torch.Tensor, reach: int) -> torch.Tensor:
    """(B, F, 3) averaged over `reach` frames to both sides."""
    padded = torch.nn.functional.pad(path.transpose(1, 2), (reach, reach), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, 2 * reach + 1, stride=1).transpose(1, 2)
