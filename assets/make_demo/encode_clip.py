"""Third step of the demo clip, run in the engine's environment: PNG frames to H.264, and the truth beside the clip.

    python assets/make_demo/encode_clip.py WORK_FOLDER ASSETS_FOLDER

Writes demo.mp4 and demo.truth.npz. The truth leaves out the body's mesh, which anybody can make from `betas`.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ghmr_engine.motion_file import Motion, read_motion, write_motion


def encode(frames: list[Path], out: Path, rate: Fraction, size: tuple[int, int]) -> None:
    """Write the pictures as H.264 of `size` (width, height): 4:2:0, BT.709 and tagged so, a key picture each second."""
    with av.open(str(out), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "25", "preset": "veryslow", "g": "30", "threads": "1"}
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        for path in frames:
            small = cv2.resize(cv2.imread(str(path)), size, interpolation=cv2.INTER_AREA)
            coded = av.VideoFrame.from_ndarray(small, format="bgr24")
            coded = coded.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(coded))
        container.mux(stream.encode())


def truth_of(motion: Motion, clip: Path) -> Motion:
    """The motion file without the mesh, stamped with the clip it belongs to."""
    data = clip.read_bytes()
    video = {**motion.meta["video"], "name": clip.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    person = motion.people["1"]
    bare = replace(person, vertices=np.zeros((0, 3), np.float32), weights=np.zeros((0, 24), np.float32))
    no_faces, no_colors = np.zeros((0, 3), np.int32), np.zeros(0, np.uint8)
    return replace(motion, meta={**motion.meta, "video": video}, people={"1": bare}, faces=no_faces, colors=no_colors)


def main(work: Path, assets: Path) -> None:
    """Encode work/frames and write the truth."""
    motion = read_motion(work / "full.motion.npz")
    frames = sorted((work / "frames").glob("*.png"))
    if len(frames) != len(motion.R):
        raise SystemExit(f"{len(frames)} pictures for {len(motion.R)} frames. Run render_frames.py first.")
    encode(frames, assets / "demo.mp4", Fraction(*motion.meta["fps"]), tuple(motion.meta["image_size"]))
    write_motion(assets / "demo.truth.npz", truth_of(motion, assets / "demo.mp4"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
