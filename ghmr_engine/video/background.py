"""An upright copy of a clip at a constant rate, for programs that would show the clip itself wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2

from ghmr_engine.errors import RecoverError
from ghmr_engine.part_files import written_whole
from ghmr_engine.progress import Report, silent

if TYPE_CHECKING:
    from ghmr_engine.video import Video

_KEY_FRAME_EVERY = 15  # frames; scrubbing in Blender stays quick
_QUALITY = {"libx264": {"crf": "20", "preset": "veryfast"}, "mpeg4": {"qmin": "2", "qmax": "5"}}


def write_background(video: Video, out: Path, report: Report = silent) -> None:
    """Write exactly video.info.frames pictures at exactly video.info.fps as an MP4 without sound.

    Odd sizes grow by one pixel at the right or the bottom, which codecs need. Whole or not at all. Raises RecoverError
    ("no_encoder", and whatever video.frames() raises), OSError for a full disk.
    """
    codec = next((name for name in _QUALITY if name in av.codecs_available), None)
    if codec is None:
        raise RecoverError("no_encoder", "No encoder for the clip's copy is here.", "Install PyAV from its wheel.")
    how = {"format": "mp4", "options": {"movflags": "faststart"}}
    # "file:", else what stands before a colon would be a protocol.
    with written_whole(out) as part, av.open(f"file:{part}", "w", **how) as container:
        _encode(container, codec, video, report)


def _encode(container: av.container.OutputContainer, codec: str, video: Video, report: Report) -> None:
    info = video.info
    stream = container.add_stream(codec, rate=info.fps, options=_QUALITY[codec])
    pad_x, pad_y = info.width % 2, info.height % 2
    stream.width, stream.height, stream.pix_fmt = info.width + pad_x, info.height + pad_y, "yuv420p"
    stream.codec_context.gop_size = _KEY_FRAME_EVERY
    for index, picture in enumerate(video.frames()):
        if pad_x or pad_y:
            picture = cv2.copyMakeBorder(picture, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = index, 1 / info.fps
        container.mux(stream.encode(frame))
        report((index + 1) / info.frames)
    container.mux(stream.encode(None))
