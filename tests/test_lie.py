"""Poses: against the matrix exponential, and the same from every library that is installed."""

from __future__ import annotations

import importlib

import pytest
import torch

from ghmr_engine import lie


def hat(tangent: torch.Tensor) -> torch.Tensor:
    """(N, 4, 4) of tangents (N, 6)."""
    matrix = torch.zeros(len(tangent), 4, 4).to(tangent)
    x, y, z = tangent[:, 3:].unbind(-1)
    matrix[:, 0, 1], matrix[:, 0, 2], matrix[:, 1, 2] = -z, y, -x
    matrix[:, 1, 0], matrix[:, 2, 0], matrix[:, 2, 1] = z, -y, x
    matrix[:, :3, 3] = tangent[:, :3]
    return matrix


def random_tangents(seed: int) -> torch.Tensor:
    return torch.randn(20, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def as_matrix(pose: torch.Tensor) -> torch.Tensor:
    R, t = lie.rotation_and_translation(pose)
    matrix = torch.eye(4).to(R).repeat(len(R), 1, 1)
    matrix[:, :3, :3], matrix[:, :3, 3] = R, t
    return matrix


def test_a_step_is_the_matrix_exponential_from_the_left():
    first, second = random_tangents(1), random_tangents(2)
    pose = lie.moved(lie.moved(lie.identity(20), first), second)
    expected = torch.linalg.matrix_exp(hat(second)) @ torch.linalg.matrix_exp(hat(first))
    torch.testing.assert_close(as_matrix(pose), expected, atol=1e-10, rtol=0)


def test_composed_inverse_and_back_from_matrices():
    a, b = (lie.moved(lie.identity(20), random_tangents(seed)) for seed in (3, 4))
    torch.testing.assert_close(as_matrix(lie.composed(a, b)), as_matrix(a) @ as_matrix(b), atol=1e-12, rtol=0)
    torch.testing.assert_close(as_matrix(lie.composed(a, lie.inverse(a))), as_matrix(lie.identity(20)))
    again = lie.from_rotation_and_translation(*lie.rotation_and_translation(a))
    torch.testing.assert_close(as_matrix(again), as_matrix(a), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["lietorch", "pypose"])
def test_every_library_gives_the_same_numbers(name, monkeypatch):
    library = pytest.importorskip(name)
    if not hasattr(library, "SE3"):
        pytest.skip("another package of that name")
    tangent, start = random_tangents(5), lie.moved(lie.identity(20), random_tangents(6))
    expected = torch.linalg.matrix_exp(hat(tangent)) @ as_matrix(start)
    monkeypatch.setattr(lie, "library", lambda: importlib.import_module(name))
    torch.testing.assert_close(as_matrix(lie.moved(start, tangent)), expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(as_matrix(lie.inverse(start)), torch.linalg.inv(as_matrix(start)), atol=1e-10, rtol=0)
