"""Windows to train on, a whole batch at once: what the network sees of a person, and what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from ghmr_engine.body.skeleton import JOINT_NAMES, LANDMARK_NAMES, mirror_order
from ghmr_engine.body.smpl import Body
from ghmr_engine.lift.features import Sights, look_at
from ghmr_engine.lift.network import FPS as NET_FPS
from ghmr_engine.lift.network import orthonormal
from ghmr_engine.train import cameras
from ghmr_engine.train.corpus import FPS, Corpus
from ghmr_engine.train.noise import Noise, errors

FRAMES = 96
_SPEED = 1.5
"""A motion is played at most so many times faster or slower."""
_SHAPE, _SHAPE_MOST = 1.0, 2.5
_MIXED = 0.25
"""Share of windows whose upper bodies come from another recording."""
_BRIDGED = 0.3
"""Share of windows with a stretch in which nobody was found."""
_FOCAL = 0.06
"""Deviation of the focal length's logarithm that the engine believes in."""
_LOWER = ("pelvis", "hip", "knee", "ankle", "foot")
_UPPER = [place for place, name in enumerate(JOINT_NAMES) if not name.endswith(_LOWER)]
_MIRROR_JOINTS, _MIRROR_LANDMARKS = list(mirror_order(JOINT_NAMES)), list(mirror_order(LANDMARK_NAMES))
_HIPS = [LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip")]


class Truth(NamedTuple):
    """What is true of B windows of F frames, in each frame's own camera (OpenCV)."""

    rotations: torch.Tensor
    """(B, F, 24, 3, 3) of SMPL's joints; the root's is body to camera."""
    pelvis: torch.Tensor
    """(B, F, 3) m."""
    up: torch.Tensor
    """(B, F, 3) unit."""
    velocity: torch.Tensor
    """(B, F, 3) m/s of the pelvis through the world, along the root's own axes."""
    contacts: torch.Tensor
    """(B, F, 4) 0 or 1."""
    betas: torch.Tensor
    """(B, 10)."""


@dataclass(frozen=True)
class Source:
    """Everything that windows are made of."""

    corpus: Corpus
    body: Body
    noise: Noise
    filmed: list[tuple[Sights, Truth]]
    """Rendered clips as the detector saw them, each a batch of one."""


def batch(source: Source, count: int, filmed: int, chance: torch.Generator) -> tuple[Sights, Truth]:
    """`count` windows with made-up cameras and errors, and `filmed` from rendered clips with the detector's own."""
    made = [_made(source, count, chance)]
    made += [_cut(*source.filmed[_draw(len(source.filmed), chance)], chance) for _ in range(filmed)]
    seen, true = (type(parts[0])(*map(torch.cat, zip(*parts, strict=True))) for parts in zip(*made, strict=True))
    flip = torch.rand(len(true.betas), generator=chance) < 0.5
    return _chosen(flip, _mirrored(seen, true), (seen, true))


def _draw(count: int, chance: torch.Generator) -> int:
    return int(torch.randint(count, (1,), generator=chance))


def _made(source: Source, count: int, chance: torch.Generator) -> tuple[Sights, Truth]:
    corpus, body = source.corpus, source.body
    rotations, pelvis, contacts, there = motions(corpus, count, FRAMES, _SPEED, chance)
    betas = shapes(count, chance)
    pelvis = pelvis * relative_height(body, betas)[:, None, None]
    R, t, half = cameras.film(pelvis, chance)
    each = betas[:, None].expand(-1, FRAMES, -1).flatten(0, 1)
    transl = pelvis.flatten(0, 1) - body.rest_joints(each)[:, 0]
    landmarks = body.forward(rotations.flatten(0, 1), transl, each).landmarks.unflatten(0, (count, FRAMES))
    in_camera = landmarks @ R.transpose(-1, -2) + t[:, :, None]
    seen, close = _sighted(in_camera, R, half, there, source.noise, chance)
    true = true_of(rotations, pelvis, contacts, betas, R, t)
    return _misjudged_focal(seen._replace(there=there & ~close), true, chance)


def true_of(
    rotations: torch.Tensor, pelvis: torch.Tensor, contacts: torch.Tensor, betas: torch.Tensor, R: torch.Tensor,
    t: torch.Tensor,
) -> Truth:  # fmt: skip
    """The truth of motions in the world (z up), filmed by R (B, F, 3, 3), t (B, F, 3), world to camera."""
    velocity = torch.gradient(pelvis, dim=1)[0] * NET_FPS
    root = rotations[:, :, 0]
    return Truth(
        rotations=torch.cat([(R @ root)[:, :, None], rotations[:, :, 1:]], 2),
        pelvis=(R @ pelvis[..., None])[..., 0] + t, up=R[..., 2],
        velocity=(root.transpose(-1, -2) @ velocity[..., None])[..., 0], contacts=contacts, betas=betas,
    )  # fmt: skip


def shapes(count: int, chance: torch.Generator) -> torch.Tensor:
    """(count, 10) betas as people have them."""
    return (torch.randn(count, 10, generator=chance) * _SHAPE).clamp(-_SHAPE_MOST, _SHAPE_MOST)


def motions(
    corpus: Corpus, count: int, frames: int, fastest: float, chance: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Parts of recordings at 30 frames a second, at drawn headings and speeds, up to `fastest` times faster or slower.

    Rotations (B, F, 24, 3, 3), pelvis (B, F, 3) m, contacts (B, F, 4), and which frames there are (B, F).
    """
    length = (corpus.ends - corpus.starts).float()
    # A long recording shows more of the same: its share grows slower than its length.
    piece = torch.multinomial(length**0.7, count, replacement=True, generator=chance)
    speed = fastest ** (2 * torch.rand(count, generator=chance) - 1) * FPS / NET_FPS
    room = length[piece] - 1 - frames * speed
    late = torch.rand(count, generator=chance)
    start = torch.where(room > 0, room * late, room * late * 0.7)  # a short recording begins or ends in the window
    at = start[:, None] + torch.arange(frames) * speed[:, None]
    there = (at >= 0) & (at <= length[piece, None] - 1)
    at = at.clamp(min=0).minimum(length[piece, None] - 1.001) + corpus.starts[piece, None]
    rotations, pelvis, contacts = _between(corpus, at)
    other = torch.randperm(count, generator=chance)
    mixed = (torch.rand(count, generator=chance) < _MIXED)[:, None, None, None]
    rotations[:, :, _UPPER] = torch.where(mixed[..., None], rotations[other][:, :, _UPPER], rotations[:, :, _UPPER])
    heading = 2 * torch.pi * torch.rand(count, generator=chance)
    turn = cameras.about_z(heading)[:, None]
    rotations = torch.cat([turn[:, :, None] @ rotations[:, :, :1], rotations[:, :, 1:]], 2)
    pelvis = ((pelvis - pelvis[:, :1] * pelvis.new_tensor([1.0, 1, 0]))[:, :, None] @ turn.transpose(-1, -2))[:, :, 0]
    return rotations, pelvis, contacts, there


def _between(corpus: Corpus, at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The corpus at places (B, F) between its frames: rotations along the chord, which at 60 a second is the arc."""
    before = at.long()
    share = (at - before)[..., None]
    a, b = corpus.rotations[before], corpus.rotations[before + 1]
    rotations = orthonormal(torch.lerp(a[..., :2], b[..., :2], share[..., None, None]))
    pelvis = torch.lerp(corpus.pelvis[before], corpus.pelvis[before + 1], share)
    return rotations, pelvis, corpus.contacts[(before + (share[..., 0] > 0.5))]


def relative_height(body: Body, betas: torch.Tensor) -> torch.Tensor:
    """(B,) how much higher the pelvis stands over the soles than the mean body's: paths grow with the legs."""

    def stands(betas: torch.Tensor) -> torch.Tensor:
        count = len(betas)
        rest = body.rest_joints(betas)
        rotations = torch.eye(3).expand(count, 24, 3, 3)
        soles = body.forward(rotations, torch.zeros(count, 3), betas).contacts[..., 1].mean(1)
        return rest[:, 0, 1] - soles

    return stands(betas) / stands(torch.zeros(1, 10))


def _sighted(
    in_camera: torch.Tensor, R: torch.Tensor, half: torch.Tensor, there: torch.Tensor, noise: Noise,
    chance: torch.Generator,
) -> tuple[Sights, torch.Tensor]:  # fmt: skip
    """What the detector would see of landmarks (B, F, 33, 3) m, and frames (B, F) in which somebody is too near.

    half (B, 2): the picture's edges, as x and y over depth.
    """
    depth = in_camera[..., 2]
    rays = in_camera[..., :2] / depth[..., None].clamp(min=0.2)
    low, high = rays.amin(2), rays.amax(2)
    size = (high - low).amax(-1)
    turn = look_at((low + high) / 2)
    straight = in_camera @ turn
    about = straight - straight[:, :, _HIPS].mean(2, keepdim=True)
    outside = (rays.abs() > half[:, None, None]).any(-1)
    off_px, off_m, visible = errors(noise, about, outside | _covered(rays, low, size, chance), chance)
    flat = straight[..., :2] / straight[..., 2:].clamp(min=0.2) + off_px * size[..., None, None]
    back = torch.cat([flat, torch.ones_like(flat[..., :1])], -1) @ turn.transpose(-1, -2)
    found = back[..., :2] / back[..., 2:].clamp(min=0.1)
    visible = visible * (found.abs() < half[:, None, None]).all(-1)
    seen = Sights(found, visible, about + off_m, cameras.misjudged(R, chance), there)
    seen = _bridged(_sides_mistaken(seen, noise, chance), chance)
    too_near = (depth < 0.3).any(-1) | (outside.float().mean(-1) > 0.6)
    return seen, too_near


def _sides_mistaken(seen: Sights, noise: Noise, chance: torch.Generator) -> Sights:
    """Left for right and right for left in runs of frames, as often and as long as was measured."""
    share, long = noise.swapped
    starts = (torch.rand(seen.there.shape, generator=chance) < share / long).float()[:, None]
    reach = max(round(float(long)), 1)
    runs = torch.nn.functional.max_pool1d(torch.nn.functional.pad(starts, (reach - 1, 0)), reach, 1)[:, 0] > 0
    turned = (part[:, :, _MIRROR_LANDMARKS] for part in (seen.rays, seen.visible, seen.landmarks))
    rays, visible, landmarks = (
        torch.where(runs.reshape(*runs.shape, *(1,) * (part.ndim - 2)), other, part)
        for other, part in zip(turned, (seen.rays, seen.visible, seen.landmarks), strict=True)
    )
    return seen._replace(rays=rays, visible=visible, landmarks=landmarks)


def _bridged(seen: Sights, chance: torch.Generator) -> Sights:
    """In some windows nobody is found for a while: there the engine draws straight lines from before to after."""
    count, frames = seen.there.shape
    long = 1 + (torch.rand(count, generator=chance) ** 2 * NET_FPS).long()  # mostly short, up to a second
    first = 1 + (torch.rand(count, generator=chance) * (frames - long - 2)).long()
    at = torch.arange(frames) - (first - 1)[:, None]
    lost = (at > 0) & (at <= long[:, None]) & (torch.rand(count, 1, generator=chance) < _BRIDGED)
    share = (at / (long + 1)[:, None]).clamp(0, 1)
    row = torch.arange(count)

    def straight(values: torch.Tensor) -> torch.Tensor:
        before, after = values[row, first - 1][:, None], values[row, first + long][:, None]
        ones = (1,) * (values.ndim - 2)
        return torch.where(
            lost.reshape(count, frames, *ones), torch.lerp(before, after, share.reshape(count, frames, *ones)), values
        )

    return seen._replace(
        rays=straight(seen.rays), landmarks=straight(seen.landmarks), visible=seen.visible * ~lost[..., None]
    )


def _covered(rays: torch.Tensor, low: torch.Tensor, size: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """(B, F, 33) landmarks behind something: in a fifth of the windows each, a bar that they pass, or the feet."""
    count = len(rays)

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=chance)

    bar_at = rays[..., 0].mean(2).gather(1, (draw(1) * (rays.shape[1] - 1)).long())
    width = size.mean(1, keepdim=True) * (0.1 + 0.25 * draw(1))
    bar = ((rays[..., 0] - bar_at[..., None]).abs() < width[..., None]) & (draw(1, 1) < 0.2)
    edge = low[..., 1:] + size[..., None] * (0.6 + 0.35 * draw(1, 1))
    return bar | ((rays[..., 1] > edge) & (draw(1, 1) < 0.15))


def _misjudged_focal(seen: Sights, true: Truth, chance: torch.Generator) -> tuple[Sights, Truth]:
    """As an engine sees it whose focal length is a little off: people come out as much nearer or farther."""
    factor = (torch.randn(len(true.betas), generator=chance) * _FOCAL).exp()[:, None, None]
    closer = torch.cat([torch.ones_like(factor), torch.ones_like(factor), 1 / factor], -1)
    return seen._replace(rays=seen.rays * factor[..., None]), true._replace(pelvis=true.pelvis * closer)


def _cut(seen: Sights, true: Truth, chance: torch.Generator) -> tuple[Sights, Truth]:
    """A window of a clip (a batch of one), its last frame repeated where it is shorter."""
    length = seen.rays.shape[1]
    start = _draw(max(length - FRAMES // 2, 1), chance)
    at = torch.arange(start, start + FRAMES)
    inside = at.clamp(max=length - 1)

    def rows(values: torch.Tensor) -> torch.Tensor:
        return values[:, inside] if values.ndim > 2 else values

    there = seen.there[:, inside] & (at < length)
    seen = Sights(rows(seen.rays), rows(seen.visible), rows(seen.landmarks), rows(seen.R), there)
    return _misjudged_focal(seen, Truth(*map(rows, true)), chance)


def _chosen(which: torch.Tensor, a: tuple, b: tuple) -> tuple[Sights, Truth]:
    """Of two batches, windows of the first where `which` (B,), of the second elsewhere."""

    def either(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.where(which.reshape(-1, *(1,) * (x.ndim - 1)), x, y)

    return tuple(type(x)(*map(either, x, y)) for x, y in zip(a, b, strict=True))


def _mirrored(seen: Sights, true: Truth) -> tuple[Sights, Truth]:
    """The same in a mirror: left is right. The body is symmetric, its shapes are taken to be."""
    x = torch.tensor([-1.0, 1.0, 1.0])
    flip = x[:, None] * x
    sides = [1, 0]
    feet = torch.arange(4).unflatten(0, (2, 2))[sides].flatten()
    return (
        Sights(
            seen.rays[:, :, _MIRROR_LANDMARKS] * x[:2], seen.visible[:, :, _MIRROR_LANDMARKS],
            seen.landmarks[:, :, _MIRROR_LANDMARKS] * x, seen.R * flip, seen.there,
        ),
        Truth(
            true.rotations[:, :, _MIRROR_JOINTS] * flip, true.pelvis * x, true.up * x, true.velocity * x,
            true.contacts[..., feet], true.betas,
        ),
    )  # fmt: skip
