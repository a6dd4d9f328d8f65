"""WHAM's network (Shin and others, CVPR 2024) with the published checkpoint's names: pure modules, stepped by frames.

Everything is batched over people: B people of F frames each. 6D is the first two rows of a rotation, one after another.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

JOINTS, POSE, WIDTH, FEATURE = 17, 24, 512, 1024
CONTEXT = WIDTH + 3 * JOINTS
_INITIAL = [*range(10), *range(12, 22)]
"""Joints whose rotations begin the motion decoder: all but toes and hands."""
_LAYERS = 3


class Given(NamedTuple):
    """What the network reads of B people over F frames."""

    x: torch.Tensor
    """(B, F, 37): 17 keypoints in the crop, -1 to 1, then the box."""
    masked: torch.Tensor
    """(B, F, 17) bool: keypoints that are not to be believed."""
    first_joints: torch.Tensor
    """(B, 88): the first frame's 17 joints in 3D about the hips, then its x."""
    first_pose: torch.Tensor
    """(B, 24, 6)."""
    first_root: torch.Tensor
    """(B, 6) in the world (y down)."""
    turning: torch.Tensor
    """(B, F, 6) of the camera."""
    features: torch.Tensor | None
    """(B, F, 1024) of HMR2.0; None without."""


class Said(NamedTuple):
    """What the network says before its motion is rolled out."""

    joints: torch.Tensor
    """(B, F, 17, 3) about the hips."""
    pose: torch.Tensor
    """(B, F, 24, 6); the root's is in the camera."""
    betas: torch.Tensor
    """(B, F, 10)."""
    camera: torch.Tensor
    """(B, F, 3) weak perspective: scale, x, y."""
    contact: torch.Tensor
    """(B, F, 4) in the order of the checkpoint's foot points."""
    root: torch.Tensor
    """(B, F + 1, 6) in the world; the first is the given one."""
    velocity: torch.Tensor
    """(B, F, 3) m a frame, along the root's axes."""
    context: torch.Tensor
    """(B, F, 563) what the refiner reads."""


class WhamNetwork(nn.Module):
    """The whole network. Its refiner runs after the body was posed: rollout.py."""

    def __init__(self) -> None:
        super().__init__()
        self.mask_embedding = nn.Parameter(torch.zeros(1, 1, JOINTS, 2))
        self.motion_encoder = MotionEncoder()
        self.trajectory_decoder = TrajectoryDecoder()
        self.integrator = Integrator()
        self.motion_decoder = MotionDecoder()
        self.trajectory_refiner = TrajectoryRefiner()

    def forward(self, given: Given) -> Said:
        """Paper, section 3.2 and 3.3."""
        keypoints = given.x[..., : 2 * JOINTS].unflatten(-1, (JOINTS, 2))
        keypoints = torch.where(given.masked[..., None], self.mask_embedding, keypoints)
        x = torch.cat([keypoints.flatten(-2), given.x[..., 2 * JOINTS :]], -1)
        joints, context = self.motion_encoder(x, given.first_joints)
        root, velocity = self.trajectory_decoder(context, given.first_root, given.turning)
        full = context if given.features is None else self.integrator(context, given.features)
        pose, betas, camera, contact = self.motion_decoder(full, given.first_pose)
        return Said(
            joints.unflatten(-1, (JOINTS, 3)), pose.unflatten(-1, (POSE, 6)), betas, camera, contact, root, velocity,
            context,
        )  # fmt: skip


class NeuralInitialization(nn.Module):
    """An LSTM's first state from what is known of the first frame."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.linear1 = nn.Linear(width_in, width)
        self.linear2 = nn.Linear(width, width * _LAYERS)
        self.linear3 = nn.Linear(width * _LAYERS, width * _LAYERS * 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x (B, in) -> h and c, each (layers, B, width)."""
        x = self.linear3(self.linear2(self.linear1(x).relu()).relu())
        h, c = x.unflatten(-1, (2, _LAYERS, self.width)).permute(1, 2, 0, 3)
        return h.contiguous(), c.contiguous()


