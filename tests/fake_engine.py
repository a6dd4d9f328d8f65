"""An engine that speaks the protocol at once and recovers nothing; the clip's name says how it behaves.

walk: a take of motions.py, and four people to find; nobody: an error; slow: works until told to stop; stuck: hears
nothing and has a child; crash: dies with a word in the log; once: the same, but at the first time only; wait: works
while there is a file WAIT beside the clip; garbage: says other things between; damaged: its motion
file is cut in half. Solved again, a person
is RESOLVED_M higher and a pinned joint turned by PINNED_RAD. Run as a script, by any Python with NumPy and OpenCV.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402  the environment has been cleaned of paths
from motions import walking_motion  # noqa: E402

from ghmr_engine import protocol  # noqa: E402
from ghmr_engine.body.skeleton import JOINT_NAMES  # noqa: E402
from ghmr_engine.edits import edits_from  # noqa: E402
from ghmr_engine.motion_file import read_motion, write_motion  # noqa: E402

RESOLVED_M, PINNED_RAD = 0.05, 0.25
QUALITY = {"reprojection_px": 3.5, "sliding_mm": 0.4, "penetration_mm": 0.0, "jitter": 1.0, "seen": 1.0}


PEOPLE = {1: (True, 0, 29, 100), 2: (True, 0, 18, 300), 3: (False, 15, 29, 500), 4: (False, 19, 29, 310)}
"""Who is found: whether main, first and last of 30 frames, the box's left edge in frame 0; 4 goes on where 2 ends."""


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
    wanted = who_is_wanted(job.options.get("identities"))
    motion, clip = walking_motion(frames=30, people=len(wanted)), Path(job.video)
    names = {str(number): one["name"] for number, one in enumerate(wanted, 1) if one["name"]}
    meta = {**motion.meta, "video": {**motion.meta["video"], "name": clip.name}, "options": job.options, "names": names}
    write_motion(Path(job.out), replace(motion, meta=meta))
    quality = {number: {**QUALITY, "reprojection_px": 3.5 if number == "1" else None} for number in motion.people}
    say(protocol.Done(job.id, job.out, quality, {"video": 0.1}, "open", ["The clip is made up."]))


def who_is_wanted(path: str | None) -> list[dict]:
    """As the file of identities has them; two without a name where there is none."""
    return [{"name": ""}, {"name": ""}] if path is None else json.loads(Path(path).read_text())["people"]


def find(job: protocol.Find) -> None:
    """Who walks through the picture, person by person of PEOPLE, with a thumbnail of one colour each."""
    import cv2  # changes the environment, which main has to tell as it was

    say(protocol.Progress(job.id, "people", 0.5, 1.0, 2.0))
    out, start = Path(job.out), job.options.get("start", 0)
    people = []
    for number, (main, first, last, left) in PEOPLE.items():
        thumbnail = out.with_name(f"{out.name.removesuffix('.people.json')}.person{number}.jpg")
        color = np.full((64, 64, 3), (60 * number, 200, 255 - 60 * number), np.uint8)
        thumbnail.write_bytes(cv2.imencode(".jpg", color)[1].tobytes())
        frames = list(range(first, last + 1))
        boxes = [[left + 2 * frame, 100.0, left + 2 * frame + 100, 400.0] for frame in frames]
        people.append({"person": number, "main": main, "seen": len(frames) / 30, "frames": frames, "boxes": boxes,
                       "thumbnail": thumbnail.name})  # fmt: skip
    content = {"format": "recover-motion people", "version": 1, "engine": "0.1.0",
               "video": {"name": Path(job.video).name, "path": job.video, "sha256": "f" * 64}, "fps": [30, 1],
               "frames": 30, "image_size": [854, 480], "start": start, "people": people}  # fmt: skip
    out.write_text(json.dumps(content))
    say(protocol.Found(job.id, job.out, ["The people are made up."]))


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


def once(job: protocol.Recover) -> None:
    before = Path(job.video).with_suffix(".crashed")
    if not before.exists():
        before.touch()
        crash(job)
    walk(job)


def wait(job: protocol.Recover) -> None:
    while Path(job.video).with_name("WAIT").exists():
        say(protocol.Progress(job.id, "lift", 0.5, 1.0, None))
        time.sleep(0.05)
    walk(job)


def garbage(job: protocol.Recover) -> None:
    os.write(1, b'a print\n\xff\xfe{"say": "progress"}\n{"say": "new"}\n[]\n{"say": "progress", "id": 1,')
    time.sleep(0.1)
    os.write(1, b' "stage": "lift", "done": 1, "total": 2, "eta_s": null, "more": 1}\n')
    walk(job)


