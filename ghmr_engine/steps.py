"""Runs stages for the pipeline: progress and seconds of each, and results kept from an earlier run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ghmr_engine.cache import Cache, key_of
from ghmr_engine.free_memory import Tidied
from ghmr_engine.options import Options
from ghmr_engine.progress import Progress, stage_report

READS = {
    "video": ("start", "end", "fps"),
    "people": ("people",),
    "camera": ("camera", "camera_file", "focal", "lens", "sensor"),
    "lift": ("height", "fits"),
    "world": ("height",),
    "refine": ("quality", "height"),
}
"""The options that each stage's result depends on, besides the results before it. Identities count by their content."""

Result = TypeVar("Result")


class Steps:
    """One run through the stages. A stage's key is made of its version, options, models and the key before it, so that
    another option repeats only what follows it.
    """

    def __init__(self, options: Options, emit: Callable[[Progress], None], cache: Cache | None) -> None:
        self.seconds: dict[str, float] = {}
        """By stage, of this run."""
        self.cached: list[str] = []
        """Stages whose results were kept from an earlier run."""
        self._options = options
        self._emit = emit
        self._cache = cache
        self._key = ""
        self._tidy = Tidied()

    def depend_on(self, stage: str, version: int, *content: str) -> None:
        """Add a stage to the keys of all that follow: its version, its options and the SHA-256 of what it reads."""
        options = {name: getattr(self._options, name) for name in READS.get(stage, ())}
        self._key = key_of(
            {"stage": stage, "version": version, "options": options, "content": content, "before": self._key}
        )

    def run(self, stage: str, call: Callable[..., Result], *inputs: object) -> Result:
        """`call(*inputs, report)`, timed. Raises what it raises."""
        said = stage_report(stage, self._emit)

        def report(fraction: float) -> None:
            self._tidy()
            said(fraction)

        began = time.perf_counter()
        report(0.0)
        result = call(*inputs, report)
        report(1.0)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
        return result

    def run_kept(
        self, stage: str, version: int, call: Callable[..., Result], *inputs: object, content: tuple[str, ...] = ()
    ) -> Result:
        """The same, unless an earlier run kept the result. content: SHA-256 of what the call reads besides."""
        self.depend_on(stage, version, *content)
        key, cache = self._key, self._cache
        if cache is None:
            return self.run(stage, call, *inputs)

        def kept_or_made(*inputs_and_report: object) -> Result:
            kept = cache.load(stage, key)
            if kept is not None:
                self.cached.append(stage)
                return kept
            made = call(*inputs_and_report)
            cache.store(stage, key, made)
            return made

        return self.run(stage, kept_or_made, *inputs)
