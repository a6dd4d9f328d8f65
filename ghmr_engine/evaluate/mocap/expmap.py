"""Reads CMU motions as text with a place and 38 exponential maps a line, of one skeleton for all subjects."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ghmr_engine.evaluate.mocap.asf_amc import BONES
from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.source import bad_capture, read_numbers, read_text

COLUMNS = (117, 99)
"""How many numbers a line of exponential maps may have; those of 99 are of a skeleton that is not here."""

_RATE = Fraction(120)
# In ASF units, from the parent. In the published table the bones that fork have no length: neck and shoulders sit 12 cm
# too low and the forearm ends a third too early. Here they have it back: the thorax its length in CMU's 02.asf, the
# wrist bone half of the radius's as in every ASF.
_SKELETON = (
    ("root", -1, 0.0, 0.0, 0.0),
    ("lhipjoint", 0, 0.0, 0.0, 0.0),
    ("lfemur", 1, 1.65674, -1.80282, 0.62477),
    ("ltibia", 2, 2.5972, -7.13576, 0.0),
    ("lfoot", 3, 2.49236, -6.8477, 0.0),
    ("ltoes", 4, 0.19704, -0.54136, 2.14581),
    ("ltoes_end", 5, 0.0, 0.0, 1.11249),
    ("rhipjoint", 0, 0.0, 0.0, 0.0),
    ("rfemur", 7, -1.6107, -1.80282, 0.62476),
    ("rtibia", 8, -2.59502, -7.12977, 0.0),
    ("rfoot", 9, -2.4678, -6.78024, 0.0),
    ("rtoes", 10, -0.23024, -0.63258, 2.13368),
    ("rtoes_end", 11, 0.0, 0.0, 1.11569),
    ("lowerback", 0, 0.0, 0.0, 0.0),
    ("upperback", 13, 0.01961, 2.0545, -0.14112),
    ("thorax", 14, 0.01021, 2.06436, -0.05921),
    ("lowerneck", 15, 0.0, 2.068, 0.008),
    ("upperneck", 16, 0.00713, 1.56711, 0.14968),
    ("head", 17, 0.03429, 1.56041, -0.10006),
    ("head_end", 18, 0.01305, 1.6256, -0.05265),
    ("lclavicle", 15, 0.0, 2.068, 0.008),
    ("lhumerus", 20, 3.54205, 0.90436, -0.17364),
    ("lradius", 21, 4.86513, 0.0, 0.0),
    ("lwrist", 22, 3.35554, 0.0, 0.0),
    ("lhand", 23, 1.67777, 0.0, 0.0),
    ("lfingers", 24, 0.66117, 0.0, 0.0),
    ("lfingers_end", 25, 0.53306, 0.0, 0.0),
    ("lthumb", 23, 1.67777, 0.0, 0.0),
    ("lthumb_end", 27, 0.5412, 0.0, 0.5412),
    ("rclavicle", 15, 0.0, 2.068, 0.008),
    ("rhumerus", 29, -3.49802, 0.75994, -0.32616),
    ("rradius", 30, -5.02649, 0.0, 0.0),
    ("rwrist", 31, -3.36431, 0.0, 0.0),
    ("rhand", 32, -1.68216, 0.0, 0.0),
    ("rfingers", 33, -0.73041, 0.0, 0.0),
    ("rfingers_end", 34, -0.58887, 0.0, 0.0),
    ("rthumb", 32, -1.68216, 0.0, 0.0),
    ("rthumb_end", 36, -0.59786, 0.0, 0.59786),
)


def read_expmap(path: Path) -> Capture:
    """The motion of a text file with 117 columns: the root's place (ASF units, y up), then 38 exponential maps (rad).

    The files' maps turn row vectors; here they turn columns, so each is inverted. The first line of every file is a
    calibration pose of zeros, not motion: it is left out.
    """
    lines = read_text(path).split("\n")
    rows = [line.split(",") for line in lines if line.strip()]
    widths = {len(row) for row in rows}
    if widths == {99}:
        what = "has 99 columns (Human3.6M's form), whose skeleton is not part of this project"
        raise bad_capture(path, what, "Give CMU's form, with 117 columns.")
    if len(rows[-1]) != 117 and len(widths) > 1:
        raise bad_capture(path, f"ends in the middle of line {len(rows)}")
    if widths != {117}:
        raise bad_capture(path, f"has lines of {min(widths)} columns instead of 117")
    values = read_numbers([word for row in rows for word in row], path, "its lines").reshape(-1, 117)
    if len(values) > 1 and not values[0, 3:6].any():
        values = values[1:]
    maps = values[:, 3:].reshape(-1, 3)
    rotations = Rotation.from_rotvec(-maps).as_matrix().reshape(len(values), len(_SKELETON), 3, 3)
    names, parents, *offsets = zip(*_SKELETON, strict=True)
    return Capture(path.stem, _RATE, names, parents, np.array(offsets).T, rotations, values[:, :3], BONES)
