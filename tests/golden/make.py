"""Makes version_1.motion.npz. Run once, when version 1 was young; it is kept here to show where the file is from."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parent.parent)]
    from motions import walking_motion

    from ghmr_engine.motion_file import write_motion

    write_motion(FOLDER / "version_1.motion.npz", walking_motion(frames=12, people=2, absent=(3, 5)))
