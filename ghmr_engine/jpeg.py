"""Pictures as JPEGs: thumbnails and previews."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

_QUALITY = 88


def jpeg(picture: np.ndarray, quality: int = _QUALITY) -> bytes:
    """A file's bytes of an RGB picture (H, W, 3) uint8; quality 0 to 100."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be a JPEG")
    return data.tobytes()


class ReplacedPicture:
    """One JPEG in a temporary folder of its own, replaced by each picture that is handed over, until `close`.

    Trouble with the disk leaves a picture out and is no error: who waits can do without.
    """

    def __init__(self, tell: Callable[[Path], None]) -> None:
        """tell: called with the file's path after each picture."""
        self._tell = tell
        self._folder: Path | None = None

    def __call__(self, picture: np.ndarray) -> None:
        """Put a picture (h, w, 3) uint8 RGB in the file's place."""
        data = jpeg(picture)
        with suppress(OSError):  # also where a reader holds the file open, on Windows
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="recover-motion-"))
            path = self._folder / "preview.jpg"
            part = path.with_name(path.name + ".part")
            part.write_bytes(data)
            part.replace(path)
            self._tell(path)

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
