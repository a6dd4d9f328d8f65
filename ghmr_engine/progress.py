"""How stages say how far they are: each calls `report(fraction)` often, which also carries the wish to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STAGES = ("video", "people", "camera", "lift", "world", "refine", "write")

Report = Callable[[float], None]
"""Called with the share of the stage that is done, 0 to 1. Raises errors.Cancelled when the user asked to stop."""


@dataclass(frozen=True)
class Progress:
    """One message to whoever shows progress."""

    stage: str
    done: float
    """0 to 1, of this stage."""
    eta_s: float | None
    """Seconds left of this stage; none while unknown."""


def stage_report(stage: str, emit: Callable[[Progress], None]) -> Report:
    """A report function for one stage: adds the time left and passes each call on to `emit`."""
    began = time.monotonic()

    def report(fraction: float) -> None:
        gone = time.monotonic() - began
        eta = gone * (1 - fraction) / fraction if fraction > 0.02 else None
        emit(Progress(stage, min(max(fraction, 0.0), 1.0), eta))

    return report


def silent(_fraction: float) -> None:
    """A report function for callers that show nothing."""
