"""Lowering an energy over all frames at once, and cutting long motions into windows that are put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from ghmr_engine.progress import Report


def minimise(
    energy: Callable[[], torch.Tensor], variables: Sequence[torch.Tensor], steps: int, report: Report
) -> float:
    """L-BFGS with strong Wolfe line search (Nocedal and Wright, algorithms 7.5 and 3.5) on `variables`, in place.

    `energy` returns a scalar that depends on the variables; `steps` bounds the iterations. Returns the last energy.
    Raises what `report` raises (Cancelled): it is called at every evaluation.
    """
    for variable in variables:
        variable.requires_grad_(True)
    optimiser = torch.optim.LBFGS(
        list(variables), lr=1.0, max_iter=steps, max_eval=steps * 5 // 4, history_size=12,
        tolerance_grad=1e-6, tolerance_change=1e-7, line_search_fn="strong_wolfe",
    )  # fmt: skip
    calls = 0

    def closure() -> torch.Tensor:
        nonlocal calls
        calls += 1
        report(min(calls / (steps * 5 // 4), 1.0))
        optimiser.zero_grad()
        value = energy()
        value.backward()
        return value

    optimiser.step(closure)
    with torch.no_grad():
        value = float(energy())
    for variable in variables:
        variable.requires_grad_(False)
    return value


def neighbours(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows follow each other in time. frames (N,) int -> pairs (N-1,), triples (N-2,), 0.0 or 1.0."""
    follows = np.diff(frames) == 1
    return follows.astype(np.float32), (follows[1:] & follows[:-1]).astype(np.float32)


def windows(count: int, size: int, overlap: int) -> Iterator[slice]:
    """Slices that cover range(count), each `size` long at the most, neighbours sharing `overlap` places."""
    start = 0
    while True:
        stop = min(start + size, count)
        if count - stop < overlap:
            stop = count
        yield slice(start, stop)
        if stop == count:
            return
        start = stop - overlap


def blend_ramp(count: int) -> np.ndarray:
    """(count,) weights of the later window in an overlap, from just over 0 to just under 1."""
    return (np.arange(count) + 0.5) / max(count, 1)
