"""What a batch says while it runs: a line a clip and a bar on stderr, and JSON lines on stdout for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from ghmr_engine.batch import manifest
from ghmr_engine.batch.clips import Clip
from ghmr_engine.errors import Cancelled
from ghmr_engine.progress import STAGES

EVERY_S = 0.5
_FORM = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}"


class Said:
    """Tells of one batch."""

    def __init__(self, folder: Path, clips: tuple[Clip, ...], json_lines: bool) -> None:
        """Begin; with `json_lines` there is no bar."""
        self._json = json_lines
        self._numbers = {str(clip.path): number for number, clip in enumerate(clips, 1)}
        self._counts: Counter[str] = Counter()
        self._last = ("", "", 0.0)
        self._ended = 0
        size = shutil.get_terminal_size()
        self._bar = tqdm(
            total=float(len(clips)), bar_format=_FORM, ncols=min(size.columns, 100), nrows=size.lines, file=sys.stderr,
            leave=False, disable=True if json_lines else None,
        )  # fmt: skip
        self._say({"state": "begin", "out": str(folder), "clips": [str(clip.path) for clip in clips]})

    def working(self, clip: Clip, stage: str, done: float) -> None:
        """How far a clip is: `done`, 0 to 1, of a stage. Said now and then, and where another stage begins."""
        now = time.monotonic()
        if self._last[:2] == (str(clip.path), stage) and now - self._last[2] < EVERY_S:
            return
        self._last = (str(clip.path), stage, now)
        self._bar.set_description_str(f"[{self._place(str(clip.path))}] {clip.name}: {stage}", refresh=False)
        whole = (STAGES.index(stage) + done) / len(STAGES) if stage in STAGES else 0.0
        self._bar.n = self._ended + whole
        self._bar.refresh()
        self._say({"state": "working", "clip": str(clip.path), "name": clip.name, "stage": stage,
                   "done": round(done, 3), **self._numbered(str(clip.path))})  # fmt: skip

    def waiting(self, running: int) -> None:
        """How many clips are at work elsewhere."""
        self._bar.set_description_str(f"{running} of {len(self._numbers)} to come", refresh=False)
        self._bar.refresh()

    def came_to(self, record: dict, before: bool = False) -> None:
        """What came of a clip: its record. before: an earlier run did it."""
        self._counts[record["state"]] += 1
        self._ended += 1
        if before and not self._bar.disable:
            self._bar.initial += 1  # does not count for the time left
        self._bar.n = self._ended
        self.line(f"[{self._place(record['clip'])}] {Path(record['clip']).name}: {in_a_line(record, before)}")
        self._say({**record, "before": before, **self._numbered(record["clip"])})

    def line(self, text: str) -> None:
        """One line on stderr, above the bar."""
        tqdm.write(" ".join(text.split()).encode("utf-8", "backslashreplace").decode(), file=sys.stderr)

    def end(self, code: int, sheet: Path | None) -> None:
        """How the batch ended."""
        self._bar.close()
        counts = {state: self._counts[state] for state in (manifest.DONE, manifest.REVIEW, manifest.FAILED)}
        left = len(self._numbers) - self._ended
        words = [f"{counts['done']} done", f"{counts['review']} for review", f"{counts['failed']} failed"]
        words += [f"{left} not begun or not finished"] if left else []
        self.line(f"{len(self._numbers)} clips: {', '.join(words)}." + (f" Sheet: {sheet}" if sheet else ""))
        self._say({"state": "end", "code": code, **counts, "left": left, "sheet": str(sheet) if sheet else None})

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    @property
    def code(self) -> int:
        """The exit code: 1 where anything failed, 3 where something is for review, else 0."""
        return 1 if self._counts[manifest.FAILED] else 3 if self._counts[manifest.REVIEW] else 0

    def _place(self, clip: str) -> str:
        return f"{self._numbers[clip]}/{len(self._numbers)}"

    def _numbered(self, clip: str) -> dict[str, int]:
        return {"number": self._numbers[clip], "of": len(self._numbers)}

    def _say(self, message: dict) -> None:
        """One JSON line. Raises Cancelled where nobody reads them any more."""
        if self._json:
            say_json(message)


def say_json(message: dict) -> None:
    """One JSON line on stdout. Raises Cancelled where nobody reads it."""
    try:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise Cancelled from None


def in_a_line(record: dict, before: bool = False) -> str:
    """What came of a clip, in words."""
    if record["state"] == manifest.FAILED:
        return f"failed: {record['error']['message']} {record['error']['fix']}"
    people = len(record["quality"])
    took = "done before" if before else f"done in {record['took_s']:.1f} s"
    words = [took, f"{people} {'person' if people == 1 else 'people'}"]
    sliding = [figures["sliding_mm"] for figures in record["quality"].values() if figures.get("sliding_mm") is not None]
    if sliding:
        words.append(f"feet slide {max(sliding):.1f} mm a frame")
    if record["warnings"]:
        words.append(f"{len(record['warnings'])} warnings" if len(record["warnings"]) > 1 else "1 warning")
    text = ", ".join(words)
    return f"{text}; for review: {' '.join(record['review'])}" if record["state"] == manifest.REVIEW else f"{text}."
