"""What WHAM's network is told of a person: keypoints in a crop at 30 frames a second, the first pose, the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch

from ghmr_engine.body.skeleton import COCO_FROM_LANDMARKS
from ghmr_engine.lift.network import orthonormal
from ghmr_engine.lift.predict import between
from ghmr_engine.lift.wham.network import FEATURE, FPS, KEYPOINTS, WhamInputs
from ghmr_engine.lift.wham.rollout import mirrored_rotations, to_rows
from ghmr_engine.types import CameraMotion, Track

SURE = 0.3
"""A keypoint's confidence under which it is masked."""
_ENOUGH = 6
"""Sure keypoints that make a box; other frames take their neighbours' boxes."""
_WIDER = 1.2
_MEDIAN = 15
"""Frames at FPS: the odd number nearest to half a second."""
_MIRRORED_COCO = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@dataclass(frozen=True)
class FirstPose:
    """A person in their track's first frame."""

    rotations: torch.Tensor
    """(24, 3, 3) SMPL's; the root's is body to camera."""
    joints: torch.Tensor
    """(17, 3) m, COCO's, about the place half-way between the hips, camera axes."""

    def mirrored(self) -> FirstPose:
        """As seen in a mirror that swaps left and right."""
        joints = self.joints[_MIRRORED_COCO] * torch.tensor([-1.0, 1.0, 1.0]).to(self.joints)
        return FirstPose(mirrored_rotations(self.rotations), joints)


@dataclass(frozen=True)
class Reading:
    """What WHAM takes of one track beside the track itself. N frames of the track."""

    first: FirstPose
    coco: np.ndarray | None = None
    """(N, 17, 3) px of the straightened picture, confidence; None takes them from the track's landmarks."""
    features: np.ndarray | None = None
    """(N, 1024) of the picture, by HMR2.0's ViT; None lifts from keypoints alone."""
    mirrored_features: np.ndarray | None = None
    """(N, 1024) of the mirrored picture; where they lack, the mirrored person is lifted from keypoints alone."""


@dataclass(frozen=True)
class Sight:
    """One person at FPS, without gaps: F frames from the track's first frame to its last."""

    keypoints: torch.Tensor
    """(F, 17, 2) px."""
    hidden: torch.Tensor
    """(F, 17) bool: a keypoint that is not trusted."""
    boxes: torch.Tensor
    """(F, 3) px: centre, and the side / 200."""
    R: torch.Tensor
    """(F, 3, 3) world to camera."""
    K: torch.Tensor
    """(F, 3, 3) px."""
    first: FirstPose
    features: torch.Tensor | None
    """(F, 1024)."""
    mirrored_features: torch.Tensor | None
    rows: np.ndarray
    """(N,) places of the track's own frames among the F."""

    def mirrored(self) -> Sight:
        """The same person and camera in a mirror through the picture's middle that swaps left and right."""
        sign = torch.tensor([-1.0, 1.0, 1.0]).to(self.boxes)
        middle = self.K[:, 0, 2]
        keypoints = self.keypoints[:, _MIRRORED_COCO] * sign[:2]
        keypoints[..., 0] += 2 * middle[:, None]
        boxes = self.boxes * sign
        boxes[:, 0] += 2 * middle
        return replace(
            self, keypoints=keypoints, hidden=self.hidden[:, _MIRRORED_COCO], boxes=boxes,
            R=sign[:, None] * self.R * sign, first=self.first.mirrored(), features=self.mirrored_features,
            mirrored_features=self.features,
        )  # fmt: skip


def sight_of(
    track: Track, camera: CameraMotion, reading: Reading, fps: Fraction | float, device: torch.device
) -> Sight:
    """One track at the network's rate. Keypoints are in the straightened picture; fps is the track's own rate.

    Frames that the track leaves out, or in which nobody was seen, are there but masked.
    """
    first, count = int(track.frames[0]), int(track.frames[-1] - track.frames[0]) + 1
    here = track.frames - first
    coco = track.keypoints[:, COCO_FROM_LANDMARKS] if reading.coco is None else reading.coco
    sure, found = _sure(track, coco)
    boxes = _boxes_of(track, coco, sure, found, here, count)
    whole, trust = np.zeros((count, KEYPOINTS, 2)), np.zeros((count, KEYPOINTS), bool)
    whole[here], trust[here] = coco[..., :2], sure & found[:, None]

    step = float(fps) / FPS
    at = np.arange(0, count - 1 + 1e-6, step)

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=device)

    def resampled(values: np.ndarray) -> torch.Tensor:
        return between(tensor(values), at)

    def features(values: np.ndarray | None) -> torch.Tensor | None:
        return None if values is None else resampled(_filled(values, here, count))

    keypoints, hidden = _kept_sure(whole, trust, at)
    clip = slice(first, first + count)
    return Sight(
        keypoints=tensor(keypoints), hidden=torch.as_tensor(hidden, device=device),
        boxes=tensor(_median(resampled(boxes).cpu().numpy())), R=orthonormal(resampled(camera.R[clip, :, :2])),
        K=resampled(camera.K[clip]), first=reading.first, features=features(reading.features),
        mirrored_features=features(reading.mirrored_features), rows=here / step,
    )  # fmt: skip


def crop_boxes(track: Track, fps: float) -> np.ndarray:
    """(N, 3) px: centre and side of the squares in which HMR2.0 looks at a track, as it was filmed; at its own rate."""
    coco, here = track.keypoints[:, COCO_FROM_LANDMARKS], track.frames - track.frames[0]
    boxes = _boxes_of(track, coco, *_sure(track, coco), here, int(here[-1]) + 1)
    return _median(boxes, 2 * round(fps / 4) + 1)[here] * [1, 1, 200]


