"""Pictures of a motion file's scene: over the video's frame, and from the side, the front, above or a raised corner."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ghmr_engine.motion_file import Motion
from ghmr_engine.posed import PosedBody, pose_everyone, root_path, rotation_matrices, side_of_vertices
from ghmr_engine.raster import (
    Colour,
    Triangles,
    View,
    draw_disc,
    draw_lines,
    draw_meshes,
    draw_shadow,
    look_at,
    time_colours,
    write_words,
)

Preset = Literal["side", "front", "back", "top", "corner"]
PRESETS: dict[str, tuple[float, float, float]] = {
    "side": (1, 0, 0), "front": (0, -1, 0), "back": (0, 1, 0), "top": (0, 0, 1), "corner": (0.75, -0.8, 0.42),
}  # fmt: skip
"""Where the eye stands, seen from the target. The first camera looks along +y, so `front` looks as it does."""

PEOPLE_COLOURS: tuple[Colour, ...] = (
    (236, 142, 66), (66, 150, 214), (126, 186, 84), (196, 104, 190), (226, 196, 70), (90, 190, 186),
)  # fmt: skip
LEFT_CONTACT, RIGHT_CONTACT = (40, 220, 90), (255, 60, 130)
WHITE, PAPER, FLOOR, GRID, CAMERA = (255, 255, 255), (246, 247, 249), (232, 235, 239), (205, 210, 217), (70, 80, 95)


def person_colour(motion: Motion, name: str) -> Colour:
    """The colour of a person, by order in the file."""
    return PEOPLE_COLOURS[list(motion.people).index(name) % len(PEOPLE_COLOURS)]


def camera_of(motion: Motion, index: int) -> View:
    """The clip's camera in frame `index`."""
    size = tuple(int(v) for v in motion.meta["image_size"])
    return View(motion.R[index].astype(float), motion.t[index].astype(float), motion.K[index].astype(float), size)


def camera_path(motion: Motion) -> np.ndarray:
    """(T, 3) m: the camera's centre over the clip, -R^T t."""
    return -np.einsum("tba,tb->ta", motion.R.astype(float), motion.t.astype(float))


def overlay(frame_rgb: np.ndarray, motion: Motion, index: int, alpha: float = 0.8) -> np.ndarray:
    """The bodies and the ground's metre grid over a video frame (H, W, 3); returns a new picture.

    Left limbs are light and right limbs dark; soles in contact carry green (left) and pink (right) discs.
    """
    return overlay_through(frame_rgb, camera_of(motion, index), motion, index, alpha)


def overlay_through(frame_rgb: np.ndarray, view: View, motion: Motion, index: int, alpha: float) -> np.ndarray:
    """As overlay, through a view of one's own: a crop of the camera's."""
    canvas = np.ascontiguousarray(frame_rgb).copy()
    bodies = pose_everyone(motion, index)
    ground = ground_area(motion)
    starts, ends = grid_lines(*ground)
    draw_lines(canvas, view, starts, ends, np.array(WHITE), 1.2, 0.42)
    _draw_bodies(canvas, view, motion, bodies, alpha)
    return canvas


def view_from(
    motion: Motion, index: int, eye: Preset | tuple[np.ndarray, np.ndarray] = "corner",
    size: tuple[int, int] = (800, 600), ghosts: int = 0,
) -> np.ndarray:  # fmt: skip
    """The scene at one frame, (H, W, 3).

    eye: a preset, or the eye's and the target's places (3,) m. `side`, `front` and `back` are orthographic and close
    around the people of this frame; `top` shows all paths and the camera's; `corner` is in perspective and shows
    everything. ghosts: how many fainter bodies show other moments of the clip.
    """
    if eye == "top":
        return _from_above(motion, index, size)
    if isinstance(eye, str) and eye != "corner":
        return close_view(motion, index, eye, size, people_extent(motion, [index]))
    view = _fit_corner(motion, size) if isinstance(eye, str) else _perspective(*eye, size)
    return _draw_scene(motion, index, view, ghosts)


