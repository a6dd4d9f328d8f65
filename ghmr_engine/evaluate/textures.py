"""Pictures for walls, ground, boxes, posters and clothes, painted with numpy and OpenCV: full of corners to track."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

Colour = tuple[float, float, float]


def write_pictures(folder: Path, pictures: dict[str, np.ndarray]) -> None:
    """Write each picture (H, W, 3) RGB 0 to 255 as NAME.png into `folder`."""
    for name, picture in pictures.items():
        bgr = np.clip(picture[..., ::-1], 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), bgr)


def stage_pictures(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Ground, two kinds of wall, boxes, a door and posters of one place."""
    ground = (paving, asphalt, grass, planks)[rng.integers(4)]
    return {
        "ground": ground(rng), "wall_1": bricks(rng, _tint(rng, (158, 84, 62))), "wall_2": plaster(rng),
        "crate_1": crate(rng), "crate_2": crate(rng, tuple(rng.uniform(70, 170, 3))), "door": door(rng),
        **{f"poster_{k}": poster(rng, tuple(rng.uniform(30, 190, 3))) for k in (1, 2, 3)},
    }  # fmt: skip


def clothes_pictures(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Shirt, trousers, shoes and hair of one person, told apart by tone."""
    shirts = ((198, 62, 52), (222, 214, 196), (40, 92, 128), (66, 120, 74), (206, 158, 54), (120, 66, 112))
    trousers = ((58, 74, 112), (64, 62, 60), (132, 118, 92), (40, 46, 52), (96, 104, 110))
    return {
        "shirt": shirt(rng, shirts[rng.integers(len(shirts))], ("stripes", "checks", "plain")[rng.integers(3)]),
        "trousers": cloth(rng, trousers[rng.integers(len(trousers))]),
        "shoes": leather(rng, ((214, 208, 198), (150, 60, 48), (236, 232, 226))[rng.integers(3)]),
        "hair": hair(rng, ((58, 40, 28), (28, 24, 22), (146, 106, 58), (96, 56, 34))[rng.integers(4)]),
    }


def _tint(rng: np.random.Generator, tone: Colour) -> Colour:
    return tuple(np.clip(np.array(tone) * rng.normal(1, 0.15) + rng.normal(0, 12, 3), 20, 235))


def noise(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """(height, width) smooth noise about 0, spread 1, with patches of about `cell` px."""
    coarse = rng.normal(0, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def grain(rng: np.random.Generator, height: int, width: int, strength: float) -> np.ndarray:
    """(height, width, 1) noise of several sizes, in grey levels."""
    layers = [noise(rng, height, width, cell) * share for cell, share in ((2, 0.5), (7, 0.7), (31, 1.0), (120, 0.9))]
    return strength * np.sum(layers, axis=0)[..., None]


def bricks(rng: np.random.Generator, clay: Colour = (158, 84, 62)) -> np.ndarray:
    """Four metres of brick wall by two and a half."""
    height, width, tall, wide = 1000, 1600, 31, 100
    picture = np.full((height, width, 3), (176, 168, 156), np.float32) + grain(rng, height, width, 5)
    for row in range(height // tall + 1):
        for column in range(-1, width // wide + 1):
            x, y = column * wide + (row % 2) * wide // 2, row * tall
            tone = np.array(clay) * rng.normal(1, 0.13) + rng.normal(0, 7, 3)
            cv2.rectangle(picture, (x + 3, y + 3), (x + wide - 3, y + tall - 3), tone.tolist(), -1)
    return picture * (1 + 0.05 * noise(rng, height, width, 90)[..., None]) + grain(rng, height, width, 5)


def paving(rng: np.random.Generator) -> np.ndarray:
    """Four metres square of slabs."""
    side, slab = 1600, 200
    picture = np.full((side, side, 3), (92, 90, 86), np.float32)
    for row in range(side // slab):
        for column in range(side // slab):
            tone = np.array([166, 160, 150]) * rng.normal(1, 0.07) + rng.normal(0, 3, 3)
            x, y = column * slab, row * slab
            cv2.rectangle(picture, (x + 3, y + 3), (x + slab - 4, y + slab - 4), tone.tolist(), -1)
    picture += grain(rng, side, side, 6)
    for x, y, size in rng.uniform((0, 0, 2), (side, side, 9), (420, 3)):
        dark = float(rng.uniform(60, 120))
        cv2.circle(picture, (int(x), int(y)), int(size), (dark, dark * 0.97, dark * 0.9), -1, cv2.LINE_AA)
    return picture


def plaster(rng: np.random.Generator) -> np.ndarray:
    """A rough wall with stains."""
    side = 1200
    picture = np.full((side, side, 3), (206, 196, 172), np.float32) + grain(rng, side, side, 7)
    for x, y in rng.uniform(0, side, (90, 2)):
        axes = tuple(int(v) for v in rng.uniform(6, 46, 2))
        cv2.ellipse(
            picture, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, (168, 156, 132), -1, cv2.LINE_AA
        )
    return cv2.GaussianBlur(picture, (0, 0), 1.2) + grain(rng, side, side, 3)


def crate(rng: np.random.Generator, tone: Colour = (168, 126, 78)) -> np.ndarray:
    """One side of a box of planks."""
    side = 512
    picture = np.zeros((side, side, 3), np.float32)
    for k in range(6):
        plank = np.array(tone) * rng.normal(1, 0.09)
        picture[k * 86 : k * 86 + 80] = plank
    rings = noise(rng, side, side // 16, 6)
    picture += 9 * cv2.resize(rings, (side, side))[..., None]
    edge = (np.array(tone) * 0.66).tolist()
    for a, b in (
        ((0, 0), (side, 40)),
        ((0, side - 40), (side, side)),
        ((0, 0), (40, side)),
        ((side - 40, 0), (side, side)),
    ):
        cv2.rectangle(picture, a, b, edge, -1)
    cv2.line(picture, (30, 30), (side - 30, side - 30), edge, 34, cv2.LINE_AA)
    for x in (20, side // 2, side - 20):
        for y in (20, side - 20):
            cv2.circle(picture, (x, y), 6, (50, 48, 46), -1, cv2.LINE_AA)
    return picture + grain(rng, side, side, 4)


def door(rng: np.random.Generator) -> np.ndarray:
    """A door with panels, one metre by two."""
    picture = np.full((1000, 500, 3), (52, 84, 78), np.float32)
    for y in (60, 380, 700):
        for x in (50, 270):
            cv2.rectangle(picture, (x, y), (x + 180, y + 240), (38, 64, 60), -1)
            cv2.rectangle(picture, (x, y), (x + 180, y + 240), (84, 118, 110), 5)
    cv2.circle(picture, (455, 520), 16, (206, 180, 96), -1, cv2.LINE_AA)
    return picture + grain(rng, 1000, 500, 4)


def poster(rng: np.random.Generator, tone: Colour) -> np.ndarray:
    """Shapes on paper."""
    picture = np.full((640, 448, 3), (232, 226, 210), np.float32)
    cv2.rectangle(picture, (24, 24), (424, 616), tone, -1)
    for _ in range(16):
        x, y = rng.uniform((40, 40), (408, 460))
        colour = (np.array(tone) * rng.uniform(0.4, 1.3) + rng.uniform(0, 110, 3)).tolist()
        if rng.random() < 0.5:
            cv2.circle(picture, (int(x), int(y)), int(rng.uniform(8, 60)), colour, -1, cv2.LINE_AA)
        else:
            far = (int(x + rng.uniform(-110, 110)), int(y + rng.uniform(-110, 110)))
            cv2.line(picture, (int(x), int(y)), far, colour, int(rng.uniform(5, 24)), cv2.LINE_AA)
    for row in range(4):
        cv2.rectangle(
            picture, (50, 500 + 26 * row), (50 + int(rng.uniform(140, 340)), 512 + 26 * row), (232, 226, 210), -1
        )
    return picture


def asphalt(rng: np.random.Generator) -> np.ndarray:
    """Four metres square of road with patches and a painted line."""
    side = 1600
    picture = np.full((side, side, 3), (124, 124, 128), np.float32) + grain(rng, side, side, 8)
    for x, y, w, h in rng.uniform((0, 0, 90, 60), (side, side, 420, 260), (9, 4)).astype(int):
        tone = float(rng.uniform(104, 148))
        cv2.rectangle(picture, (x, y), (x + w, y + h), (tone, tone, tone * 1.03), -1)
    cv2.rectangle(picture, (740, 0), (790, 900), (206, 204, 190), -1)
    return picture + grain(rng, side, side, 6)


def grass(rng: np.random.Generator) -> np.ndarray:
    """Four metres square of worn lawn."""
    side = 1600
    picture = np.full((side, side, 3), (92, 116, 58), np.float32)
    blades = cv2.resize(rng.normal(0, 1, (side // 2, side // 5)).astype(np.float32), (side, side))
    worn = np.clip(noise(rng, side, side, 260) - 0.2, 0, 1)[..., None]
    picture = picture * (1 - worn) + np.array([146, 122, 84]) * worn
    return picture + 15 * blades[..., None] * np.array([0.8, 1.0, 0.6]) + grain(rng, side, side, 9)


def planks(rng: np.random.Generator) -> np.ndarray:
    """Four metres square of a wooden floor."""
    side, wide = 1600, 80
    picture = np.zeros((side, side, 3), np.float32)
    for row in range(side // wide):
        for start in range(-int(rng.integers(600)), side, 600):
            tone = np.array([156, 112, 72]) * rng.normal(1, 0.1)
            cv2.rectangle(picture, (start + 2, row * wide + 2), (start + 597, row * wide + wide - 3), tone.tolist(), -1)
    rings = cv2.resize(noise(rng, side, side // 10, 5), (side, side))
    return picture + 7 * rings[..., None] + grain(rng, side, side, 4)


def shirt(rng: np.random.Generator, tone: Colour, pattern: str) -> np.ndarray:
    """Cloth with 'stripes' across, 'checks' or 'plain'; 512 px are half a metre."""
    side = 512
    picture = np.full((side, side, 3), tone, np.float32)
    light = (232, 222, 204) if np.mean(tone) < 150 else (70, 84, 120)
    if pattern != "plain":
        for at in range(0, side, 64):
            cv2.rectangle(picture, (0, at), (side, at + 14), light, -1)
            if pattern == "checks":
                cv2.rectangle(picture, (at, 0), (at + 8, side), light, -1)
    return picture + grain(rng, side, side, 5)


def cloth(rng: np.random.Generator, tone: Colour) -> np.ndarray:
    """Trousers' cloth, worn in places."""
    side = 512
    return np.full((side, side, 3), tone, np.float32) + grain(rng, side, side, 8)


def leather(rng: np.random.Generator, tone: Colour) -> np.ndarray:
    """Shoes."""
    return np.full((256, 256, 3), tone, np.float32) + grain(rng, 256, 256, 6)


def hair(rng: np.random.Generator, tone: Colour) -> np.ndarray:
    """Strands."""
    strands = cv2.resize(rng.normal(0, 1, (8, 256)).astype(np.float32), (256, 256))
    return np.full((256, 256, 3), tone, np.float32) + 13 * strands[..., None] + grain(rng, 256, 256, 3)
