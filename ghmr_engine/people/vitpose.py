"""ViTPose (Xu et al. 2022) from a user's checkpoint, run by `transformers`: 17 COCO keypoints of tracked people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from ghmr_engine.body.skeleton import COCO_FROM_LANDMARKS
from ghmr_engine.checkpoints import State, load_strictly
from ghmr_engine.crops import carry, cut_tracks
from ghmr_engine.errors import RecoverError
from ghmr_engine.places import engine_python
from ghmr_engine.progress import Report
from ghmr_engine.types import Track
from ghmr_engine.video import Video

PACKAGE = "transformers~=5.23.0"
SURE = 0.3
"""Confidence from which a keypoint replaces BlazePose's: the one that WHAM's authors trust."""
KEYPOINTS = 17
"""COCO's: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right."""
WIDTH, HEIGHT = 192, 256
"""Pixels of a crop."""
_HEADS = {384: 12, 768: 12, 1024: 16, 1280: 16}
"""Attention heads of the published widths (S, B, L, H): the one number that no tensor's shape tells."""
_MARGIN = 1.25
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of RGB from 0 to 1
_AT_ONCE = 32
"""Crops of a batch: memory does not grow with the clip."""
_SIGMA, _REACH = 2.0, 5
"""Heat map's pixels: the deviation of the peaks that the network was trained on, and the blur's radius."""
_FLOOR = 1e-3  # of a heat map: its logarithm is not asked where there is nothing


def load_vitpose(state: State, device: torch.device | str) -> torch.nn.Module:
    """The network of a checkpoint in the naming of `transformers` (checkpoints.read_state), to be used.

    Raises RecoverError no_transformers where that is not installed, bad_checkpoint where the file does not fit.
    """
    try:
        from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation
    except ImportError as error:
        raise RecoverError(
            "no_transformers",
            f"ViTPose is switched on, but transformers is not installed ({error}).",
            f"Run `{engine_python()} -m pip install {PACKAGE}`, or `ghmr models off vitpose`.",
        ) from error
    size = _size(state)
    backbone = VitPoseBackboneConfig(
        **size, image_size=(HEIGHT, WIDTH), patch_size=(16, 16), out_indices=[size["num_hidden_layers"]]
    )
    config = VitPoseConfig(
        backbone_config=backbone, num_labels=KEYPOINTS, use_simple_decoder="head.deconv1.weight" not in state
    )
    with torch.device("meta"):  # random numbers that would be overwritten are never drawn
        network = VitPoseForPoseEstimation(config)
    network = network.to_empty(device=device)
    load_strictly(network, state, "ViTPose")
    return network.eval().requires_grad_(False)


def find_keypoints(video: Video, tracks: Sequence[Track], network: torch.nn.Module, report: Report) -> list[np.ndarray]:
    """Of each track (N, 17, 3): x, y in the clip's pixels, confidence 0 to 1. Reads the clip once.

    Runs on the network's device, in half precision on CUDA. Raises what `report` and the video raise.
    """
    found = [np.zeros((len(track.frames), KEYPOINTS, 3)) for track in tracks]
    affines = [np.stack([crop_of(box) for box in track.boxes]) for track in tracks]
    for places, crops in cut_tracks(video, tracks, affines, (WIDTH, HEIGHT), _AT_ONCE, report):
        looked = look_at(crops, np.stack([affines[track][row] for track, row in places]), network)
        for (track, row), points in zip(places, looked, strict=True):
            found[track][row] = points
    return found


def taken_over(track: Track, coco: np.ndarray) -> Track:
    """The track with ViTPose's keypoints (N, 17, 3) in place of the landmarks that they name, where it is sure of them.

    Where it is not, the landmark stays, and counts no more than ViTPose trusts it.
    """
    keypoints = track.keypoints.copy()
    named = keypoints[:, COCO_FROM_LANDMARKS]
    sure = (coco[..., 2:] > SURE) & track.seen[:, None, None]
    named[..., 2] = np.where(track.seen[:, None], np.minimum(named[..., 2], coco[..., 2]), named[..., 2])
    keypoints[:, COCO_FROM_LANDMARKS] = np.where(sure, coco, named)
    points = keypoints[..., :2]
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    offsets = track.offsets.copy()
    offsets[list(COCO_FROM_LANDMARKS)] = 0  # COCO's points are taken for the body's own
    return replace(track, keypoints=keypoints, boxes=boxes, offsets=offsets)


def crop_of(box: np.ndarray) -> np.ndarray:
    """(2, 3) from the pixels of a crop to the picture's: a box (4,) in the crop's form, a quarter larger.

    Pixel centres are whole numbers in both: k goes to (k + 0.5) s - 0.5 from the crop's corner.
    """
    corner, opposite = box[:2], box[2:]
    width, height = np.maximum(opposite - corner, 1.0)
    scale = _MARGIN * max(width / WIDTH, height / HEIGHT)
    middle = np.array([WIDTH - 1, HEIGHT - 1]) / 2
    centre = (corner + opposite) / 2
    return np.concatenate([np.eye(2) * scale, (centre - scale * middle)[:, None]], 1)


