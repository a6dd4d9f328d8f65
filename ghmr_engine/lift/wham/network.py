"""WHAM's network (Shin and others, CVPR 2024) under its checkpoint's own names: from 2D keypoints to pose and motion.

Everything looks backwards only: frames that are filled up behind a person's end change nothing before it, so people of
different lengths share a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

FPS = 30
"""The rate that the network was trained at."""
KEYPOINTS, FEATURE = 17, 1024
WIDTH = 512
CONTEXT = WIDTH + 3 * KEYPOINTS
INPUTS = 2 * KEYPOINTS + 3
ANGULAR = 6
POSE, BETAS, WEAK_CAMERA, CONTACTS = 144, 10, 3, 4
INIT_KEYPOINTS = 3 * KEYPOINTS + INPUTS
_LAYERS = 3
_INIT_JOINTS = [*range(10), *range(12, 22)]
"""SMPL joints that start the motion decoder: without feet and hands."""

Step = Callable[[], None]
"""Called once for each frame of each of the three recurrent parts; may raise, to stop."""
State = tuple[torch.Tensor, torch.Tensor]
"""An LSTM's hidden and cell state, each (layers, b, hidden)."""


class WhamInputs(NamedTuple):
    """b people over f frames at FPS. 6D: the first two rows of a rotation matrix."""

    x: torch.Tensor
    """(b, f, 37) keypoints in the person's crop, -1 to 1, and the box in the picture."""
    hidden: torch.Tensor
    """(b, f, 17) bool: a keypoint that is not trusted."""
    init_kp: torch.Tensor
    """(b, 1, 88) the first frame's 17 joints (m, about the hips, camera axes), then its x."""
    init_smpl: torch.Tensor
    """(b, 1, 24, 6) the first frame's SMPL rotations."""
    init_root: torch.Tensor
    """(b, 1, 6) the root before the first frame, body to world."""
    angular: torch.Tensor
    """(b, f, 6) the camera's turning, per second."""
    features: torch.Tensor | None
    """(b, f, 1024) of the picture; a person without any has zeros, and None says that nobody has."""


class Decoded(NamedTuple):
    """What the network says before the trajectory is refined. The world is the network's own, y down."""

    joints: torch.Tensor
    """(b, f, 17, 3) m about the hips, camera axes: the encoder's."""
    context: torch.Tensor
    """(b, f, 563) motion context without the picture's features."""
    roots: torch.Tensor
    """(b, f + 1, 6) body to world, the first being init_root."""
    velocity: torch.Tensor
    """(b, f, 3) m a frame, along the root's axes."""
    pose: torch.Tensor
    """(b, f, 24, 6) SMPL's; the root's is body to camera."""
    betas: torch.Tensor
    """(b, f, 10)."""
    weak: torch.Tensor
    """(b, f, 3) scale, x, y of the weak camera of the crop."""
    contact: torch.Tensor
    """(b, f, 4) near 1 where a foot point rests, in the order of the foot regressor."""


class Regressor(nn.Module):
    """An LSTM on everything joined, then a linear layer for each output."""

    def __init__(self, inputs: int, hidden: int, outputs: tuple[int, ...], layers: int = _LAYERS) -> None:
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.count = len(outputs)
        for place, size in enumerate(outputs):
            self.add_module(f"declayer{place}", nn.Linear(hidden, size))

    def forward(self, parts: list[torch.Tensor], state: State | None) -> tuple[list[torch.Tensor], torch.Tensor, State]:
        """parts, each (b, f, ...) -> outputs (b, f, size), the LSTM's own output (b, f, hidden), its state."""
        output, state = self.rnn(torch.cat(parts, -1), state)
        return [self.get_submodule(f"declayer{place}")(output) for place in range(self.count)], output, state


class NeuralInitialization(nn.Module):
    """An LSTM's first state, read from what is known of the first frame (WHAM, section 3.2)."""

    def __init__(self, inputs: int, hidden: int, layers: int = _LAYERS) -> None:
        super().__init__()
        self.shape = (2, layers, hidden)
        self.linear1 = nn.Linear(inputs, hidden)
        self.linear2 = nn.Linear(hidden, hidden * layers)
        self.linear3 = nn.Linear(hidden * layers, hidden * layers * 2)

    def forward(self, known: torch.Tensor) -> State:
        """known (b, inputs)."""
        numbers = self.linear3(self.linear2(self.linear1(known).relu()).relu())
        hidden, cell = numbers.unflatten(-1, self.shape).permute(1, 2, 0, 3).contiguous()
        return hidden, cell


