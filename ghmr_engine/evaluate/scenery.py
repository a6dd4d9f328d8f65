"""The place in which a rendered clip happens: ground, walls, doors, posters, boxes, and what stands in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CLEAR_OF_PEOPLE, _CLEAR_OF_CAMERA, _CLEAR_OF_SIGHT = 0.75, 0.6, 0.35
_CLEAR_OF_OCCLUDER = 0.35
_SHIN_M, _EYE_M = 0.28, 1.35
_BOXES = 16


@dataclass(frozen=True)
class Sheet:
    """A rectangle with a picture, in its own x, y plane."""

    look: str
    matrix: np.ndarray
    """(4, 4) to the world."""
    size: tuple[float, float]
    tile: tuple[float, float]
    """Metres that one picture covers."""


@dataclass(frozen=True)
class Box:
    """A box on its own z = 0, the picture once on each side."""

    look: str
    matrix: np.ndarray
    size: tuple[float, float, float]


@dataclass(frozen=True)
class Scenery:
    """Everything that stands still."""

    sheets: tuple[Sheet, ...]
    boxes: tuple[Box, ...]


def furnish(people: np.ndarray, camera: np.ndarray, occluder: str, rng: np.random.Generator) -> Scenery:
    """A walled yard around people (T, P, 2) and the camera (T, 2) on the ground, with boxes that nobody runs into and,
    but for the `occluder` ('none', 'pillar', 'box'), none in the line of sight."""
    everybody = people.reshape(-1, 2)
    low = np.minimum(everybody.min(0) - rng.uniform(1.8, 3.5, 2), camera.min(0) - 1.2)
    high = np.maximum(everybody.max(0) + rng.uniform(1.8, 3.5, 2), camera.max(0) + 1.2)
    sheets = [Sheet("ground", np.eye(4), (80.0, 80.0), (4.0, 4.0))]
    for turn in range(4):
        sheets += _wall(turn, low, high, rng)
    boxes = _scattered(people, camera, low, high, rng)
    if occluder != "none":
        boxes.append(_occluder(people, camera, occluder))
    return Scenery(tuple(sheets), tuple(boxes))


def hidden(points: np.ndarray, eyes: np.ndarray, boxes: tuple[Box, ...]) -> np.ndarray:
    """(T, M) whether a box stands between a point (T, M, 3) and the camera's place (T, 3), m, world.

    The slab test of ray and box (Kay and Kajiya 1986), in each box's own axes.
    """
    blocked = np.zeros(points.shape[:2], bool)
    for box in boxes:
        back = np.linalg.inv(box.matrix)
        start = (eyes @ back[:3, :3].T + back[:3, 3])[:, None]
        way = points @ back[:3, :3].T + back[:3, 3] - start
        low, high = np.array([-0.5, -0.5, 0]) * box.size, np.array([0.5, 0.5, 1]) * box.size
        with np.errstate(divide="ignore", invalid="ignore"):
            first, second = (low - start) / way, (high - start) / way
        enter = np.nanmax(np.minimum(first, second), -1)
        leave = np.nanmin(np.maximum(first, second), -1)
        blocked |= (enter < leave) & (leave > 0) & (enter < 1)
    return blocked


def turned_at(x: float, y: float, z: float, radians: float) -> np.ndarray:
    """(4, 4) to a place in metres, turned about z."""
    c, s = np.cos(radians), np.sin(radians)
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z], [0, 0, 0, 1.0]])


UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""(4, 4) puts a sheet up: its picture faces -y."""


