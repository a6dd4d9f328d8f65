"""Measures the shipped priors on recordings kept from all training: python -m ghmr_engine.train.measure_priors MOCAP"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import roma
import torch
from scipy.stats import rankdata

from ghmr_engine import places
from ghmr_engine.body.smpl import Body, load_body
from ghmr_engine.refine.humor import explained, inferred
from ghmr_engine.refine.humor.network import HumorNetwork
from ghmr_engine.refine.humor.state import BODY_JOINTS, FPS, MotionState, moving
from ghmr_engine.refine.open_priors import load_motion_prior, load_pose_prior
from ghmr_engine.refine.prior_terms import Steps, pose_latents, steps
from ghmr_engine.refine.vposer import VPoser
from ghmr_engine.train import corpus as corpora
from ghmr_engine.train.corpus import Corpus, read_corpus
from ghmr_engine.train.prior_batches import posed_joints, resting
from ghmr_engine.train.prior_losses import pose_parts

FRAMES = 31
"""Of a window: a second."""
_JITTER_M, _JITTER_RAD = 0.02, 0.1
_SLIDE_M, _TILT = 0.010, np.deg2rad(15)

Motion = tuple[torch.Tensor, torch.Tensor]
"""Rotations (B, F, 24, 3, 3) and the pelvis (B, F, 3) m of a body of mean shape, 30 frames a second."""


def windows(corpus: Corpus) -> tuple[Motion, torch.Tensor]:
    """All motions of the corpus, cut into windows of a second that do not overlap, and (B, F, 4) how feet rest."""
    step = corpora.FPS // FPS
    rows = [
        torch.arange(first, first + step * FRAMES, step)
        for start, end in zip(corpus.starts.tolist(), corpus.ends.tolist(), strict=True)
        for first in range(start, end - step * (FRAMES - 1), step * FRAMES)
    ]
    at = torch.stack(rows)
    return (corpus.rotations[at], corpus.pelvis[at]), corpus.contacts[at]


def jittered(motion: Motion, chance: torch.Generator) -> Motion:
    """Each frame moved by 2 cm and each joint turned by 0.1 rad, by chance (deviations along each axis)."""
    rotations, pelvis = motion
    turns = _JITTER_RAD * torch.randn(*rotations.shape[:3], 3, generator=chance)
    return rotations @ roma.rotvec_to_rotmat(turns), pelvis + _JITTER_M * torch.randn(pelvis.shape, generator=chance)


def sliding(motion: Motion, chance: torch.Generator) -> Motion:
    """All of the body carried over the ground by 10 mm a frame, in any direction."""
    rotations, pelvis = motion
    along = 2 * torch.pi * torch.rand(len(pelvis), 1, generator=chance)
    way = torch.stack([along.cos(), along.sin(), 0 * along], -1)
    return rotations, pelvis + way * _SLIDE_M * torch.arange(pelvis.shape[1])[None, :, None]


def tilted(motion: Motion, chance: torch.Generator) -> Motion:
    """The world tipped by 15 degrees, in any direction, about the ground under the window's first pelvis."""
    rotations, pelvis = motion
    along = 2 * torch.pi * torch.rand(len(pelvis), generator=chance)
    turn = roma.rotvec_to_rotmat(_TILT * torch.stack([along.cos(), along.sin(), 0 * along], -1))[:, None]
    place = pelvis[:, :1] * torch.tensor([1.0, 1, 0])
    root = (turn @ rotations[:, :, 0])[:, :, None]
    return torch.cat([root, rotations[:, :, 1:]], 2), (turn @ (pelvis - place)[..., None])[..., 0] + place


def frozen(motion: Motion, _chance: torch.Generator) -> Motion:
    """Held at the window's first frame, which shows how far the prior prefers stillness to motion."""
    rotations, pelvis = motion
    return rotations[:, :1].expand_as(rotations).contiguous(), pelvis[:, :1].expand_as(pelvis).contiguous()


CORRUPTED: dict[str, Callable[[Motion, torch.Generator], Motion]] = {
    "jitter, 2 cm and 0.1 rad": jittered, "slides 10 mm a frame": sliding, "tilted by 15 degrees": tilted,
    "held still": frozen,
}  # fmt: skip


def parts_of(motion: Motion, body: Body) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Translation, root, pose and joints of the windows, as prior_terms takes them, one window a row."""
    rotations, pelvis = motion
    rest = body.rest_joints(torch.zeros(len(pelvis), 10))
    transl = pelvis - rest[:, None, 0]
    return transl, rotations[:, :, 0], rotations[:, :, 1 : BODY_JOINTS + 1], posed_joints(body, rotations, transl, rest)


@torch.no_grad()
def scores(network: HumorNetwork, motion: Motion, body: Body) -> dict[str, np.ndarray]:
    """(B,) each: a window's mean of each of Steps."""
    said = [steps(network, *each) for each in zip(*parts_of(motion, body), strict=True)]
    return {name: np.array([float(getattr(each, name).mean()) for each in said]) for name in Steps._fields}


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    """How likely a bad one scores higher than a good one (Mann and Whitney's U over all pairs)."""
    ranks = rankdata(np.concatenate([good, bad]))[len(good) :]
    return float((ranks.sum() - len(bad) * (len(bad) + 1) / 2) / (len(good) * len(bad)))


