"""What another program's result says, before it is placed in our world: each reader gives one of these."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from ghmr_engine.errors import RecoverError

Origin = Literal["smpl", "smplx", "hips"]
"""What a translation moves: SMPL's (or SMPL+H's) own origin, SMPL-X's, or the middle between the hips."""


@dataclass(frozen=True)
class Placing:
    """Where a body is over time, in one frame of axes. N frames."""

    root: np.ndarray
    """(N, 3, 3) body to these axes."""
    transl: np.ndarray
    """(N, 3) m."""
    origin: Origin = "smpl"


@dataclass(frozen=True)
class OtherPerson:
    """One person of another program's result."""

    frames: np.ndarray
    """(N,) int, rising."""
    joints: np.ndarray
    """(N, 23, 3, 3) rotations of SMPL's joints but the root."""
    betas: np.ndarray | None
    """(10,) of SMPL; None where they are another body's."""
    world: Placing | None
    """In the program's own world; None where it knows none."""
    camera: Placing | None
    """In the frame of each frame's camera (OpenCV's axes); None where it does not say."""
    contacts: np.ndarray | None = None
    """(N, 4) probability: left heel, left toe, right heel, right toe."""
    rest: np.ndarray | None = None
    """(24, 3) m, where the joints of the file's own body are at rest; None where it does not say."""


@dataclass(frozen=True)
class Other:
    """Another program's result."""

    system: str
    """Its name, as people know it."""
    licence: str
    """On what terms."""
    people: tuple[OtherPerson, ...]
    up: np.ndarray | None
    """(3,) up in its world; None where it has no world or does not say."""
    fps: Fraction | None = None
    """None where the file does not say: its frames are the clip's."""
    R: np.ndarray | None = None
    """(T, 3, 3) its world to the camera (OpenCV's axes); None where it does not say."""
    t: np.ndarray | None = None
    """(T, 3) m."""
    focal: float | None = None
    """Pixels of `image_size`; None where the camera's lens is not known."""
    focal_by_size: Literal["diagonal", "padded"] | None = None
    """Where `focal` is of no picture but a share: of the picture's diagonal, or of its longer side."""
    image_size: tuple[int, int] | None = None
    """Width, height; None where the file does not say."""
    own_worlds: bool = False
    """Whether everybody has a world of their own, the same in nothing but up."""
    own_rate: bool = False
    """Whether it reads clips at a rate of its own, which the file does not say."""
    open: bool = False
    """Whether the motion may be used for paid work."""
    warnings: tuple[str, ...] = ()


def refused(name: str, what: str) -> RecoverError:
    """The error for a result whose contents are not as the program writes them."""
    return RecoverError("bad_result", f"{name} {what}.", "Import the file as the program wrote it (docs/import.md).")


def numbers(value: object, name: str, key: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of float64 of a shape, None being any length. Raises RecoverError, which names the key.

    Lists of arrays are stacked; leading or inner sides of 1 that `shape` lacks are dropped.
    """
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise refused(name, f"has something else than numbers as `{key}`") from None
    wanted = [length for length in shape if length is not None]
    if array.ndim > len(shape):
        array = _squeezed(array, shape)
    if array.ndim != len(shape) or any(a != b for a, b in zip(array.shape, shape, strict=True) if b is not None):
        said = " x ".join("N" if length is None else str(length) for length in shape) or "one number"
        raise refused(name, f"has `{key}` of the shape {array.shape}, not {said}")
    if not np.isfinite(array).all() or (len(wanted) and np.abs(array).max(initial=0) > 1e6):
        raise refused(name, f"has numbers in `{key}` that cannot be")
    return array


def _squeezed(array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Without as many sides of length 1 as there are too many, the last ones that `shape` does not ask for first."""
    axes = [axis for axis in range(array.ndim) if array.shape[axis] == 1]
    for axis in reversed(axes):
        if array.ndim == len(shape):
            break
        rest = array.shape[:axis] + array.shape[axis + 1 :]
        if len(rest) > len(shape) or all(b is None or a == b for a, b in zip(rest, shape, strict=True)):
            array = array.reshape(rest)
    return array


def rising(value: object, name: str, key: str) -> np.ndarray:
    """(N,) int frames that rise. Raises RecoverError."""
    frames = numbers(value, name, key, (None,))
    whole = frames.astype(np.int64)
    if not len(whole) or (whole != frames).any() or whole[0] < 0 or (np.diff(whole) <= 0).any() or whole[-1] > 10**6:
        raise refused(name, f"has frames in `{key}` that do not rise")
    return whole