def inputs_of(sight: Sight, size: tuple[int, int]) -> WhamInputs:
    """A batch of one. size: width and height of the picture, px."""
    largest, side = max(size), 200 * sight.boxes[:, 2:]
    centre = sight.boxes[:, :2]
    in_crop = 2 * (sight.keypoints - centre[:, None]) / side[:, None]
    in_picture = 2 * (centre - sight.K[:, :2, 2]) / largest
    in_crop = in_crop.masked_fill(sight.hidden[..., None], 0.0)
    x = torch.cat([in_crop.flatten(1), in_picture, side / largest], 1)
    smpl = to_rows(sight.first.rotations)
    features = torch.zeros(len(x), FEATURE).to(x) if sight.features is None else sight.features
    return WhamInputs(
        x=x[None], hidden=sight.hidden[None], init_kp=torch.cat([sight.first.joints.flatten(), x[0]])[None, None],
        init_smpl=smpl[None, None], init_root=smpl[:1][None], angular=angular_velocity(sight.R, FPS)[None],
        features=features[None],
    )  # fmt: skip


def angular_velocity(R: torch.Tensor, fps: float) -> torch.Tensor:
    """(F, 6) a second: first two rows of R_t R_{t+1}^T less the identity's; R (F, 3, 3) world to camera.

    The last frame repeats the first entry: so the published program does, and so the network was trained.
    """
    if len(R) < 2:
        return torch.zeros(len(R), 6).to(R)
    turns = R[:-1] @ R[1:].mT - torch.eye(3).to(R)
    return to_rows(torch.cat([turns, turns[:1]])) * fps


def joined(people: list[WhamInputs]) -> WhamInputs:
    """One batch of people, each a batch of one; shorter ones are filled up with their last frame."""
    longest = max(person.x.shape[1] for person in people)

    def filled(part: torch.Tensor, frames: int) -> torch.Tensor:
        if part.shape[1] != frames:
            return part
        return torch.cat([part, part[:, -1:].expand(-1, longest - frames, *part.shape[2:])], 1)

    in_time = {"x", "hidden", "angular", "features"}
    columns = {
        name: [filled(getattr(one, name), one.x.shape[1]) if name in in_time else getattr(one, name) for one in people]
        for name in WhamInputs._fields
    }
    return WhamInputs(**{name: torch.cat(parts) for name, parts in columns.items()})


def _sure(track: Track, coco: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (N, 17) that are trusted, and frames (N,) in which there are enough of them."""
    sure = (coco[..., 2] > SURE) & track.seen[:, None]
    return sure, sure.sum(1) >= _ENOUGH


def _boxes_of(
    track: Track, coco: np.ndarray, sure: np.ndarray, found: np.ndarray, here: np.ndarray, count: int
) -> np.ndarray:
    """(count, 3) centre and side / 200, px, in all frames from the track's first on, of which it has `here`."""
    boxes = _boxes(coco[..., :2], sure) if found.any() else _given_boxes(track.boxes)
    trusted = found if found.any() else np.ones(len(found), bool)
    return _filled(boxes[trusted], here[trusted], count)


def _boxes(keypoints: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """(N, 3) centre and side / 200 of the sure keypoints' box, px; nan where there is none."""
    masked = np.where(sure[..., None], keypoints, np.nan)
    masked[~sure.any(1)] = 0.0
    return _given_boxes(np.concatenate([np.nanmin(masked, 1), np.nanmax(masked, 1)], 1))


def _given_boxes(corners: np.ndarray) -> np.ndarray:
    """(N, 3) centre and side / 200 of x0, y0, x1, y1 (N, 4) px."""
    low, high = corners[:, :2], corners[:, 2:]
    # A person seen end on may be a point: a side of a pixel keeps the crop finite.
    side = np.maximum((high - low).max(1, keepdims=True), 1.0)
    return np.concatenate([(low + high) / 2, _WIDER * side / 200], 1)


def _filled(values: np.ndarray, here: np.ndarray, count: int) -> np.ndarray:
    """Values (M, C) at frames `here` (M,), in all of `count` frames: linearly between, at the ends the nearest."""
    frames = np.arange(count)
    if len(here) == count:
        return values
    after = np.searchsorted(here, frames).clip(1, max(len(here) - 1, 1))
    before, after = after - 1, after.clip(max=len(here) - 1)
    share = (frames - here[before]) / np.maximum(here[after] - here[before], 1)
    return values[before] + share.clip(0, 1)[:, None] * (values[after] - values[before])


def _median(values: np.ndarray, over: int = _MEDIAN) -> np.ndarray:
    """(F, C) over an odd number of frames; beyond the ends as at the ends (the published filter takes zeros there)."""
    padded = np.pad(values, ((over // 2, over // 2), (0, 0)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, over, 0), -1)


def _kept_sure(keypoints: np.ndarray, sure: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (F, 17, 2) and which are hidden (F, 17), at places between frames: linearly between sure ones.

    A keypoint is hidden where it is so in the nearest frame; an unsure neighbour does not pull a sure one.
    """
    before = np.minimum(at.astype(int), len(keypoints) - 1)
    after = np.minimum(before + 1, len(keypoints) - 1)
    share = (at - before)[:, None]
    early, late = (1 - share) * sure[before], share * sure[after]
    weight = np.maximum(early + late, 1e-9)
    mean = (early[..., None] * keypoints[before] + late[..., None] * keypoints[after]) / weight[..., None]
    return mean, ~sure[np.where(share[:, 0] < 0.5, before, after)]
