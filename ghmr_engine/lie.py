"""Poses as elements of SE(3): the one place that knows a Lie-group library.

The real `lietorch` (princeton-vl) is used where it is installed, `pypose` otherwise. Both keep a pose as
(tx, ty, tz, qx, qy, qz, qw) and a tangent as (rho, phi), translation first; both give the same numbers
(tests/test_lie.py). A package of the name lietorch that has no SE3 is another one, and is passed over.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import roma
import torch


@cache
def library() -> Any:
    """The module that does the work."""
    for name in ("lietorch", "pypose"):
        try:
            found = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(found, "SE3"):
            return found
    raise ImportError("Neither lietorch nor pypose is installed.")


def identity(count: int) -> torch.Tensor:
    """(count, 7) float64 poses that change nothing."""
    pose = torch.zeros(count, 7, dtype=torch.float64)
    pose[:, 6] = 1
    return pose


def moved(pose: torch.Tensor, tangent: torch.Tensor) -> torch.Tensor:
    """Exp(tangent) pose, a step from the left. pose (N, 7), tangent (N, 6) metres and radians."""
    group = library().SE3
    step = group.exp(tangent) if hasattr(group, "exp") else library().se3(tangent).Exp()
    return _numbers(step * group(pose))


def composed(after: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    """(N, 7): `first` is done first, then `after`, (N, 7) each."""
    group = library().SE3
    return _numbers(group(after) * group(first))


def inverse(pose: torch.Tensor) -> torch.Tensor:
    """(N, 7) from (N, 7)."""
    element = library().SE3(pose)
    return _numbers(element.Inv() if hasattr(element, "Inv") else element.inv())


def rotation_and_translation(pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """R (N, 3, 3) and t (N, 3) of poses (N, 7): x' = R x + t."""
    matrix = library().SE3(pose).matrix()
    return matrix[:, :3, :3], matrix[:, :3, 3]


def from_rotation_and_translation(R: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """(N, 7) from R (N, 3, 3), t (N, 3)."""
    return torch.cat([t, roma.rotmat_to_unitquat(R)], -1)


def _numbers(element: Any) -> torch.Tensor:
    """The 7 numbers of a library's own object."""
    return element.tensor() if hasattr(element, "tensor") else element.data