class MotionEncoder(nn.Module):
    """Keypoints to 3D joints and the motion context; its own previous joints are an input."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_layer = nn.Linear(INPUTS, WIDTH)
        self.neural_init = NeuralInitialization(INIT_KEYPOINTS, WIDTH)
        self.regressor = Regressor(CONTEXT, WIDTH, (3 * KEYPOINTS,))

    def forward(self, x: torch.Tensor, init_kp: torch.Tensor, step: Step) -> tuple[torch.Tensor, torch.Tensor]:
        """x (b, f, 37), init_kp (b, 1, 88) -> joints (b, f, 51) m, context (b, f, 563)."""
        embedded = self.embed_layer(x)
        state, joints = self.neural_init(init_kp[:, 0]), init_kp[..., : 3 * KEYPOINTS]
        said, inner = [], []
        for part in embedded.split(1, 1):
            (joints,), output, state = self.regressor([part, joints], state)
            said.append(joints)
            step()
            inner.append(output)
        joints = torch.cat(said, 1)
        return joints, torch.cat([torch.cat(inner, 1), joints], -1)


class TrajectoryDecoder(nn.Module):
    """Motion context and the camera's turning to the root in the world; its own previous root is an input."""

    def __init__(self) -> None:
        super().__init__()
        self.regressor = Regressor(CONTEXT + 6 + ANGULAR, CONTEXT, (3, 6))

    def forward(
        self, context: torch.Tensor, init_root: torch.Tensor, angular: torch.Tensor, step: Step
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """-> roots (b, f + 1, 6), velocity (b, f, 3) m a frame along the root's axes."""
        roots, velocities, state = [init_root], [], None
        for part, turning in zip(context.split(1, 1), angular.split(1, 1), strict=True):
            (velocity, root), _, state = self.regressor([part, roots[-1], turning], state)
            roots.append(root)
            velocities.append(velocity)
            step()
        return torch.cat(roots, 1), torch.cat(velocities, 1)


class Integrator(nn.Module):
    """Adds the picture's features to the motion context."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Linear(CONTEXT + FEATURE, FEATURE)
        self.layer2 = nn.Linear(FEATURE, FEATURE)
        self.layer3 = nn.Linear(FEATURE, CONTEXT)

    def forward(self, context: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """(b, f, 563): as it came for a person any of whose feature values is zero."""
        given = (features != 0).flatten(1).all(1)[:, None, None]
        added = self.layer3(self.layer2(self.layer1(torch.cat([context, features], -1)).relu()).relu())
        return torch.where(given, context + added, context)


class MotionDecoder(nn.Module):
    """Motion context to SMPL's pose, shape, weak camera and contacts; its own previous pose is an input."""

    def __init__(self) -> None:
        super().__init__()
        self.neural_init = NeuralInitialization(6 * len(_INIT_JOINTS), CONTEXT)
        self.regressor = Regressor(CONTEXT + POSE, CONTEXT, (POSE, BETAS, WEAK_CAMERA, CONTACTS))

    def forward(self, context: torch.Tensor, init_smpl: torch.Tensor, step: Step) -> list[torch.Tensor]:
        """init_smpl (b, 1, 24, 6) -> pose (b, f, 144), betas (b, f, 10), weak camera (b, f, 3), contact (b, f, 4)."""
        state = self.neural_init(init_smpl[:, 0, _INIT_JOINTS].flatten(1))
        pose, said = init_smpl.flatten(2), []
        for part in context.split(1, 1):
            outputs, _, state = self.regressor([part, pose], state)
            pose = outputs[0]
            said.append(outputs)
            step()
        return [torch.cat(parts, 1) for parts in zip(*said, strict=True)]


class TrajectoryRefiner(nn.Module):
    """How far the root and its velocity have to move for feet to stay where they rest."""

    def __init__(self) -> None:
        super().__init__()
        self.refiner = Regressor(CONTEXT + 3 * CONTACTS + 9, WIDTH, (6, 3), layers=2)

    def forward(
        self, context: torch.Tensor, sliding: torch.Tensor, root: torch.Tensor, velocity: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """sliding (b, f, 12), root (b, f, 6), velocity (b, f, 3) -> what is to be added to root and velocity."""
        (root, velocity), _, _ = self.refiner([context, sliding, root, velocity], None)
        return root, velocity


class WhamNetwork(nn.Module):
    """All parts of the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.mask_embedding = nn.Parameter(torch.zeros(1, 1, KEYPOINTS, 2))
        self.motion_encoder = MotionEncoder()
        self.trajectory_decoder = TrajectoryDecoder()
        self.integrator = Integrator()
        self.motion_decoder = MotionDecoder()
        self.trajectory_refiner = TrajectoryRefiner()

    def forward(self, inputs: WhamInputs, step: Step = lambda: None) -> Decoded:
        """Everything but the refiner, which needs a body (rollout.refined). Raises what `step` raises."""
        flat = inputs.x[..., : 2 * KEYPOINTS].unflatten(-1, (KEYPOINTS, 2))
        flat = torch.where(inputs.hidden[..., None], self.mask_embedding, flat)
        joints, context = self.motion_encoder(
            torch.cat([flat.flatten(2), inputs.x[..., 2 * KEYPOINTS :]], -1), inputs.init_kp, step
        )
        roots, velocity = self.trajectory_decoder(context, inputs.init_root, inputs.angular, step)
        seen = context if inputs.features is None else self.integrator(context, inputs.features)
        pose, betas, weak, contact = self.motion_decoder(seen, inputs.init_smpl, step)
        return Decoded(
            joints=joints.unflatten(-1, (KEYPOINTS, 3)), context=context, roots=roots, velocity=velocity,
            pose=pose.unflatten(-1, (24, 6)), betas=betas, weak=weak, contact=contact,
        )  # fmt: skip
