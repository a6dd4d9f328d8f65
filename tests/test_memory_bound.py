"""A longer clip needs more memory only for what is found in it, not for its pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
_FRAMES, _FIRST, _WINDOW = 450, 100, 100
"""Looked at is the least in a window of frames: what is under way at one moment comes and goes."""
_MOST_MB_A_FRAME = 0.15
"""Found of one person: 0.02 MB. Before freed memory went back it was 0.6 at this size."""
_CODE = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
from ghmr_engine.options import Options
from ghmr_engine.people import find_people
from ghmr_engine.steps import Steps
from ghmr_engine.video import open_video

class Loop:
    def __init__(self, path, frames):
        self._clip = open_video(path, Options())
        self.info = replace(self._clip.info, frames=frames)
    def frames(self):
        there = itertools.chain.from_iterable(self._clip.frames() for _ in itertools.count())
        return itertools.islice(there, self.info.frames)

def emit(progress):
    if progress.stage == "people":
        print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
clip = Loop(Path(sys.argv[1]), int(sys.argv[2]))
Steps(Options(), emit, None).run("people", find_people, clip, Options())
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as Linux tells it")
def test_people_are_found_in_a_long_clip_without_keeping_its_pictures(demo_clip):
    words = [sys.executable, "-c", _CODE, demo_clip, _FRAMES]
    done = subprocess.run(list(map(str, words)), cwd=REPO, capture_output=True, text=True, check=True, timeout=600)
    held = [int(line) / 1e6 for line in done.stdout.split()]
    assert len(held) >= _FRAMES
    first, last = min(held[_FIRST : _FIRST + _WINDOW]), min(held[_FRAMES - _WINDOW : _FRAMES])
    assert (last - first) / (_FRAMES - _WINDOW - _FIRST) < _MOST_MB_A_FRAME
