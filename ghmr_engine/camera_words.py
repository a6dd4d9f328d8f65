"""What the command line and Blender's panel say of the camera and the lens that were used. Plain Python."""

from __future__ import annotations

_MOTION = {
    "static (chosen)": "did not move, as chosen",
    "static (found)": "did not move",
    "static (guessed)": "taken to stand, the background shows too little",
    "rotation": "turned on the spot",
    "rotation (guessed)": "turning only, its path was not found",
    "path": "path found",
    "gyro": "from the gyroscope",
    "file": "from the file",
    "blender": "as tracked in Blender",
    "droid": "path from DROID-SLAM",
    "dpvo": "path from DPVO",
    "imported": "as the imported file has it",
    "none": "not known",
}
_FOCAL = {
    "user": "as given",
    "file": "from its file",
    "metadata": "from the clip's metadata",
    "background": "from the background",
    "lines": "from straight lines of the background",
    "default": "a typical phone's",
}


def camera_line(camera: dict) -> list[str]:
    """One line, of the motion file's meta["camera"]; a source that is not known is left out, and none is no line."""
    motion, focal = _MOTION.get(camera.get("motion_source")), _FOCAL.get(camera.get("focal_source"))
    scale = camera.get("scale_deviation")
    if motion and scale is not None:
        motion += f" (its length within {100 * scale:.0f} %)"
    said = ([motion] if motion else []) + ([f"focal length {focal}"] if focal else [])
    return [f"Camera: {', '.join(said)}"] if said else []