class Regressor(nn.Module):
    """An LSTM and one linear layer for each output."""

    def __init__(self, width_in: int, width: int, outputs: tuple[int, ...], layers: int = _LAYERS) -> None:
        super().__init__()
        self.rnn = nn.LSTM(width_in, width, layers, batch_first=True)
        for place, count in enumerate(outputs):
            setattr(self, f"declayer{place}", nn.Linear(width, count))
        self.count = len(outputs)

    def forward(
        self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[list[torch.Tensor], torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """x (B, F, in) -> outputs (B, F, count) each, the LSTM's (B, F, width), and its state."""
        hidden, state = self.rnn(x, state)
        return [getattr(self, f"declayer{place}")(hidden) for place in range(self.count)], hidden, state


class MotionEncoder(nn.Module):
    """Keypoints to joints in 3D and a motion context; each frame's joints are an input of the next."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_layer = nn.Linear(2 * JOINTS + 3, WIDTH)
        self.neural_init = NeuralInitialization(3 * JOINTS + 2 * JOINTS + 3, WIDTH)
        self.regressor = Regressor(CONTEXT, WIDTH, (3 * JOINTS,))

    def forward(self, x: torch.Tensor, first: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x (B, F, 37), first (B, 88) -> joints (B, F, 51), context (B, F, 563)."""
        embedded, state = self.embed_layer(x), self.neural_init(first)
        now, joints, hidden = first[:, None, : 3 * JOINTS], [], []
        for frame in range(x.shape[1]):
            (now,), inner, state = self.regressor(torch.cat([embedded[:, frame : frame + 1], now], -1), state)
            joints.append(now)
            hidden.append(inner)
        joints = torch.cat(joints, 1)
        return joints, torch.cat([torch.cat(hidden, 1), joints], -1)


class TrajectoryDecoder(nn.Module):
    """The root through the world: its turn and its velocity."""

    def __init__(self) -> None:
        super().__init__()
        self.regressor = Regressor(CONTEXT + 12, CONTEXT, (3, 6))

    def forward(
        self, context: torch.Tensor, first: torch.Tensor, turning: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """context (B, F, 563), first (B, 6), turning (B, F, 6) -> root (B, F + 1, 6), velocity (B, F, 3)."""
        roots, velocities, state = [first[:, None]], [], None
        for frame in range(context.shape[1]):
            rows = slice(frame, frame + 1)
            x = torch.cat([context[:, rows], roots[-1], turning[:, rows]], -1)
            (velocity, root), _, state = self.regressor(x, state)
            roots.append(root)
            velocities.append(velocity)
        return torch.cat(roots, 1), torch.cat(velocities, 1)


class Integrator(nn.Module):
    """Picture features added to the context, for people all of whose features are known."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Linear(CONTEXT + FEATURE, FEATURE)
        self.layer2 = nn.Linear(FEATURE, FEATURE)
        self.layer3 = nn.Linear(FEATURE, CONTEXT)

    def forward(self, context: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """context (B, F, 563), features (B, F, 1024) -> (B, F, 563)."""
        x = torch.cat([context, features], -1)
        more = self.layer3(self.layer2(self.layer1(x).relu()).relu())
        known = (features != 0).flatten(1).all(1)
        return context + more * known[:, None, None]


class MotionDecoder(nn.Module):
    """The context to SMPL's parameters, a weak camera and contacts; each frame's pose is an input of the next."""

    def __init__(self) -> None:
        super().__init__()
        self.neural_init = NeuralInitialization(len(_INITIAL) * 6, CONTEXT)
        self.regressor = Regressor(CONTEXT + POSE * 6, CONTEXT, (POSE * 6, 10, 3, 4))

    def forward(self, context: torch.Tensor, first: torch.Tensor) -> list[torch.Tensor]:
        """context (B, F, 563), first (B, 24, 6) -> pose (B, F, 144), betas (B, F, 10), camera, contact."""
        state = self.neural_init(first[:, _INITIAL].flatten(1))
        pose, frames = first.flatten(1)[:, None], []
        for frame in range(context.shape[1]):
            outputs, _, state = self.regressor(torch.cat([context[:, frame : frame + 1], pose], -1), state)
            pose = outputs[0]
            frames.append(outputs)
        return [torch.cat(part, 1) for part in zip(*frames, strict=True)]


class TrajectoryRefiner(nn.Module):
    """Corrections of the root's turn and velocity from how feet in contact move."""

    def __init__(self) -> None:
        super().__init__()
        self.refiner = Regressor(CONTEXT + 12 + 9, WIDTH, (6, 3), layers=2)

    def forward(
        self, context: torch.Tensor, feet: torch.Tensor, root: torch.Tensor, velocity: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """context (B, F, 563), feet (B, F, 12), root (B, F, 6), velocity (B, F, 3) -> what to add to the last two."""
        (turn, speed), _, _ = self.refiner(torch.cat([context, feet, root, velocity], -1), None)
        return turn, speed
