"""A person's looks: which face belongs to which cloth, where its picture lies, and a painted face."""

from __future__ import annotations

import cv2
import numpy as np

from ghmr_engine.body.skeleton import LANDMARK_NAMES

SKIN, HAIR, SHIRT, TROUSERS, SHOES = range(5)
CLOTH_M = 0.5
"""Metres that a cloth's picture covers."""
FACE_M, FACE_PX = (0.30, 0.36), (1000, 1200)
"""The face's picture: metres and pixels across and up, centred between the eyes."""
SKINS = ((222, 170, 138), (236, 196, 168), (176, 124, 92), (112, 74, 54))
REGIONS = ("skin", "hair", "shirt", "trousers", "shoes")
"""Names of the body's regions by number."""


def face_regions(colors: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) region of each face: its vertices' majority; where all three differ, the last."""
    a, b, c = colors[faces].astype(int).T
    return np.where(a == b, a, c)


def face_uv(rest: np.ndarray, faces: np.ndarray, regions: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """(F * 3, 2): cloth is projected along its thinnest direction, the painted face from the front.

    eyes: (3,) m, the middle between the eyes of the rest body.
    """
    corners = rest[faces]
    cloth = corners[..., :2] / CLOTH_M
    # Seen from the side or above, a front projection would smear.
    sideways = np.abs(_normals(corners)[:, 0]) > 0.8
    cloth[sideways] = corners[sideways][..., [2, 1]] / CLOTH_M
    painted = (corners[..., :2] - eyes[:2]) / np.array(FACE_M) + 0.5
    front = (corners[..., 2].mean(axis=1) > eyes[2] - 0.10) & (np.abs(painted.mean(axis=1) - 0.5) < 0.5).all(axis=1)
    painted[~front] = 0.01
    return np.where((regions == SKIN)[:, None, None], painted, cloth).reshape(-1, 2)


def _normals(corners: np.ndarray) -> np.ndarray:
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def middle_of_eyes(landmarks: np.ndarray) -> np.ndarray:
    """(3,) from BlazePose's landmarks (33, 3)."""
    return (_place(landmarks, "left_eye") + _place(landmarks, "right_eye")) / 2


def skin_picture(landmarks: np.ndarray, tone: tuple[float, float, float]) -> np.ndarray:
    """The face's picture, (H, W, 3) RGB: skin of this tone, with eyes, brows and lips where the rest body has them.

    landmarks (33, 3) m of the rest body.
    """
    picture = np.full((FACE_PX[1], FACE_PX[0], 3), tone, np.float32)

    def shade(red: float, green: float, blue: float) -> list[float]:
        return (np.array(tone) * [red, green, blue]).tolist()

    centre = middle_of_eyes(landmarks)

    def at(point: np.ndarray, right_mm: float = 0.0, up_mm: float = 0.0) -> tuple[int, int]:
        u, v = (point[:2] + np.array([right_mm, up_mm]) / 1000 - centre[:2]) / np.array(FACE_M) + 0.5
        return round(u * FACE_PX[0]), round((1 - v) * FACE_PX[1])

    for side, sign in (("left", 1), ("right", -1)):
        eye = _place(landmarks, f"{side}_eye")
        cv2.ellipse(picture, at(eye, 0, 1), (58, 30), 0, 0, 360, shade(0.86, 0.80, 0.80), -1, cv2.LINE_AA)
        cv2.ellipse(picture, at(eye), (46, 20), 0, 0, 360, (240, 236, 230), -1, cv2.LINE_AA)
        cv2.circle(picture, at(eye), 19, (70, 48, 34), -1, cv2.LINE_AA)
        cv2.ellipse(picture, at(eye, 0, 1), (48, 24), 0, 190, 350, (60, 40, 32), 6, cv2.LINE_AA)
        cv2.ellipse(picture, at(eye, 2 * sign, 10), (66, 26), -4 * sign, 200, 340, (70, 48, 34), 17, cv2.LINE_AA)
        cv2.circle(picture, at(_place(landmarks, "nose"), 9 * sign, -8), 13, shade(0.79, 0.68, 0.68), -1, cv2.LINE_AA)
        cheek = picture.copy()
        cv2.circle(cheek, at(eye, 14 * sign, -38), 90, shade(1.02, 0.88, 0.88), -1, cv2.LINE_AA)
        picture = 0.6 * picture + 0.4 * cheek
    left, right = _place(landmarks, "mouth_left"), _place(landmarks, "mouth_right")
    middle = (left + right) / 2
    half = round(abs(left[0] - right[0]) / 2 / FACE_M[0] * FACE_PX[0])
    cv2.ellipse(picture, at(middle), (half, 26), 0, 0, 360, shade(0.80, 0.54, 0.61), -1, cv2.LINE_AA)
    cv2.line(picture, at(left), at(right), shade(0.54, 0.35, 0.40), 5, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 3)


def _place(landmarks: np.ndarray, name: str) -> np.ndarray:
    return landmarks[LANDMARK_NAMES.index(name)]
