"""The open lifting network: from landmarks over time to pose, shape, place, motion, contacts and how sure each is.

A transformer over the frames of a window (Vaswani and others 2017), all frames at once, with rotary positions (Su and
others 2021), so that only distances in time matter. It corrects the pose that is laid along the landmarks (limbs.py)
rather than finding one from nothing. Pure: windows in, numbers out; what they mean in the picture is features.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

FPS = 30.0
"""Pictures a second that the network was trained at; tracks of another rate are brought onto it."""
INPUTS = 345
POSED = 22
"""Joints whose rotation is found: the root and SMPL's 21 body joints."""
_SIZES = {"pose": POSED * 6, "betas": 10, "up": 3, "velocity": 3, "place": 3, "contacts": 4, "spread": 24}
_SPREADS = -4.6, 0.7
"""A centimetre and two metres."""
_POSE_STEP, _BETAS_STEP = 0.2, 0.5
"""What an output of 1 changes, so that an untrained network changes little."""


@dataclass(frozen=True)
class Size:
    """How large a network is; kept in its weights' file."""

    width: int = 256
    layers: int = 6
    heads: int = 4
    widening: int = 4


class Lifted(NamedTuple):
    """What the network says of B windows of F frames; its camera looks straight at the person (features.py)."""

    rotations: torch.Tensor
    """(B, F, 22, 3, 3): the root's is body to camera."""
    betas: torch.Tensor
    """(B, 10): one shape a window."""
    up: torch.Tensor
    """(B, F, 3) unit, up in the camera's frame: with it the root stands in a gravity-aligned frame."""
    velocity: torch.Tensor
    """(B, F, 3) m/s of the pelvis through the world, along the root's own axes."""
    place: torch.Tensor
    """(B, F, 3): the pelvis' x and y over its depth in shares of the person's size, and the logarithm of its depth over
    that of a body 1.7 m long."""
    contacts: torch.Tensor
    """(B, F, 4) logits: left heel, left toe, right heel, right toe."""
    spread: torch.Tensor
    """(B, F, 24) logarithm of the expected error of each joint's place about the pelvis, m."""


class LiftNetwork(nn.Module):
    """The network; `size` is what its weights' file says."""

    def __init__(self, size: Size = Size()) -> None:
        super().__init__()
        self.size = size
        self.embed = nn.Linear(INPUTS, size.width)
        self.near = nn.Conv1d(size.width, size.width, 5, padding=2, groups=size.width)
        self.blocks = nn.ModuleList(_Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.heads = nn.ModuleDict({name: nn.Linear(size.width, count) for name, count in _SIZES.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.002)
            nn.init.zeros_(head.bias)
        nn.init.constant_(self.heads["spread"].bias, -3.0)

    def forward(self, inputs: torch.Tensor, start: torch.Tensor, there: torch.Tensor) -> Lifted:
        """inputs (B, F, INPUTS); start (B, F, 22, 3, 3) the pose to correct; there (B, F) bool: frames that exist."""
        x = self.embed(inputs) * there[..., None]
        x = x + self.near(x.transpose(1, 2)).transpose(1, 2) * there[..., None]
        turns = _rotary(x.shape[1], self.size.width // self.size.heads, x.device)
        for block in self.blocks:
            x = block(x, turns, there)
        x = self.norm(x)
        out = {name: head(x).float() for name, head in self.heads.items()}
        step = (_POSE_STEP * out["pose"]).unflatten(-1, (POSED, 3, 2))
        share = there.float() / there.sum(1, keepdim=True).clamp(min=1)
        return Lifted(
            rotations=orthonormal(start[..., :2] + step),
            betas=_BETAS_STEP * (share[..., None] * out["betas"]).sum(1),
            up=nn.functional.normalize(out["up"] + out["up"].new_tensor([0.0, -1.0, 0.0]), dim=-1),
            velocity=out["velocity"],
            place=(0.1 * out["place"]).clamp(-2, 2),
            contacts=out["contacts"],
            spread=out["spread"].clamp(*_SPREADS),
        )


class _Block(nn.Module):
    """Attention and a two-layer network, each after a norm and added to what came in."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.norm_attention, self.norm_mix = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.query_key_value = nn.Linear(size.width, 3 * size.width)
        self.gather = nn.Linear(size.width, size.width)
        self.mix = nn.Sequential(
            nn.Linear(size.width, size.widening * size.width), nn.GELU(),
            nn.Linear(size.widening * size.width, size.width),
        )  # fmt: skip

    def forward(self, x: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor], there: torch.Tensor) -> torch.Tensor:
        """x (B, F, width); turns as _rotary's; there (B, F)."""
        q, k, v = self.query_key_value(self.norm_attention(x)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = _turned(q, *turns), _turned(k, *turns)
        mask = there[:, None, None, :] | ~there.any(1)[:, None, None, None]
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        seen = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.gather(seen.transpose(1, 2).flatten(2))
        return x + self.mix(self.norm_mix(x))


def _rotary(count: int, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines (count, 1, width / 2). Waves from some 6 to some 600 frames long: no window is longer."""
    waves = 1.0 / 100.0 ** (torch.arange(0, width, 2, device=device) / width)
    angle = torch.arange(count, device=device)[:, None] * waves
    return angle.cos()[:, None], angle.sin()[:, None]


def _turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Pairs of numbers of x (B, F, heads, width) turned by the frame's angles."""
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def orthonormal(columns: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) rotations from their first two columns (..., 3, 2), by Gram and Schmidt (Zhou and others 2019)."""
    a, b = columns.unbind(-1)
    x = nn.functional.normalize(a, dim=-1)
    y = nn.functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)