def close_view(motion: Motion, index: int, preset: Preset, size: tuple[int, int], extent_m: float) -> np.ndarray:
    """`side`, `front` or `back` around the people of one frame; `extent_m`: metres that the picture's width holds."""
    bodies = pose_everyone(motion, index)
    width, height = size
    scale = min(width / extent_m, height * 0.86 / max(_top(bodies), 2.0))
    centre = np.mean([body.joints[0] for body in bodies], axis=0) if bodies else np.zeros(3)
    # The ground line lies a tenth above the picture's lower edge.
    target = np.array([centre[0], centre[1], 0.40 * height / scale])
    view = _orthographic(target, preset, scale, size)
    canvas = np.full((height, width, 3), PAPER, np.uint8)
    ground = round(float(view.project(np.zeros(3))[1]))
    canvas[max(ground, 0) :] = FLOOR
    _draw_rulers(canvas, view, target, preset, extent_m)
    _draw_bodies(canvas, view, motion, bodies)
    return canvas


def people_extent(motion: Motion, indices: list[int]) -> float:
    """Metres that hold everybody of each of these frames side by side, at least 2."""
    reach = 2.0
    for index in indices:
        joints = [body.joints[:, :2] for body in pose_everyone(motion, index)]
        if joints:
            points = np.concatenate(joints)
            reach = max(reach, float((points.max(axis=0) - points.min(axis=0)).max()) + 0.6)
    return reach


def ground_area(motion: Motion, margin: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Whole-metre corners (2,), (2,) of the ground around all paths."""
    paths = [root_path(motion, name)[:, :2] for name in motion.people if len(motion.people[name].frames)]
    points = np.concatenate(paths) if paths else np.zeros((1, 2))
    low, high = np.floor(points.min(axis=0) - margin), np.ceil(points.max(axis=0) + margin)
    middle = (low + high) / 2
    # A result gone wrong may run away for kilometres: its grid need not.
    return np.maximum(low, middle - 30), np.minimum(high, middle + 30)


def grid_lines(low: np.ndarray, high: np.ndarray, step: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (S, 3) of a grid on z = 0."""
    xs, ys = np.arange(low[0], high[0] + 1e-6, step), np.arange(low[1], high[1] + 1e-6, step)
    starts = [[x, low[1], 0] for x in xs] + [[low[0], y, 0] for y in ys]
    ends = [[x, high[1], 0] for x in xs] + [[high[0], y, 0] for y in ys]
    return np.array(starts, dtype=float), np.array(ends, dtype=float)


def draw_contacts(canvas: np.ndarray, view: View, body: PosedBody) -> None:
    """Discs at soles in contact: green on the left foot, pink on the right."""
    cam = view.camera_points(body.contact_points)
    for place, colour in enumerate((LEFT_CONTACT, LEFT_CONTACT, RIGHT_CONTACT, RIGHT_CONTACT)):
        if body.contacts[place] > 0.5 and (view.orthographic or cam[place, 2] > 0.1):
            px_a_metre = view.K[0, 0] / (1 if view.orthographic else cam[place, 2])
            draw_disc(
                canvas, view.pixels(cam[place]), float(np.clip(0.022 * px_a_metre, 2, 9)), colour, (255, 255, 255)
            )


def _draw_bodies(canvas: np.ndarray, view: View, motion: Motion, bodies: list[PosedBody], alpha: float = 1.0) -> None:
    """Meshes, or bones where the file leaves the mesh out, and the soles that are in contact."""
    draw_meshes(canvas, view, [_mesh(motion, body) for body in bodies], alpha)
    for body in bodies:
        if len(motion.faces) == 0:
            ends = body.joints[1:]
            starts = body.joints[motion.parents[1:]]
            draw_lines(canvas, view, starts, ends, np.array(person_colour(motion, body.name)), 2.5, alpha)
        draw_contacts(canvas, view, body)


def _mesh(motion: Motion, body: PosedBody, paleness: float = 0.0) -> Triangles:
    base = np.array(person_colour(motion, body.name), dtype=float)
    side = side_of_vertices(motion.people[body.name])[motion.faces].mean(axis=1)[:, None]
    colours = base + np.where(side > 0, 255 - base, base) * side * 0.42
    return body.vertices[motion.faces], colours * (1 - paleness) + 238 * paleness


def _top(bodies: list[PosedBody]) -> float:
    return max((float(body.joints[:, 2].max()) + 0.2 for body in bodies), default=2.0)


def _orthographic(target: np.ndarray, preset: Preset, scale: float, size: tuple[int, int]) -> View:
    R, t = look_at(target + 100 * np.array(PRESETS[preset], dtype=float), target)
    K = np.array([[scale, 0, (size[0] - 1) / 2], [0, scale, (size[1] - 1) / 2], [0, 0, 1]])
    return View(R, t, K, size, orthographic=True)


def _perspective(eye: np.ndarray, target: np.ndarray, size: tuple[int, int]) -> View:
    R, t = look_at(np.asarray(eye, dtype=float), np.asarray(target, dtype=float))
    focal = 1.5 * max(size)
    return View(R, t, np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]]), size)


