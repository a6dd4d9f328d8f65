"""Drawing 3D things into pictures with OpenCV: a view, shaded meshes, shadows, lines, discs, words.

A canvas is an RGB picture (H, W, 3) uint8. Things are drawn on a layer twice its size and blended in, which smooths
their edges. Pixel centres are at whole numbers, as everywhere in the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SUPERSAMPLE = 2
NEAR_M = 0.05
LIGHT = np.array([-0.35, -0.55, 0.76]) / np.linalg.norm([-0.35, -0.55, 0.76])  # towards the light, world
Colour = tuple[int, int, int]
Triangles = tuple[np.ndarray, np.ndarray]
"""Faces' corners (F, 3, 3) m in the world, and their colours (F, 3)."""


@dataclass(frozen=True)
class View:
    """A camera for drawing: x_cam = R x + t (OpenCV's axes)."""

    R: np.ndarray
    t: np.ndarray
    K: np.ndarray
    """(3, 3) px; in an orthographic view px a metre."""
    size: tuple[int, int]
    """Width, height of the picture."""
    orthographic: bool = False

    def camera_points(self, points: np.ndarray) -> np.ndarray:
        """World (..., 3) m -> the camera's frame (..., 3) m."""
        return np.asarray(points) @ self.R.T + self.t

    def pixels(self, camera_points: np.ndarray) -> np.ndarray:
        """The camera's frame (..., 3) m -> (..., 2) px; points nearer than NEAR_M are held there."""
        flat = camera_points[..., :2]
        if not self.orthographic:
            flat = flat / np.maximum(camera_points[..., 2:], NEAR_M)
        return flat @ self.K[:2, :2].T + self.K[:2, 2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """World (..., 3) m -> (..., 2) px."""
        return self.pixels(self.camera_points(points))

    def cropped(self, x0: float, y0: float, scale: float, size: tuple[int, int]) -> View:
        """The same view of a part of the picture whose corner is x0, y0 px, enlarged by `scale`."""
        K = self.K.astype(np.float64)
        # (k + 0.5) * scale - 0.5 keeps pixel centres where they belong.
        resize = np.array([[scale, 0, (0.5 - x0) * scale - 0.5], [0, scale, (0.5 - y0) * scale - 0.5], [0, 0, 1]])
        return View(self.R, self.t, resize @ K, size, self.orthographic)


def look_at(eye: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (3, 3), t (3,) of a camera at `eye` that looks at `target`, upright; straight down, y is up in the picture."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return R, -R @ eye


def shade(corners: np.ndarray, colours: np.ndarray, toward_eye: np.ndarray) -> np.ndarray:
    """Colours (F, 3) of faces (F, 3, 3) under LIGHT, with a softer light from the eye; toward_eye: (3,) unit vector."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    # Half-Lambert: dark sides keep their form.
    light = 0.3 + 0.52 * np.maximum(0.5 + 0.5 * normal @ LIGHT, 0) ** 1.5 + 0.3 * np.maximum(normal @ toward_eye, 0)
    return np.clip(colours * light[:, None], 0, 255)


def draw_meshes(canvas: np.ndarray, view: View, meshes: list[Triangles], alpha: float = 1.0) -> None:
    """Blend shaded meshes into the canvas, in place, far faces first. Faces must wind outward."""
    if not meshes:
        return
    corners = np.concatenate([corners for corners, _ in meshes])
    colours = np.concatenate([shade(*mesh, -view.R[2]) for mesh in meshes])
    cam = view.camera_points(corners)
    pixels = view.pixels(cam)
    first, second = pixels[:, 1] - pixels[:, 0], pixels[:, 2] - pixels[:, 0]
    # Image y points down, so an outward face seen from outside turns the other way round.
    shown = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0
    shown &= _in_picture(pixels, view.size)
    if not view.orthographic:
        shown &= cam[..., 2].min(axis=1) > NEAR_M
    order = np.flatnonzero(shown)
    order = order[np.argsort(-cam[order, :, 2].mean(axis=1))]
    _blend_faces(canvas, pixels[order], colours[order], alpha)


def draw_shadow(canvas: np.ndarray, view: View, corners: np.ndarray, alpha: float = 0.28) -> None:
    """Darken the ground z = 0 where LIGHT is kept off it by the faces (F, 3, 3)."""
    flat = corners - corners[..., 2:] * (LIGHT * [0.5, 0.5, 1] / LIGHT[2])
    cam = view.camera_points(flat)
    pixels = view.pixels(cam)
    keep = _in_picture(pixels, view.size)
    if not view.orthographic:
        keep &= cam[..., 2].min(axis=1) > NEAR_M
    _blend_faces(canvas, pixels[keep], np.full((int(keep.sum()), 3), 40.0), alpha)


def _in_picture(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    return (high >= -1).all(axis=1) & (low <= np.array(size)).all(axis=1)


def _blend_faces(canvas: np.ndarray, pixels: np.ndarray, colours: np.ndarray, alpha: float) -> None:
    if len(pixels) == 0:
        return
    bits = 4
    low = np.maximum(np.floor(pixels.min(axis=(0, 1))).astype(int) - 1, 0)
    high = np.minimum(np.ceil(pixels.max(axis=(0, 1))).astype(int) + 2, [canvas.shape[1], canvas.shape[0]])
    if (high <= low).any():
        return
    width, height = high - low
    layer = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE, 4), np.uint8)
    fine = (pixels - low + 0.5) * SUPERSAMPLE - 0.5
    points = np.round(np.clip(fine, -9999, 9999) * (1 << bits)).astype(np.int32)
    # A list of all colours at once would be so many objects that Python looks through all of PyTorch's for rubbish.
    for face, colour in zip(points, colours, strict=True):
        cv2.fillConvexPoly(layer, face, (*colour.tolist(), 255), lineType=cv2.LINE_8, shift=bits)
    _blend(canvas[low[1] : high[1], low[0] : high[0]], layer, alpha)


def _blend(region: np.ndarray, layer: np.ndarray, alpha: float) -> None:
    """Put a supersampled RGBA layer over a region of a canvas, in place. Empty pixels of the layer are all zero."""
    small = cv2.resize(layer, region.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = small[..., 3:] / 255
    region[:] = np.round(region * (1 - cover * alpha) + small[..., :3] * alpha).astype(np.uint8)


def draw_lines(
    canvas: np.ndarray, view: View, starts: np.ndarray, ends: np.ndarray, colours: np.ndarray, width: float = 1.0,
    alpha: float = 1.0,
) -> None:  # fmt: skip
    """Blend world segments starts -> ends (S, 3) m into the canvas; colours (3,) or (S, 3), width in px."""
    begin, end = clip_near(view, view.camera_points(starts), view.camera_points(ends))
    first, last = view.pixels(begin), view.pixels(end)
    layer = np.zeros((canvas.shape[0] * SUPERSAMPLE, canvas.shape[1] * SUPERSAMPLE, 4), np.uint8)
    tones = np.broadcast_to(np.asarray(colours, dtype=float), (len(first), 3)).tolist()
    thick = max(round(width * SUPERSAMPLE), 1)
    frame = (-2000, -2000, layer.shape[1] + 4000, layer.shape[0] + 4000)
    for a, b, tone in zip(first.tolist(), last.tolist(), tones, strict=True):
        if not np.isfinite([*a, *b]).all():
            continue
        ends_px = [[min(max((v + 0.5) * SUPERSAMPLE - 0.5, -1e8), 1e8) for v in p] for p in (a, b)]
        inside, p, q = cv2.clipLine(frame, *[tuple(round(v) for v in point) for point in ends_px])
        if inside:
            cv2.line(layer, p, q, (*tone, 255), thick)
    _blend(canvas, layer, alpha)


def clip_near(view: View, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments of the camera's frame without what lies behind it; segments wholly behind become nan."""
    if view.orthographic:
        return starts, ends
    near = 2 * NEAR_M
    a, b = starts[:, 2:], ends[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = starts + (near - a) / (b - a) * (ends - starts)
    first, last = np.where(a < near, cut, starts), np.where(b < near, cut, ends)
    behind = (a < near) & (b < near)
    return np.where(behind, np.nan, first), np.where(behind, np.nan, last)


def draw_disc(
    canvas: np.ndarray, centre: np.ndarray, radius: float, colour: Colour, ring: Colour | None = None
) -> None:
    """A smooth disc at a pixel place (2,), with a thin ring around it."""
    bits = 4
    at = tuple(int(v) for v in np.round(np.clip(centre, -9999, 9999) * (1 << bits)))
    if ring is not None:
        cv2.circle(canvas, at, round((radius + 1.2) * (1 << bits)), ring, -1, cv2.LINE_AA, bits)
    cv2.circle(canvas, at, round(radius * (1 << bits)), colour, -1, cv2.LINE_AA, bits)


def write_words(
    canvas: np.ndarray, words: str, at: tuple[int, int], size: float = 14, colour: Colour = (50, 54, 60),
    halo: Colour | None = None,
) -> None:  # fmt: skip
    """Words with their left end on the baseline at x, y px; size: height of a capital in px times 1.5."""
    scale = size / 32
    if halo is not None:
        cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_DUPLEX, scale, halo, max(round(scale * 6), 3), cv2.LINE_AA)
    cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_DUPLEX, scale, colour, 1, cv2.LINE_AA)


def words_width(words: str, size: float = 14) -> int:
    """Width in px of what write_words writes."""
    return cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, size / 32, 1)[0][0]


def time_colours(count: int) -> np.ndarray:
    """(count, 3): from first to last moment, dark violet over green to yellow."""
    ramp = np.linspace(0, 235, max(count, 1)).round().astype(np.uint8)[:, None]
    return cv2.applyColorMap(ramp, cv2.COLORMAP_VIRIDIS)[:, 0, ::-1].astype(np.float64)
