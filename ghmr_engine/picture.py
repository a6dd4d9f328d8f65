"""Pictures of a result: the bodies over the video beside the same moment in 3D, and contact sheets of many moments.

python -m ghmr_engine.picture MOTION CLIP OUT.png [--sheet N] [--camera N] [--frame K]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from ghmr_engine.camera_sheet import camera_sheet
from ghmr_engine.errors import RecoverError
from ghmr_engine.geometry import straighten
from ghmr_engine.motion_file import Motion, MotionFileError, read_motion
from ghmr_engine.options import options_from
from ghmr_engine.part_files import written_whole
from ghmr_engine.posed import PosedBody, pose_everyone
from ghmr_engine.raster import View, words_width, write_words
from ghmr_engine.scene_views import (
    LEFT_CONTACT,
    PAPER,
    RIGHT_CONTACT,
    camera_of,
    close_view,
    overlay,
    overlay_through,
    people_extent,
    person_colour,
    view_from,
)
from ghmr_engine.video import open_video

__all__ = ["overlay", "picture", "sheet", "view_from", "write_camera_sheet", "write_picture", "write_sheet"]

WIDTH = 1600
MARGIN = 24
INK, PALE_INK = (38, 42, 48), (120, 126, 135)
CELL = (300, 340)


def write_picture(motion_path: Path, video_path: Path, out_png: Path, frame: int | None = None) -> None:
    """One picture, 1600 px wide: overlay on the left, the same moment in 3D on the right.

    frame: which frame of the motion file; none: the one that shows the most people, nearest the middle.
    Raises RecoverError and MotionFileError.
    """
    motion = read_motion(motion_path)
    index = telling_frame(motion) if frame is None else _checked(frame, motion)
    image = grab_frames(video_path, motion, [index])[index]
    save_picture(out_png, picture(image, motion, index))


def write_sheet(motion_path: Path, video_path: Path, out_png: Path, count: int = 8) -> None:
    """A contact sheet: moments from left to right; overlay, side view, front view; below, all paths from above and 3D.

    Raises RecoverError and MotionFileError.
    """
    motion = read_motion(motion_path)
    moments = spread_moments(motion, count)
    save_picture(out_png, sheet(grab_frames(video_path, motion, moments), motion, moments))


def write_camera_sheet(motion_path: Path, video_path: Path, out_png: Path, count: int = 9) -> None:
    """A contact sheet of whole frames, evenly over the clip, with the ground's grid and the world's axes over them.

    Raises RecoverError and MotionFileError.
    """
    motion = read_motion(motion_path)
    moments = np.linspace(0, len(motion.R) - 1, min(count, len(motion.R))).round().astype(int).tolist()
    save_picture(out_png, camera_sheet(grab_frames(video_path, motion, moments), motion))


def picture(frame_rgb: np.ndarray, motion: Motion, index: int) -> np.ndarray:
    """What write_picture writes, (H, 1600, 3), from the video's frame (h, w, 3)."""
    height, width = frame_rgb.shape[:2]
    panel_height = min(round((WIDTH - 3 * MARGIN) / 2 * max(height / width, 0.62)), 900)
    left_width = min(round(panel_height * width / height), round((WIDTH - 3 * MARGIN) * 0.56))
    left_height = round(left_width * height / width)
    right = (WIDTH - 3 * MARGIN - left_width, max(left_height, panel_height))
    camera = camera_of(motion, index)
    scale = left_width / width
    view = camera.cropped(0.0, 0.0, scale, (left_width, left_height))
    small = cv2.resize(frame_rgb, view.size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    over = overlay_through(small, view, motion, index, 0.82)
    scene = view_from(motion, index, "corner", right, ghosts=5)
    top, foot = 58, 62
    canvas = np.full((top + right[1] + foot, WIDTH, 3), PAPER, np.uint8)
    place = top + (right[1] - left_height) // 2
    canvas[place : place + left_height, MARGIN : MARGIN + left_width] = over
    canvas[top : top + right[1], 2 * MARGIN + left_width : WIDTH - MARGIN] = scene
    cv2.rectangle(canvas, (2 * MARGIN + left_width, top), (WIDTH - MARGIN - 1, top + right[1] - 1), (214, 218, 224), 1)
    _picture_words(canvas, motion, index, (MARGIN, place - 14), (2 * MARGIN + left_width, top - 14))
    return canvas


def sheet(frames_rgb: dict[int, np.ndarray], motion: Motion, moments: list[int]) -> np.ndarray:
    """What write_sheet writes, from the video's frames by index."""
    extent = min(people_extent(motion, moments), 8.0)
    columns = [_column(frames_rgb[index], motion, index, extent) for index in moments]
    body = np.concatenate(columns, axis=1)
    # Fewer than three moments are too narrow for the two pictures below.
    width = max(body.shape[1], 900)
    body = np.pad(body, ((0, 0), (0, width - body.shape[1]), (0, 0)), constant_values=250)
    middle = moments[len(moments) // 2]
    above = view_from(motion, middle, "top", (width // 2 - 4, 560))
    corner = view_from(motion, middle, "corner", (width - width // 2 - 4, 560), ghosts=4)
    gap = np.full((560, 8, 3), 255, np.uint8)
    head = np.full((40, width, 3), PAPER, np.uint8)
    write_words(head, f"{motion.meta['video']['name']}   {_quality(motion)}", (10, 26), 17, INK)
    return np.concatenate([head, body, np.concatenate([above, gap, corner], axis=1)])


def grab_frames(video_path: Path, motion: Motion, indices: list[int]) -> dict[int, np.ndarray]:
    """The video's frames (H, W, 3) RGB at these frames of the motion file, decoded as the recovery decoded them and
    straightened."""
    wanted = set(indices)
    video = open_video(video_path, options_from(motion.meta["options"]))
    found: dict[int, np.ndarray] = {}
    for index, image in enumerate(video.frames()):
        if index in wanted:
            found[index] = straighten(np.asarray(image), motion.K[index], motion.distortion)
        if len(found) == len(wanted):
            break
    if len(found) < len(wanted):
        raise RecoverError("wrong_clip", f"{video_path.name} ends before frame {max(wanted)}.",
                           "Give the clip that the motion file was recovered from.")  # fmt: skip
    return found


def spread_moments(motion: Motion, count: int) -> list[int]:
    """Up to `count` frames, evenly among those in which anybody is there."""
    frames = [person.frames for person in motion.people.values()]
    there = np.unique(np.concatenate(frames)) if frames else np.arange(len(motion.R))
    chosen = np.linspace(0, len(there) - 1, min(count, len(there))).round().astype(int)
    return [int(index) for index in there[chosen]]


def telling_frame(motion: Motion) -> int:
    """The frame that shows the most people, nearest the middle of those that do."""
    frames = np.arange(len(motion.R))
    heads = np.zeros(len(frames))
    for person in motion.people.values():
        heads[person.frames] += 1
    best = frames[heads == heads.max()]
    return int(best[np.abs(best - best.mean()).argmin()])


def save_picture(path: Path, rgb: np.ndarray) -> None:
    """Write a PNG; RecoverError where it cannot be written."""
    done, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    try:
        if not done:
            raise OSError(0, "the picture could not be encoded")
        with written_whole(path) as part:
            part.write_bytes(data.tobytes())
    except OSError as error:
        raise RecoverError("cannot_write", f"Cannot write {path}: {error.strerror}.",
                           "Choose a folder that can be written and has free space.") from error  # fmt: skip


def _column(frame_rgb: np.ndarray, motion: Motion, index: int, extent: float) -> np.ndarray:
    view, part = _crop(frame_rgb, motion, index)
    over = overlay_through(part, view, motion, index, 0.7)
    first = int(motion.meta["video"].get("start", 0))
    write_words(over, f"frame {index + first}", (8, 22), 16, (255, 255, 255), (20, 22, 26))
    size = (CELL[0], 300)
    parts = [over, close_view(motion, index, "side", size, extent), close_view(motion, index, "front", size, extent)]
    for words, part in zip(("side (y, m)", "front (x, m)"), parts[1:], strict=True):
        write_words(part, words, (8, 20), 13, PALE_INK)
    column = np.concatenate(parts)
    column[:, -1] = 255
    return column


def _crop(frame_rgb: np.ndarray, motion: Motion, index: int) -> tuple[View, np.ndarray]:
    """The part of the frame that holds the people, as a view and its picture, in a cell's shape."""
    height, width = frame_rgb.shape[:2]
    view = camera_of(motion, index)
    box = _people_box(view, pose_everyone(motion, index))
    middle, side = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * 1.35
    scale = min(CELL[0] / max(side[0], 40), CELL[1] / max(side[1], 40))
    scale = float(np.clip(scale, min(CELL[0] / width, CELL[1] / height), 4))
    corner = middle - np.array(CELL) / scale / 2 + 0.5
    # (k + 0.5) / scale - 0.5 of each pixel of the cell, in the frame.
    warp = np.array([[1 / scale, 0, corner[0] + 0.5 / scale - 0.5], [0, 1 / scale, corner[1] + 0.5 / scale - 0.5]])
    # A warp takes single pixels: what is made smaller is smoothed first.
    smooth = cv2.GaussianBlur(frame_rgb, (0, 0), 0.45 / scale) if scale < 0.8 else frame_rgb
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(smooth, warp, CELL, flags=flags, borderValue=(60, 62, 66))
    return view.cropped(*corner, scale, CELL), part


def _people_box(view: View, bodies: list[PosedBody]) -> np.ndarray:
    """x0, y0, x1, y1 px around everybody, kept within the picture; the whole picture where nobody is in it."""
    whole = np.array([0, 0, *view.size], dtype=float)
    cams = [view.camera_points(body.joints) for body in bodies]
    pixels = [view.pixels(cam[cam[:, 2] > 0.1]) for cam in cams if (cam[:, 2] > 0.1).any()]
    if not pixels:
        return whole
    points = np.concatenate(pixels)
    low, high = np.maximum(points.min(axis=0), 0), np.minimum(points.max(axis=0), whole[2:])
    return np.concatenate([low, high]) if (high - low > 4).all() else whole


def _picture_words(
    canvas: np.ndarray, motion: Motion, index: int, left: tuple[int, int], right: tuple[int, int]
) -> None:
    first = int(motion.meta["video"].get("start", 0))
    numerator, denominator = motion.meta["fps"]
    seconds = (index + first) * denominator / numerator
    write_words(canvas, f"{motion.meta['video']['name']}, frame {index + first}, {seconds:.2f} s", left, 20, INK)
    write_words(canvas, "the same moment in the world (metres)", right, 20, INK)
    base, x = canvas.shape[0] - 24, MARGIN
    for name in motion.people:
        cv2.circle(canvas, (x + 8, base - 6), 8, person_colour(motion, name), -1, cv2.LINE_AA)
        write_words(canvas, f"person {name}", (x + 24, base), 16, INK)
        x += 24 + words_width(f"person {name}", 16) + 26
    for words, colour in (("left sole on the ground", LEFT_CONTACT), ("right", RIGHT_CONTACT)):
        cv2.circle(canvas, (x + 6, base - 6), 5, colour, -1, cv2.LINE_AA)
        write_words(canvas, words, (x + 18, base), 16, PALE_INK)
        x += 18 + words_width(words, 16) + 22
    words = _quality(motion)
    write_words(canvas, words, (max(canvas.shape[1] - MARGIN - words_width(words, 14), x), base), 14, PALE_INK)


def _quality(motion: Motion) -> str:
    """The file's own figures, short: reprojection and sliding of each person."""
    parts = []
    for name, figures in motion.meta.get("quality", {}).items():
        values = [
            f"{figures[key]:.1f} {unit}"
            for key, unit in (("reprojection_px", "px reprojection"), ("sliding_mm", "mm sliding a frame"))
            if isinstance(figures.get(key), int | float)
        ]
        parts.append(f"{name}: " + ", ".join(values))
    return "   ".join(parts[:3])


def _checked(frame: int, motion: Motion) -> int:
    if not 0 <= frame < len(motion.R):
        raise RecoverError("bad_frame", f"There is no frame {frame} in the motion file.",
                           f"Choose from 0 to {len(motion.R) - 1}.")  # fmt: skip
    return frame


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ghmr_engine.picture", description="Picture of a motion file.")
    parser.add_argument("motion", type=Path, help="a .motion.npz")
    parser.add_argument("clip", type=Path, help="the video it was recovered from")
    parser.add_argument("out", type=Path, help="the PNG to write")
    parser.add_argument("--sheet", type=int, metavar="N", help="a contact sheet of N moments")
    parser.add_argument("--camera", type=int, metavar="N", help="N whole frames with the ground's grid and the axes")
    parser.add_argument("--frame", type=int, metavar="K", help="which frame of the motion file, from 0")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.sheet:
            write_sheet(chosen.motion, chosen.clip, chosen.out, chosen.sheet)
        elif chosen.camera:
            write_camera_sheet(chosen.motion, chosen.clip, chosen.out, chosen.camera)
        else:
            write_picture(chosen.motion, chosen.clip, chosen.out, chosen.frame)
    except (RecoverError, MotionFileError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