def _fit_corner(motion: Motion, size: tuple[int, int]) -> View:
    """The nearest corner view that holds every path, at body height too, and the camera."""
    points = [camera_path(motion)]
    for name in motion.people:
        path = root_path(motion, name)
        points += [path * [1, 1, 0] + [dx, dy, z] for dx, dy, z in ((0.4, 0, 0), (-0.4, 0, 0), (0, 0, 1.8))]
    cloud = np.concatenate(points)
    target = (cloud.min(axis=0) + cloud.max(axis=0)) / 2
    direction = np.array(PRESETS["corner"])
    near, far = 0.5, 400.0
    for _ in range(30):
        middle = np.sqrt(near * far)
        view = _perspective(target + direction * middle, target, size)
        cam = view.camera_points(cloud)
        offset = np.abs(view.pixels(cam) - view.K[:2, 2]) / (np.array(size) / 2)
        fits = cam[:, 2].min() > 0.2 and offset.max() < 0.9
        near, far = (near, middle) if fits else (middle, far)
    # Centred on what is seen, not on the box around it.
    pixels = view.project(cloud)
    shift = (np.array(size) - 1) / 2 - (pixels.min(axis=0) + pixels.max(axis=0)) / 2
    K = view.K.copy()
    K[:2, 2] += shift
    return View(view.R, view.t, K, size)


def _draw_scene(motion: Motion, index: int, view: View, ghosts: int) -> np.ndarray:
    canvas = np.full((view.size[1], view.size[0], 3), PAPER, np.uint8)
    low, high = ground_area(motion, 2.0)
    centres = camera_path(motion)[:, :2]
    low, high = np.minimum(low, np.floor(centres.min(axis=0))), np.maximum(high, np.ceil(centres.max(axis=0)))
    draw_meshes(canvas, view, [_floor(low, high)])
    draw_lines(canvas, view, *grid_lines(low, high), np.array(GRID), 1.0)
    draw_paths(canvas, view, motion)
    for ghost in _ghost_frames(motion, index, ghosts):
        bodies = pose_everyone(motion, ghost)
        draw_meshes(canvas, view, [_mesh(motion, body, 0.35) for body in bodies], 0.38)
    bodies = pose_everyone(motion, index)
    for body in bodies:
        draw_shadow(canvas, view, body.vertices[motion.faces])
    _draw_bodies(canvas, view, motion, bodies)
    draw_camera(canvas, view, motion, index)
    return canvas


def _floor(low: np.ndarray, high: np.ndarray) -> Triangles:
    """The ground in metre tiles, so that only those behind the eye are left out."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1])))
    corners = [np.stack([x + dx, y + dy, 0 * x], -1) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    tiles = np.concatenate([np.stack([corners[k] for k in three], 1) for three in ((0, 1, 2), (0, 2, 3))])
    return tiles, np.full((len(tiles), 3), 278.0)


def _ghost_frames(motion: Motion, index: int, count: int) -> list[int]:
    frames = [person.frames for person in motion.people.values() if len(person.frames)]
    if not frames or count == 0:
        return []
    first, last = min(f[0] for f in frames), max(f[-1] for f in frames)
    moments = np.linspace(first, last, count).round().astype(int)
    gap = max((last - first) / (2 * count), 1)
    return [int(moment) for moment in moments if abs(moment - index) > gap]


def draw_paths(canvas: np.ndarray, view: View, motion: Motion, height: float | None = 0.0) -> None:
    """Everybody's way on the ground, coloured by time; a gap in the frames is a gap in the line."""
    colours = time_colours(len(motion.R))
    for name, person in motion.people.items():
        path = root_path(motion, name)
        if height is not None:
            path[:, 2] = height
        joined = np.flatnonzero(np.diff(person.frames) == 1)
        if len(joined):
            draw_lines(canvas, view, path[joined], path[joined + 1], colours[person.frames[joined]], 2.5)


