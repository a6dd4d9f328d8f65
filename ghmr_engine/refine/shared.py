"""What all frames of a clip share: the camera's scale, the ground, and everybody's shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ghmr_engine.body.smpl import SHAPES
from ghmr_engine.energy.placed import Placed


@dataclass(frozen=True)
class Shared:
    """Changes against the scene that refine begins from. P people."""

    few: torch.Tensor
    """(4,): logarithm of what the camera's path is scaled by, the ground's height (m), and its rise along x and y."""
    shapes: torch.Tensor
    """(P, 10), added to their betas."""

    @classmethod
    def none(cls, people: Sequence[Placed]) -> Shared:
        """No change."""
        like = people[0].betas
        return cls(torch.zeros(4).to(like), torch.zeros(len(people), SHAPES).to(like))

    @classmethod
    def unpacked(cls, numbers: torch.Tensor) -> Shared:
        """From (4 + 10 P,)."""
        return cls(numbers[:4], numbers[4:].unflatten(0, (-1, SHAPES)))

    def packed(self) -> torch.Tensor:
        """(4 + 10 P,)."""
        return torch.cat([self.few, self.shapes.flatten()])

    def of(self, which: Sequence[int]) -> Shared:
        """With some of the people alone."""
        return Shared(self.few, self.shapes[list(which)])

    def scale(self) -> torch.Tensor:
        """What the camera's path is scaled by: SLAHMR's alpha, as far as it is not in the path already."""
        return self.few[0].exp()

    def ground(self) -> torch.Tensor:
        """(3,) its height at (x, y) is ground . (1, x, y), m."""
        return self.few[1:]


def columns_of(place: int) -> list[int]:
    """Where one person's border (border.COLUMNS) lies among the packed numbers."""
    return [*range(4), *range(4 + SHAPES * place, 4 + SHAPES * (place + 1))]
