"""How far a job is as a whole and how long it still takes, by its stages' usual parts of the time. Plain Python."""

from __future__ import annotations

from .ghmr_engine import protocol

# Of the time after everything is loaded, on the README's clips.
_PARTS = {
    protocol.Recover: {"video": 1, "people": 34, "camera": 20, "lift": 18, "world": 11, "refine": 14, "write": 2},
    protocol.Find: {"video": 1, "people": 97, "write": 2},
    protocol.Resolve: {"refine": 90, "write": 10},
    protocol.Import: {"video": 50, "world": 40, "write": 10},
}
_KEPT_S = 0.4
"""A stage that is done sooner was kept from an earlier run: it tells nothing of the speed."""
_LEAST = 0.03
"""Part of the whole that must have been seen before it is judged by."""


class TimeLeft:
    """What the stages said so far of one job."""

    def __init__(self, kind: type[protocol.Request]) -> None:
        parts = _PARTS[kind]
        self._parts = {stage: part / sum(parts.values()) for stage, part in parts.items()}
        self._shares = dict.fromkeys(parts, 0.0)
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def told(self, stage: str, share: float, now: float) -> None:
        """A stage is `share` done, 0 to 1, at the moment `now` in seconds. Unknown stages are left out."""
        if stage not in self._parts:
            return
        for earlier in self._parts:
            if earlier == stage:
                break
            self._shares[earlier] = 1.0
        self._began.setdefault(stage, now)
        self._shares[stage], self._ended[stage] = share, now

    @property
    def whole(self) -> float:
        """How much of everything is done, 0 to 1."""
        return sum(self._parts[stage] * share for stage, share in self._shares.items())

    @property
    def seconds(self) -> float | None:
        """How long it still takes; None while nothing can be said."""
        worked = {stage: self._ended[stage] - began for stage, began in self._began.items()}
        seen = [stage for stage, spent in worked.items() if self._shares[stage] < 1 or spent > _KEPT_S]
        done = sum(self._parts[stage] * self._shares[stage] for stage in seen)
        if done < _LEAST:
            return None
        return sum(worked[stage] for stage in seen) / done * (1 - self.whole)
