"""Going to another frame."""

from __future__ import annotations

import bpy


def go_to(scene: bpy.types.Scene, frame: int) -> None:
    """Everything shows that frame, Movie Clip editors included: frame_set alone leaves those where they were."""
    scene.frame_set(frame)
    scene.frame_current = frame
