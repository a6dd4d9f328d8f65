"""The body that an imported person gets: SMPL where the user has it, else the open one in the size that steps tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ghmr_engine.body.smpl import OPEN_BODY, Body
from ghmr_engine.others.record import OtherPerson, Placing

SMPL_PELVIS = np.array([0.0, -0.22, 0.03])
"""m from the origin of SMPL's (and SMPL+H's) rest body to its pelvis, rounded: shapes move it by 1 to 2 cm."""
SMPLX_PELVIS = np.array([0.0, -0.35, 0.01])
_LEAST_STEPS_M = 1.0
"""So much way of planted feet about the pelvis tells a size."""
_SIZES = (0.85, 1.15)
_ROUNDS, _SLIDES = 20, 0.15
"""m/s: a planted foot that moves faster is taken for one that is not planted."""
_TOLD = 0.5
"""Share of the pelvis's way that the size has to explain, or it is not believed."""
_TOO_LITTLE = 0.01
"""A size nearer to 1 than this is not told."""
_LEGS = ((1, 4), (4, 7), (2, 5), (5, 8))


def own_betas(person: OtherPerson, body: Body) -> np.ndarray:
    """(10,) of this body: the person's where the body is SMPL's and theirs are too."""
    if body.name == OPEN_BODY or person.betas is None:
        return np.zeros(10)
    return person.betas


def pelvis(placing: Placing, person: OtherPerson, body: Body) -> np.ndarray:
    """(N, 3) m: where the pelvis is, in the placing's axes."""
    rest = body.rest_joints(torch.as_tensor(own_betas(person, body)).to(body.v_template)).cpu().double().numpy()
    if placing.origin == "hips":
        return placing.transl - placing.root @ (rest[[1, 2]].mean(0) - rest[0])
    if person.rest is not None:
        return placing.transl + person.rest[0]
    if placing.origin == "smplx":
        return placing.transl + SMPLX_PELVIS
    return placing.transl + (SMPL_PELVIS if body.name == OPEN_BODY or person.betas is None else rest[0])


def legs_of(rest: np.ndarray) -> float:
    """m: thighs and shins of rest joints (24, 3), the mean of both sides."""
    return sum(float(np.linalg.norm(rest[a] - rest[b])) for a, b in _LEGS) / 2


def sized(body: Body, factor: float) -> Body:
    """The body larger by a factor in everything."""
    if factor == 1:
        return body
    larger = {
        name: getattr(body, name) * factor
        for name in ("v_template", "shapedirs", "joints_template", "joints_shapedirs")
    }
    posedirs = None if body.posedirs is None else body.posedirs * factor
    return replace(body, **larger, posedirs=posedirs)


def size_of_steps(pelvis: np.ndarray, feet: np.ndarray, contacts: np.ndarray, frames: np.ndarray, fps: float) -> float:
    """By how much a body has to be larger for its planted feet to stay: 1 where too little is walked to tell.

    pelvis (N, 3) m, feet (N, 4, 3) m of a body of size 1, contacts (N, 4), frames (N,). A foot that rests moves about
    the pelvis as the pelvis moves on: the factor of robust least squares, in which a foot that does move counts little.
    """
    about = np.diff(feet - pelvis[:, None], axis=0)
    moved = np.repeat(np.diff(pelvis, axis=0)[:, None], 4, axis=1)
    rests = (contacts[1:] > 0.5) & (contacts[:-1] > 0.5) & (np.diff(frames) == 1)[:, None]
    about, moved = about[rests], moved[rests]
    if np.linalg.norm(about, axis=-1).sum() < _LEAST_STEPS_M:
        return 1.0
    weights, factor = np.ones(len(about)), 1.0
    for _ in range(_ROUNDS):
        factor = -float((weights[:, None] * about * moved).sum() / (weights[:, None] * about**2).sum())
        slid = np.linalg.norm(moved + factor * about, axis=-1) * fps
        weights = 1 / (1 + (slid / _SLIDES) ** 2) ** 2  # Geman and McClure's
    left = float((weights * slid**2).sum() / max((weights * (np.linalg.norm(moved, axis=-1) * fps) ** 2).sum(), 1e-12))
    if not _SIZES[0] <= factor <= _SIZES[1] or left > 1 - _TOLD or abs(factor - 1) < _TOO_LITTLE:
        return 1.0
    return factor