@torch.inference_mode()
def look_at(crops: np.ndarray, affines: np.ndarray, network: torch.nn.Module) -> np.ndarray:
    """(N, 17, 3) picture px, px, confidence, of crops (N, 256, 192, 3) uint8 RGB that affines (N, 2, 3) place."""
    device = next(network.parameters()).device
    mean, deviation = torch.tensor(_MEAN, device=device), torch.tensor(_DEVIATION, device=device)
    pixels = ((torch.as_tensor(crops, device=device).float() / 255 - mean) / deviation).permute(0, 3, 1, 2)
    # The networks that were trained on many sets of pictures are told which: the first is COCO.
    first = torch.zeros(len(crops), dtype=torch.long, device=device)
    with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
        heat = network(pixels, dataset_index=first).heatmaps
    points = peaks(heat.float()).cpu().numpy()
    placed = [carry(affine, each[:, :2]) for affine, each in zip(affines, points, strict=True)]
    return np.concatenate([np.stack(placed), points[..., 2:]], -1)


def peaks(heat: torch.Tensor) -> torch.Tensor:
    """(N, 17, 3) px of the crop, px, height 0 to 1, of heat maps (N, 17, h, w).

    Between the pixels by the top of the parabola through the blurred map's logarithm (Zhang et al. 2020, DARK). These
    networks are trained with heat maps laid over the crop from first pixel to first and last to last (Huang et al.
    2020, UDP), unlike a resized picture.
    """
    count, joints, height, width = heat.shape
    confidence, top = heat.flatten(2).max(-1)
    x, y = top % width, top // width
    blurred = F.pad(_blurred(heat).clamp(min=_FLOOR).log().flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")
    rows = torch.arange(count * joints, device=heat.device)

    def at(right: int, down: int) -> torch.Tensor:
        return blurred[rows, 0, y.flatten() + 1 + down, x.flatten() + 1 + right]

    slope = torch.stack([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)], -1) / 2
    xx, yy = at(1, 0) - 2 * at(0, 0) + at(-1, 0), at(0, 1) - 2 * at(0, 0) + at(0, -1)
    xy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    area = xx * yy - xy * xy
    is_top = (xx < 0) & (area > 1e-9)
    step = torch.stack([xy * slope[:, 1] - yy * slope[:, 0], xy * slope[:, 0] - xx * slope[:, 1]], -1)
    step = torch.where(is_top[:, None], step / area.clamp(min=1e-9)[:, None], 0.0).clamp(-1, 1)
    places = torch.stack([x, y], -1) + step.reshape(count, joints, 2)
    whole = torch.tensor([(WIDTH - 1) / (width - 1), (HEIGHT - 1) / (height - 1)], device=heat.device)
    return torch.cat([places * whole, confidence.clamp(0, 1)[..., None]], -1)


def _blurred(heat: torch.Tensor) -> torch.Tensor:
    """Heat maps (N, J, h, w) under a Gaussian as wide as their peaks."""
    place = torch.arange(-_REACH, _REACH + 1, device=heat.device, dtype=heat.dtype)
    kernel = torch.exp(-0.5 * (place / _SIGMA).square())
    kernel = (kernel / kernel.sum())[None, None]
    flat = heat.flatten(0, 1)[:, None]
    flat = F.conv2d(flat, kernel[..., None], padding=(_REACH, 0))
    return F.conv2d(flat, kernel[..., None, :], padding=(0, _REACH)).reshape(heat.shape)


def _size(state: State) -> dict[str, Any]:
    """The backbone's numbers, as `transformers` names them, from the checkpoint's shapes. Raises RecoverError."""
    try:
        width = state["backbone.embeddings.position_embeddings"].shape[-1]
        hidden, narrowed = (state[f"backbone.encoder.layer.0.mlp.fc{part}.weight"].shape[0] for part in (1, 2))
        points = state["head.conv.weight"].shape[0]
    except KeyError as error:
        raise _misfit(f"lacks {error.args[0]}") from None
    if width not in _HEADS:
        raise _misfit(f"is {width} numbers wide, which is none of ViTPose's sizes")
    if points != KEYPOINTS:
        raise _misfit(f"finds {points} keypoints, not COCO's {KEYPOINTS}")
    layers = {key.split(".")[3] for key in state if key.startswith("backbone.encoder.layer.")}
    experts = [key for key in state if key.startswith("backbone.encoder.layer.0.mlp.experts.") and key.endswith("bias")]
    return {
        "hidden_size": width, "num_hidden_layers": len(layers), "num_attention_heads": _HEADS[width],
        "mlp_ratio": hidden // width, "num_experts": len(experts) or 1, "part_features": width - narrowed,
    }  # fmt: skip


def _misfit(what: str) -> RecoverError:
    return RecoverError(
        "bad_checkpoint", f"The checkpoint of ViTPose {what}.", "Get the published file anew (docs/models.md)."
    )
