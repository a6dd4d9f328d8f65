"""The camera's path through a long clip, piece by piece: bundle adjustment of all at once would need memory that grows
with the square of the clip's length, and time that grows with its cube."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ghmr_engine.camera.background import Background, straightened
from ghmr_engine.camera.odometry import CameraPath, find_path

LONGEST = 1500
"""Frames that are solved at once."""
OVERLAP = 250
"""Frames that two pieces share, by which they are put together."""
_MOVES = 0.03
"""Of the depth of what is seen: a camera that strays less where pieces meet tells no scale, the depths do."""
_VIEW = 0.6
"""Of the depth: what lies farther from the middle of the picture is hardly in view."""
_MOST_POINTS = 20_000


def find_whole_path(background: Background, focal_px: float, log_focal: float | None) -> CameraPath | None:
    """As odometry.find_path, of a clip of any length. The lens is taken from the piece in which the picture moved most.

    Pieces are put together by the frames that they share: turned and shifted onto each other, with one scale, and faded
    from one to the next. A piece in which nothing can be solved turns as the first guess did.
    """
    count = len(background.R)
    if count <= LONGEST:
        return find_path(background, focal_px, log_focal)
    spans = list(_spans(count))
    first = max(spans, key=lambda span: float(np.median(background.stray_px[span])))
    known = find_path(_piece(background, first), focal_px, log_focal)
    if known is not None:
        focal_px = known.focal_px or focal_px
        background = straightened(background, known.k1, 0.0, focal_px) if known.k1 else background
    whole, solved = None, False
    for span in spans:
        piece = _piece(background, span)
        part = replace(known, k1=0.0) if span == first and known is not None else find_path(piece, focal_px, None)
        solved = solved or part is not None
        part = part or CameraPath(piece.R, np.minimum(piece.confidence, 0.2), known=False)
        whole = part if whole is None else _joined(whole, part, span.start)
    return replace(whole, focal_px=focal_px, k1=0.0 if known is None else known.k1) if solved else None


def _spans(count: int) -> Iterator[slice]:
    """Pieces of about the same length that overlap."""
    pieces = -(-(count - OVERLAP) // (LONGEST - OVERLAP))
    starts = np.linspace(0, count - LONGEST, pieces).round().astype(int)
    return (slice(int(start), int(start) + LONGEST) for start in starts)


def _piece(background: Background, span: slice) -> Background:
    """What was seen in some frames; a point that was chosen before them has its home where it is first seen in them."""
    inside = (background.frame >= span.start) & (background.frame < span.stop)
    frame, point, px = background.frame[inside], background.point[inside], background.px[inside]
    homes, homes_px = background.home.copy(), background.home_px.copy()
    order = np.lexsort((frame, point))
    _, at = np.unique(point[order], return_index=True)
    earliest = order[at]
    moved = earliest[homes[point[earliest]] < span.start]
    homes[point[moved]], homes_px[point[moved]] = frame[moved], px[moved]
    stay = np.ones(len(frame), bool)
    stay[moved] = False
    kept = np.flatnonzero((homes >= span.start) & (homes < span.stop))
    number = np.full(len(homes), -1)
    number[kept] = np.arange(len(kept))
    stay &= number[point] >= 0
    lines = (background.line_frame >= span.start) & (background.line_frame < span.stop)
    R = background.R[span]
    return replace(
        background, R=R @ R[0].T, confidence=background.confidence[span], stray_px=background.stray_px[span],
        frame=frame[stay] - span.start, point=number[point[stay]], px=px[stay], home=homes[kept] - span.start,
        home_px=homes_px[kept], line_frame=background.line_frame[lines] - span.start,
        line_px=background.line_px[lines],
    )  # fmt: skip


def _joined(whole: CameraPath, part: CameraPath, start: int) -> CameraPath:
    """The path so far with the next piece, which begins at frame `start`."""
    shared = len(whole.R) - start
    # From the piece's world to that of the path so far: x to scale Q x + shift.
    Q = _rotation(np.einsum("tji,tjk->ik", whole.R[start:], part.R[:shared]))
    before, after = _eyes(whole), _eyes(part) @ Q.T
    scale = _scale(whole, part, start, after)
    shift = (before[start:] - scale * after[:shared]).mean(0)
    after = scale * after + shift
    fade = np.linspace(0, 1, shared)[:, None]
    eyes = np.concatenate([before[:start], (1 - fade) * before[start:] + fade * after[:shared], after[shared:]])
    turned = part.R @ Q.T
    mixed = (1 - fade[..., None]) * whole.R[start:] + fade[..., None] * turned[:shared]
    R = np.concatenate([whole.R[:start], _rotation(mixed), turned[shared:]])
    sure = np.minimum(whole.confidence[start:], part.confidence[:shared])
    shapes = [] if part.points is None else [scale * part.points @ Q.T + shift]
    shapes += [] if whole.points is None else [whole.points]
    return CameraPath(
        R=R,
        confidence=np.concatenate([whole.confidence[:start], sure, part.confidence[shared:]]),
        t=-np.einsum("tij,tj->ti", R, eyes) if whole.carried or part.carried else None,
        points=np.concatenate(shapes)[:_MOST_POINTS] if shapes else None,
        known=whole.known and part.known,
    )


def _scale(whole: CameraPath, part: CameraPath, start: int, after: np.ndarray) -> float:
    """By which a piece's lengths are multiplied. after: its eyes (N, 3), turned."""
    if whole.points is None or part.points is None or not len(whole.points) or not len(part.points):
        return 1.0
    shared = len(whole.R) - start
    depth, own_depth = _depth(whole, range(start, len(whole.R))), _depth(part, range(shared))
    if not (depth > 0 and own_depth > 0):
        return 1.0
    strays, own_strays = (eyes - eyes.mean(0) for eyes in (_eyes(whole)[start:], after[:shared]))
    far = np.sqrt((strays**2).sum(1).mean()), np.sqrt((own_strays**2).sum(1).mean())
    by_depth = depth / own_depth
    if min(far[0] / depth, far[1] / own_depth) < _MOVES:
        return by_depth
    by_path = float((strays * own_strays).sum() / (own_strays**2).sum())
    return by_path if 0.5 < by_path / by_depth < 2 else by_depth


def _depth(path: CameraPath, frames: range) -> float:
    """The middle of the depths of what is in view in some frames; 0 where nothing is."""
    R, t = path.R[frames.start : frames.stop : 10], path.t[frames.start : frames.stop : 10]
    seen = np.einsum("tij,nj->tni", R, path.points) + t[:, None]
    in_view = (seen[..., 2] > 0) & (np.abs(seen[..., :2]) < _VIEW * seen[..., 2:]).all(-1)
    return float(np.median(seen[..., 2][in_view])) if in_view.any() else 0.0


def _eyes(path: CameraPath) -> np.ndarray:
    """(T, 3) where the camera was."""
    return np.zeros((len(path.R), 3)) if path.t is None else -np.einsum("tji,tj->ti", path.R, path.t)


def _rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotations nearest to matrices (..., 3, 3)."""
    U, _, Vt = np.linalg.svd(matrices)
    flip = np.ones((*U.shape[:-2], 1, 3))
    flip[..., 0, 2] = np.linalg.det(U @ Vt)
    return (U * flip) @ Vt
