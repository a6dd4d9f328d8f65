"""The demo clip's place: paving, two walls, a door, posters, crates near and far."""

from __future__ import annotations

import numpy as np

from ghmr_engine.evaluate.scenery import UPRIGHT, Box, Scenery, Sheet, turned_at


def yard(to_world: np.ndarray) -> Scenery:
    """The yard, moved by to_world (4, 4)."""

    def up(look: str, x: float, y: float, z: float, degrees: float, size: tuple, tile: tuple | None = None) -> Sheet:
        return Sheet(look, to_world @ turned_at(x, y, z, np.radians(degrees)) @ UPRIGHT, size, tile or size)

    posters = ((1, -2.4, 1.7), (2, -0.6, 1.8), (3, 3.4, 1.65))
    sheets = [
        Sheet("ground", to_world, (40.0, 40.0), (4.0, 4.0)),
        up("wall_1", -1, 3.4, 1.75, 0, (16, 3.5), (4, 2.5)),
        up("wall_2", 7.0, 1.2, 2.6, -42, (6.4, 5.2), (3, 3)),
        up("wall_2", -6.2, 1.8, 1.5, 58, (6, 3.0), (3, 3)),
        up("door", 1.6, 3.38, 1.05, 0, (1.0, 2.1)),
        *(up(f"poster_{k}", x, 3.37, z, 0, (0.84, 1.2)) for k, x, z in posters),
        up("poster_2", 6.2, 0.45, 1.8, -42, (1.1, 1.5)),
    ]
    crates = (
        (1, -3.6, 2.7, 0, 12, 0.8), (2, -4.5, 2.5, 0, -20, 0.7), (1, -3.9, 2.65, 0.8, 35, 0.55),
        (2, 0.4, 2.8, 0, 8, 0.6), (1, 2.9, 2.6, 0, -15, 0.75), (1, 3.8, 2.3, 0, 28, 0.6),
        (2, 3.1, 2.6, 0.75, 10, 0.5), (1, -1.9, 1.4, 0, 40, 0.45), (1, 5.2, 0.6, 0, 5, 0.55),
        (2, -0.9, -2.0, 0, 22, 0.32), (1, 3.0, -2.5, 0, -30, 0.28),
    )  # fmt: skip
    boxes = [
        Box(f"crate_{kind}", to_world @ turned_at(x, y, z, np.radians(turn)), (side, side, side))
        for kind, x, y, z, turn, side in crates
    ]
    return Scenery(tuple(sheets), tuple(boxes))
