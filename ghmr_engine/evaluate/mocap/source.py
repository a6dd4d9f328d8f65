"""What all readers of motion capture need: a file's text and numbers, its rate, and one kind of error."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError

NEEDED = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip


def bad_capture(path: Path, what: str, fix: str = "Get the file again from where it came.") -> RecoverError:
    """The error of a file that cannot be read as motion capture; `what` completes the sentence `NAME ...`."""
    return RecoverError("bad_capture", f"{path.name} {what}.", fix)


def read_bytes(path: Path) -> bytes:
    """All bytes of a file that is there and is not empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RecoverError("no_capture", f"There is no file {path}.", "Check the name and the folder.") from None
    except OSError as error:
        fix = "Choose a file that can be read."
        raise RecoverError("no_capture", f"Cannot read {path}: {error.strerror}.", fix) from error
    if not data.strip():
        raise bad_capture(path, "is empty")
    return data


def read_text(path: Path) -> str:
    """A file's text, without a byte order mark; bytes that are no text become question marks."""
    return read_bytes(path).decode("utf-8-sig", errors="replace")


def read_numbers(words: Sequence[str], path: Path, where: str) -> np.ndarray:
    """The words as finite numbers (N,)."""
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise bad_capture(path, f"has something that is not a number in {where}") from error
    if not np.isfinite(values).all():
        raise bad_capture(path, f"has a number that is not finite in {where}")
    return values


def rate_of(seconds: str, path: Path) -> Fraction:
    """Frames a second from one frame's duration as it is written: whole rates first, then NTSC's, then any."""
    try:
        duration = Decimal(seconds)
    except InvalidOperation as error:
        raise bad_capture(path, f"has a frame time that is not a number: {seconds[:20]}") from error
    if not duration.is_finite() or not Decimal("1e-5") < duration < 10:
        raise bad_capture(path, f"has an impossible frame time: {seconds[:20]} s")
    exact = 1 / Fraction(duration)
    # What is written is rounded: 0.0333 means 30.
    rounding = max(Fraction(10) ** duration.as_tuple().exponent / 2, Fraction(duration) / 10**6)
    for rate in (Fraction(round(exact)), Fraction(round(exact * 1001 / 1000) * 1000, 1001)):
        if rate and abs(1 / rate - Fraction(duration)) <= rounding:
            return rate
    return exact.limit_denominator(1001)


def check_joints(joints: Collection[str], path: Path) -> None:
    """Raise unless all joints that a person must have are among SMPL's names `joints`."""
    missing = [name for name in NEEDED if name not in joints]
    if missing:
        fix = "Rename its joints as Mixamo or CMU name theirs (Hips, LeftUpLeg, LeftLeg, LeftFoot, LeftArm ...)."
        raise bad_capture(path, f"has no joint that is known as a person's {missing[0].replace('_', ' ')}", fix)