@torch.no_grad()
def one_step(network: HumorNetwork, motion: Motion, body: Body) -> dict[str, float]:
    """Mean distance of joints in mm from where they are 1/30 s later, by who says so."""
    states = moving(*parts_of(motion, body))
    inside = states.each(lambda value: value[:, 1:-1])  # where velocities are central
    past, now = (inside.each(lambda value, at=at: value[:, at]) for at in (slice(None, -1), slice(1, None)))
    before = states.joints[:, 1:-1].diff(dim=1)

    def said(latents: torch.Tensor) -> MotionState:
        return explained(network, inside, latents).states

    posterior, prior = inferred(network, inside), explained(network, inside, inferred(network, inside).mean).prior
    guesses = {
        "stays": past.joints, "constant velocity (central, as the state has it)": past.joints
        + past.joint_velocities / FPS, "prior's mean": said(prior.mean).joints,
        "encoder's mean (knows the next frame)": said(posterior.mean).joints,
    }  # fmt: skip
    apart = {name: 1000 * float((guess - now.joints).norm(dim=-1).mean()) for name, guess in guesses.items()}
    backward = past.joints[:, 1:] + before[:, :-1] - now.joints[:, 1:]
    return {**apart, "constant velocity (since the frame before)": 1000 * float(backward.norm(dim=-1).mean())}


@torch.no_grad()
def contacts_f1(network: HumorNetwork, motion: Motion, feet: torch.Tensor, body: Body) -> float:
    """F1 of the contacts that the decoder tells at the encoder's mean. feet (B, F, 4)."""
    inside = moving(*parts_of(motion, body)).each(lambda value: value[:, 1:-1])
    rests = explained(network, inside, inferred(network, inside).mean).contacts > 0
    true = resting(inside, feet[:, 1:-1])[:, 1:] > 0.5
    return float(2 * (rests & true).sum() / (rests.sum() + true.sum()))


@torch.no_grad()
def poses(network: VPoser, motion: Motion, body: Body, chance: torch.Generator) -> dict[str, float]:
    """Reconstruction, and |z|^2 of real poses and of two kinds of wrong ones."""
    pose = motion[0][:, ::10, 1 : BODY_JOINTS + 1].flatten(0, 1)
    decoded = network.rotations(network.encode(roma.rotmat_to_rotvec(pose)).mean)
    apart = pose_parts(decoded, pose, body)
    shuffled = torch.stack([part[torch.randperm(len(pose), generator=chance)] for part in pose.unbind(1)], 1)
    wrong = {
        "each joint of another frame": shuffled,
        "real, joints bent by 0.3 rad": pose
        @ roma.rotvec_to_rotmat(0.3 * torch.randn(len(pose), BODY_JOINTS, 3, generator=chance)),
        "any rotations": roma.random_rotmat((len(pose), BODY_JOINTS)),
    }
    real = pose_latents(network, pose).numpy()
    said = {"rotations, degrees": float(apart["turns"].rad2deg()), "joints, mm": 1000 * float(apart["joints"]),
            "|z|^2, real": float(real.mean())}  # fmt: skip
    for name, each in wrong.items():
        sizes = pose_latents(network, each).numpy()
        said |= {f"|z|^2, {name}": float(sizes.mean()), f"AUC, {name}": auc(real, sizes)}
    return said


def measured(corpus: Corpus, body: Body, priors: tuple[HumorNetwork, VPoser]) -> list[str]:
    """All figures, a line each."""
    (motion, feet), (motion_prior, pose_prior) = windows(corpus), priors
    torch.manual_seed(0)  # of the rotations that are any
    lines = [f"{len(motion[1])} windows of {FRAMES} frames"]
    lines += [f"one step, {name}: {mm:.2f} mm" for name, mm in one_step(motion_prior, motion, body).items()]
    lines.append(f"contacts: F1 {contacts_f1(motion_prior, motion, feet, body):.3f}")
    good = scores(motion_prior, motion, body)
    lines.append("as recorded: " + ", ".join(f"{name} {values.mean():.4g}" for name, values in good.items()))
    for name, corrupt in CORRUPTED.items():
        bad = scores(motion_prior, corrupt(motion, torch.Generator().manual_seed(0)), body)
        lines += [
            f"{name}: {each} {bad[each].mean():.4g}, AUC {auc(good[each], bad[each]):.3f}, above its own original in "
            f"{100 * (bad[each] > good[each]).mean():.0f} %"
            for each in good
        ]
    chance = torch.Generator().manual_seed(0)
    return lines + [f"pose: {name}: {x:.3g}" for name, x in poses(pose_prior, motion, body, chance).items()]


def main(arguments: list[str]) -> None:
    """Print the figures of a folder's recordings that are kept for evaluation."""
    body = load_body(places.body_path(), "cpu")
    kept = read_corpus(Path(arguments[0]), body, lambda _words, _done: None, kept=True)
    print("\n".join(measured(kept, body, (load_motion_prior("cpu"), load_pose_prior("cpu")))))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