def damaged(job: protocol.Recover) -> None:
    motion = Path(job.out)
    write_motion(motion, walking_motion(frames=30))
    motion.write_bytes(motion.read_bytes()[: motion.stat().st_size // 2])
    say(protocol.Done(job.id, job.out, {"1": QUALITY}, {"video": 0.1}, "open", []))


def resolve(job: protocol.Resolve) -> None:
    """Everybody asked for is RESOLVED_M higher in the asked frames, and a pinned joint turned by PINNED_RAD about x."""
    motion, edits = read_motion(Path(job.motion)), edits_from(job.edits)
    say(protocol.Progress(job.id, "refine", 0.5, 1.0, 2.0))
    people = dict(motion.people)
    for number in edits.people:
        person = people[number]
        asked = (person.frames >= edits.first) & (person.frames <= edits.last)
        poses, transl = person.poses.copy(), person.transl.copy()
        transl[asked, 2] += RESOLVED_M
        for pin in edits.pins:
            poses[person.frames == pin.frame, JOINT_NAMES.index(pin.joint), 0] += PINNED_RAD
        people[number] = replace(person, poses=poses, transl=transl)
    meta = {**motion.meta, "edits": [*motion.meta.get("edits", []), job.edits]}
    write_motion(Path(job.out), replace(motion, people=people, meta=meta))
    say(protocol.Done(job.id, job.out, dict.fromkeys(edits.people, QUALITY), {"refine": 0.1}, "open", []))


def take_in(job: protocol.Import) -> None:
    """One walker, filmed where there is a clip; whose file is called unsafe is refused."""
    if Path(job.file).stem == "unsafe":
        say(protocol.Error(job.id, "unsafe_file", "unsafe.pkl asks for os.system.", "Import only files you know."))
        return
    say(protocol.Progress(job.id, "world", 0.5, 1.0, 2.0))
    motion = walking_motion(frames=30, people=1)
    video = {**motion.meta["video"], "name": Path(job.clip or job.file).name, "sha256": "0" * 64 if job.clip else ""}
    camera = {"motion_source": "imported" if job.clip else "none", "focal_source": "imported" if job.clip else "none"}
    meta = {**motion.meta, "video": video, "camera": camera, "imported": {"system": "WHAM", "fps": job.fps}}
    write_motion(Path(job.out), replace(motion, meta=meta))
    quality = {"1": {**QUALITY, "reprojection_px": None}}
    say(protocol.Done(job.id, job.out, quality, {"world": 0.1}, "research-only", ["Proportions are made up."]))


def draw(job: protocol.Draw) -> None:
    Path(job.out).parent.mkdir(exist_ok=True)
    drawn = {}
    for what in ("frame", "overlay", "top") if job.motion else ("frame",):
        drawn[what] = f"{job.out}.{what}.jpg"
        Path(drawn[what]).write_bytes(f"{what} of {Path(job.video).name}".encode("utf-8", "surrogateescape"))
    say(protocol.Drawn(job.id, drawn))


def nobody(job: protocol.Recover | protocol.Find) -> None:
    say(protocol.Error(job.id, "nobody", "There is nobody in the clip.", "Choose another."))


def main() -> None:
    stops: dict[int, threading.Event] = {}
    known = {kind.__name__: kind for kind in (walk, stuck, crash, once, wait, garbage, nobody, damaged)}
    log("environment " + " ".join(sorted(os.environ)))
    say(protocol.Welcome("0.1.0", "cpu", []))
    for line in sys.stdin:
        request = protocol.decode_request(line)
        if isinstance(request, protocol.Hello):
            say(protocol.Welcome("0.1.0", "cpu", []))
        elif isinstance(request, protocol.Cancel) and request.id in stops:
            stops[request.id].set()
        elif isinstance(request, protocol.Find):
            (nobody if Path(request.video).stem == "nobody" else find)(request)
        elif isinstance(request, protocol.Resolve):
            resolve(request)
        elif isinstance(request, protocol.Import):
            take_in(request)
        elif isinstance(request, protocol.Draw):
            draw(request)
        elif isinstance(request, protocol.Recover):
            name = Path(request.video).stem
            stops[request.id] = threading.Event()
            if name == "slow":
                threading.Thread(target=slow, args=(request, stops[request.id]), daemon=True).start()
            else:
                known.get(name, walk)(request)


if __name__ == "__main__":
    main()
