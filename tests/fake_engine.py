"""An engine that speaks the protocol at once and recovers nothing; the clip's name says how it behaves.

walk: a take of motions.py; nobody: an error; slow: works until told to stop; stuck: hears nothing and has a child;
crash: dies with a word in the log; garbage: says other things between. Run as a script, by any Python with NumPy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from motions import walking_motion  # noqa: E402  the environment has been cleaned of paths

from ghmr_engine import protocol  # noqa: E402
from ghmr_engine.motion_file import write_motion  # noqa: E402

QUALITY = {"reprojection_px": 3.5, "sliding_mm": 0.4, "penetration_mm": 0.0, "jitter": 1.0, "seen": 1.0}


def wrapper(folder: Path) -> Path:
    """A program in `folder` that takes the place of the engine's Python, whatever it is asked to run."""
    program = folder / "engine python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$@"\n')
    program.chmod(0o755)
    return program


def say(message: protocol.Reply) -> None:
    os.write(1, protocol.encode(message).encode() + b"\n")


def log(text: str) -> None:
    os.write(2, text.encode() + b"\n")


def walk(job: protocol.Recover) -> None:
    for stage in ("video", "people", "lift"):
        say(protocol.Progress(job.id, stage, 0.5, 1.0, 2.0))
    motion, clip = walking_motion(frames=30, people=2), Path(job.video)
    meta = {**motion.meta, "video": {**motion.meta["video"], "name": clip.name}, "options": job.options}
    write_motion(Path(job.out), replace(motion, meta=meta))
    quality = {"1": QUALITY, "2": {**QUALITY, "reprojection_px": None}}
    say(protocol.Done(job.id, job.out, quality, {"video": 0.1}, "open", ["The clip is made up."]))


def slow(job: protocol.Recover, stop: threading.Event) -> None:
    for step in range(3000):
        say(protocol.Progress(job.id, "people", step, 3000, 60 - step / 50))
        if stop.wait(0.02):
            say(protocol.Error(job.id, "cancelled", "Stopped; nothing was written.", "Start again when you like."))
            return


def stuck(job: protocol.Recover) -> None:
    child = subprocess.Popen(["sleep", "600"])
    log(f"child {child.pid}")
    say(protocol.Progress(job.id, "lift", 0.25, 1.0, None))
    time.sleep(600)


def crash(_job: protocol.Recover) -> None:
    log("many words\nRuntimeError: the card fell out")
    os._exit(139)


def garbage(job: protocol.Recover) -> None:
    os.write(1, b'a print\n\xff\xfe{"say": "progress"}\n{"say": "new"}\n[]\n{"say": "progress", "id": 1,')
    time.sleep(0.1)
    os.write(1, b' "stage": "lift", "done": 1, "total": 2, "eta_s": null, "more": 1}\n')
    walk(job)


def nobody(job: protocol.Recover) -> None:
    say(protocol.Error(job.id, "nobody", "There is nobody in the clip.", "Choose another."))


def main() -> None:
    stops: dict[int, threading.Event] = {}
    known = {kind.__name__: kind for kind in (walk, stuck, crash, garbage, nobody)}
    log("environment " + " ".join(sorted(os.environ)))
    say(protocol.Welcome("0.1.0", "cpu", []))
    for line in sys.stdin:
        request = protocol.decode_request(line)
        if isinstance(request, protocol.Hello):
            say(protocol.Welcome("0.1.0", "cpu", []))
        elif isinstance(request, protocol.Cancel) and request.id in stops:
            stops[request.id].set()
        elif isinstance(request, protocol.Recover):
            name = Path(request.video).stem
            stops[request.id] = threading.Event()
            if name == "slow":
                threading.Thread(target=slow, args=(request, stops[request.id]), daemon=True).start()
            else:
                known.get(name, walk)(request)


if __name__ == "__main__":
    main()