def _wall(turn: int, low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """One of four walls, with a door or posters on it; turn 0 is the one at high y, which faces -y."""
    middle, half = (low + high) / 2, (high - low) / 2
    wide, away = (2 * half[0], half[1]) if turn % 2 == 0 else (2 * half[1], half[0])
    tall = rng.uniform(2.8, 5.0)
    frame = turned_at(*middle, 0, turn * np.pi / 2)

    def put(look: str, x: float, z: float, off: float, size: tuple[float, float], tile: tuple[float, float]) -> Sheet:
        at = np.eye(4)
        at[:3, 3] = x, away - off, z
        return Sheet(look, frame @ at @ UPRIGHT, size, tile)

    brick = rng.random() < 0.5
    things = [put("wall_1" if brick else "wall_2", 0, tall / 2, 0.0, (wide, tall), (4.0, 2.5) if brick else (3.0, 3.0))]
    places = np.arange(-wide / 2 + 0.9, wide / 2 - 0.9, 1.5)
    for x in places:
        kind = rng.random()
        shift = float(x + rng.uniform(-0.25, 0.25))
        if kind < 0.18:
            things.append(put("door", shift, 1.05, 0.02, (1.0, 2.1), (1.0, 2.1)))
        elif kind < 0.75:
            look = f"poster_{rng.integers(1, 4)}"
            things.append(put(look, shift, float(rng.uniform(1.2, 2.1)), 0.02, (0.84, 1.2), (0.84, 1.2)))
    return things


def _scattered(
    people: np.ndarray, camera: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> list[Box]:
    boxes: list[Box] = []
    for _ in range(_BOXES * 6):
        side = rng.uniform(0.35, 0.85)
        place = rng.uniform(low + side, high - side)
        reach = 0.75 * side
        if any(np.linalg.norm(place - box.matrix[:2, 3]) < 0.75 * (side + box.size[0]) for box in boxes):
            continue
        if _nearest_m(place, people.reshape(-1, 2)) < reach + _CLEAR_OF_PEOPLE:
            continue
        if _nearest_m(place, camera) < reach + _CLEAR_OF_CAMERA:
            continue
        if _sight_m(place, people, camera) < reach + _CLEAR_OF_SIGHT:
            continue
        tall = side * rng.choice([1.0, 1.0, 1.0, 2.0])
        boxes.append(Box(f"crate_{rng.integers(1, 3)}", turned_at(*place, 0, rng.uniform(0, 3)), (side, side, tall)))
        if len(boxes) == _BOXES:
            break
    return boxes


def _occluder(people: np.ndarray, camera: np.ndarray, kind: str) -> Box:
    """In the line of sight at the clip's middle, nearer to the people than to the camera."""
    row = len(people) // 2
    eye = camera[row]
    way = people[row, 0] - eye
    size = np.array([0.35, 0.45, 2.6] if kind == "pillar" else [0.4, 1.1, 0.5])
    everybody = people.reshape(-1, 2)
    free = _CLEAR_OF_OCCLUDER + np.hypot(*size[:2]) / 2
    places = eye + np.linspace(0.8, 0.3, 40)[:, None] * way
    clear = np.array([_nearest_m(place, everybody) for place in places])
    # As near to the people as they let it; where they let it nowhere, where it is least in their way.
    place = places[np.argmax(clear > free)] if (clear > free).any() else places[clear.argmax()]
    turn = float(np.arctan2(way[1], way[0]))
    if kind == "box":  # as high as hides the shins from an eye at a usual height
        near = float(np.linalg.norm(place - people[row, 0]) / np.linalg.norm(way))
        size[2] = _SHIN_M + near * (_EYE_M - _SHIN_M)
    return Box("wall_1" if kind == "pillar" else "crate_1", turned_at(*place, 0, turn), tuple(size.tolist()))


def _nearest_m(place: np.ndarray, path: np.ndarray) -> float:
    return float(np.linalg.norm(path - place, axis=1).min())


def _sight_m(place: np.ndarray, people: np.ndarray, camera: np.ndarray) -> float:
    """How near a place comes to any line from the camera to a person, seen from above."""
    start = camera[:, None]
    way = people - start
    share = np.clip(((place - start) * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-9), 0, 1)
    return float(np.linalg.norm(start + share[..., None] * way - place, axis=-1).min())
