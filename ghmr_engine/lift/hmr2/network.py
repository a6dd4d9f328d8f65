"""HMR2.0's network (Goel et al. 2023) under its published names: a vision transformer and a decoder of one token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Size:
    """How large the network is: the published one by default (ViT-H/16)."""

    width: int = 1280
    """Numbers of a patch."""
    depth: int = 32
    heads: int = 16
    token: int = 1024
    """Numbers of the decoder's one token."""
    layers: int = 6
    """Of the decoder."""
    token_heads: int = 8
    head_width: int = 64
    hidden: int = 1024
    """Of the decoder's two-layer networks."""


PUBLISHED = Size()
_ROWS, _COLUMNS = 16, 12
"""Patches of 16 px of the 256 x 192 picture."""


class Answer(NamedTuple):
    """What the network says of N crops."""

    token: torch.Tensor
    """(N, 1024): WHAM's picture feature."""
    rotations: torch.Tensor
    """(N, 24, 3, 3) SMPL's, parent to child; the root's is body to camera."""
    betas: torch.Tensor
    """(N, 10) of SMPL."""
    camera: torch.Tensor
    """(N, 3) weak perspective in the crop: scale, shift right, shift down."""


class Attention(nn.Module):
    """Self-attention of the patches."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, L, width) to the same."""
        return self.proj(_attend(*self.qkv(x).chunk(3, -1), self.heads))


class Mlp(nn.Module):
    """Two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, L, width) to the same."""
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """One layer of the vision transformer, normalised before each half."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, L, width) to the same."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbedding(nn.Module):
    """Patches of 16 px, as ViTPose cuts them: with two pixels of margin."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, 16, stride=16, padding=2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 256, 192) to (N, 192, width), row by row."""
        return self.proj(pictures).flatten(2).transpose(1, 2)


class Backbone(nn.Module):
    """The vision transformer."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        # The first place belongs to a class token that there is not; its numbers are added to every patch.
        self.pos_embed = nn.Parameter(torch.zeros(1, _ROWS * _COLUMNS + 1, size.width))
        self.patch_embed = PatchEmbedding(size.width)
        self.blocks = nn.ModuleList(Block(size.width, size.heads) for _ in range(size.depth))
        self.last_norm = nn.LayerNorm(size.width, eps=1e-6)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 256, 192) normalised to (N, 192, width)."""
        x = self.patch_embed(pictures) + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x = block(x)
        return self.last_norm(x)


class Normed(nn.Module):
    """A part of the decoder behind its normalisation."""

    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        """The part's answer to the normalised x; `more` is left as it is."""
        return self.fn(self.norm(x), *more)


class TokenAttention(nn.Module):
    """Self-attention of the decoder's token."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        inner = size.token_heads * size.head_width
        self.heads = size.token_heads
        self.to_qkv = nn.Linear(size.token, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, size.token))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, token) to the same."""
        return self.to_out(_attend(*self.to_qkv(x).chunk(3, -1), self.heads))


class PictureAttention(nn.Module):
    """The decoder's token looks at the patches."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        inner = size.token_heads * size.head_width
        self.heads = size.token_heads
        self.to_kv = nn.Linear(size.width, 2 * inner, bias=False)
        self.to_q = nn.Linear(size.token, inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, size.token))

    def forward(self, x: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """(N, 1, token), (N, L, width) to (N, 1, token)."""
        return self.to_out(_attend(self.to_q(x), *self.to_kv(patches).chunk(2, -1), self.heads))


class TokenMlp(nn.Module):
    """Two layers; the published names count the activation and the dropouts, which are not needed here."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        first, second = nn.Linear(size.token, size.hidden), nn.Linear(size.hidden, size.token)
        self.net = nn.Sequential(first, nn.GELU(), nn.Identity(), second)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, token) to the same."""
        return self.net(x)


class DecoderLayers(nn.Module):
    """The decoder's layers: the token looks at itself, at the picture, and thinks."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList(Normed(size.token, part(size)) for part in (TokenAttention, PictureAttention, TokenMlp))
            for _ in range(size.layers)
        )

    def forward(self, x: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """(N, 1, token), (N, L, width) to (N, 1, token)."""
        for itself, picture, think in self.layers:
            x = x + itself(x)
            x = x + picture(x, patches)
            x = x + think(x)
        return x


class Decoder(nn.Module):
    """The token, from nothing but its place, and the layers."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.to_token_embedding = nn.Linear(1, size.token)
        self.pos_embedding = nn.Parameter(torch.zeros(1, 1, size.token))
        self.transformer = DecoderLayers(size)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """(N, L, width) to (N, token)."""
        nothing = patches.new_zeros(len(patches), 1, 1)
        return self.transformer(self.to_token_embedding(nothing) + self.pos_embedding, patches)[:, 0]


class Head(nn.Module):
    """The decoder, and SMPL's numbers as what is added to the mean ones."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.transformer = Decoder(size)
        self.decpose = nn.Linear(size.token, 144)
        self.decshape = nn.Linear(size.token, 10)
        self.deccam = nn.Linear(size.token, 3)
        for name, count in (("init_body_pose", 144), ("init_betas", 10), ("init_cam", 3)):
            self.register_buffer(name, torch.zeros(1, count))

    def forward(self, patches: torch.Tensor) -> Answer:
        """(N, L, width) to N answers."""
        token = self.transformer(patches)
        pose = self.decpose(token) + self.init_body_pose
        return Answer(
            token, rotations_of(pose), self.decshape(token) + self.init_betas, self.deccam(token) + self.init_cam
        )


class Hmr2(nn.Module):
    """Backbone and head, as the published file names them."""

    def __init__(self, size: Size = PUBLISHED) -> None:
        super().__init__()
        self.backbone = Backbone(size)
        self.smpl_head = Head(size)

    def forward(self, pictures: torch.Tensor) -> Answer:
        """(N, 3, 256, 256) crops, normalised; the outer 32 columns at either side are not looked at."""
        patches = self.backbone(pictures[..., 32:-32])
        return self.smpl_head(patches.to(self.smpl_head.decpose.weight.dtype))


def rotations_of(pose: torch.Tensor) -> torch.Tensor:
    """(N, 144) to (N, 24, 3, 3): 2 x 3 rows a joint, made orthonormal, are the first two columns (Zhou et al. 2019)."""
    first, second = pose.reshape(len(pose), 24, 2, 3).unbind(2)
    first = F.normalize(first, dim=-1)
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


def _attend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, heads: int) -> torch.Tensor:
    """(N, L, heads x d) queries over (N, M, heads x d) keys and values, head by head."""
    split = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (queries, keys, values))
    return F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