def draw_camera(canvas: np.ndarray, view: View, motion: Motion, index: int, depth_m: float = 0.55) -> None:
    """The camera's way, coloured by time, and its frustum at one frame."""
    centres = camera_path(motion)
    draw_lines(canvas, view, centres[:-1], centres[1:], time_colours(len(centres))[:-1], 2.0)
    camera = camera_of(motion, index)
    width, height = camera.size
    pixels = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], dtype=float)
    rays = pixels @ np.linalg.inv(camera.K).T * depth_m
    corners = (rays - camera.t) @ camera.R
    centre = np.repeat(centres[index][None], 4, axis=0)
    draw_lines(canvas, view, centre, corners, np.array(CAMERA), 1.6)
    draw_lines(canvas, view, corners, np.roll(corners, -1, axis=0), np.array(CAMERA), 1.6)


def _from_above(motion: Motion, index: int, size: tuple[int, int]) -> np.ndarray:
    low, high = ground_area(motion, 1.0)
    centres = camera_path(motion)[:, :2]
    low, high = np.minimum(low, centres.min(axis=0) - 0.5), np.maximum(high, centres.max(axis=0) + 0.5)
    scale = float(min(np.array(size) / (high - low)))
    target = np.array([*(low + high) / 2, 0.0])
    view = _orthographic(target, "top", scale, size)
    canvas = np.full((size[1], size[0], 3), FLOOR, np.uint8)
    reach = np.array(size) / scale / 2
    step = 1.0 if scale > 12 else 10.0
    outer = np.floor((target[:2] - reach) / step) * step, np.ceil((target[:2] + reach) / step) * step
    draw_lines(canvas, view, *grid_lines(*outer, step), np.array(GRID), 1.0)
    draw_paths(canvas, view, motion)
    _draw_facings(canvas, view, motion)
    draw_meshes(canvas, view, [_mesh(motion, body) for body in pose_everyone(motion, index)])
    draw_camera(canvas, view, motion, index)
    for name in motion.people:
        start = view.project(root_path(motion, name)[0])
        write_words(
            canvas, name, (int(start[0]) + 6, int(start[1]) - 6), 18, person_colour(motion, name), (255, 255, 255)
        )
    write_words(canvas, f"grid {step:g} m, y up, x right", (10, size[1] - 12), 13)
    return canvas


def _draw_facings(canvas: np.ndarray, view: View, motion: Motion) -> None:
    """A short stroke forward from the pelvis, twice a second: one sees who walks backwards."""
    numerator, denominator = motion.meta["fps"]
    step = max(round(numerator / denominator / 2), 1)
    for name, person in motion.people.items():
        starts = root_path(motion, name)[::step] * [1, 1, 0]
        forward = rotation_matrices(person.poses[::step, 0].astype(float))[..., 2] * [1, 1, 0]
        if len(starts):
            draw_lines(canvas, view, starts, starts + 0.3 * forward, np.array(person_colour(motion, name)), 1.6)


def _draw_rulers(canvas: np.ndarray, view: View, target: np.ndarray, preset: Preset, extent_m: float) -> None:
    """A line a half metre up and along the ground, its places in metres."""
    axis = 1 if preset == "side" else 0
    heights = np.arange(0.5, 2.6, 0.5)
    along = np.eye(3)[axis] * extent_m
    level = target * [1, 1, 0] + heights[:, None] * [0, 0, 1]
    draw_lines(canvas, view, level - along, level + along, np.array(GRID), 1.0, 0.7)
    first = np.ceil((target[axis] - extent_m) * 2) / 2
    for place in np.arange(first, target[axis] + extent_m, 0.5):
        base = target.copy()
        base[axis], base[2] = place, 0.0
        x, y = view.project(base).round().astype(int)
        canvas[max(y, 0) : max(y + 5, 0), max(x, 0) : max(x + 1, 0)] = CAMERA
        if place % 1 == 0:
            write_words(canvas, f"{place:g}", (int(x) - 4, int(y) + 20), 11)
