"""`ghmr batch` whose tasks on a Ray cluster recover nothing; the clip's name says what becomes of the task.

once: its worker is killed at the first time; crash: always; raises: nobody foresaw that; nobody: an error; else a take.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

from ghmr_engine import cli
from ghmr_engine.batch import farm
from ghmr_engine.batch.farm import Returned
from ghmr_engine.batch.work import Limits, Work, recover_clip
from ghmr_engine.errors import RecoverError
from ghmr_engine.protocol import Done


class Engine:
    def recover(self, clip, out, options, told):
        mark = clip.with_suffix(".crashed")
        if clip.stem == "crash" or (clip.stem == "once" and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if clip.stem == "nobody":
            raise RecoverError("nobody", "There is nobody in the clip.", "Choose another.")
        if clip.stem == "raises":
            raise ZeroDivisionError("a broken task")
        from motions import walking_motion

        from ghmr_engine.motion_file import write_motion

        write_motion(out, walking_motion(frames=20, people=1))
        return Done(1, str(out), {"1": {"sliding_mm": 0.4, "seen": 1.0}}, {"video": 0.1}, "open", [])

    def draw(self, motion, clip, stem):
        stem.parent.mkdir(exist_ok=True)
        stem.with_name(f"{stem.name}.frame.jpg").write_bytes(b"a frame")
        return {"frame": f"{stem}.frame.jpg"}

    def log(self):
        return "the worker's log"


def recover_nothing(work: Work, limits: Limits) -> Returned:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        record = recover_clip(work, Path(name), Engine(), limits, lambda _stage, _done: None)
        paths = [path for path in Path(name).rglob("*") if path.is_file()]
        return Returned(record, {path.relative_to(name).as_posix(): path.read_bytes() for path in paths})


if __name__ == "__main__":
    farm.run_on_farm = partial(farm.run_on_farm, task=recover_nothing)
    cli.app()
