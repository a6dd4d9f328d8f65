"""A person's action as an asset: found by clip, quality and licence in the asset browser."""

from __future__ import annotations

import bpy

from ..motion import Motion

_TAG = "Recover Motion"


def mark_as_asset(armature: bpy.types.Object, motion: Motion) -> None:
    """Mark a person's action as an asset that says what it is. No preview is made: that would render the scene.

    An asset stays in the file without a user, so whoever removes a take has to remove it (removal.py).
    """
    meta = motion.meta
    action = armature.animation_data.action
    action.asset_mark()
    said = action.asset_data
    quality = meta.get("quality", {}).get(armature.recover_motion.number, {})
    said.description = ", ".join([f"{armature.name}, recovered from {meta['video']['name']}", *_figures(quality)])
    said.author = f"Recover Motion {meta['engine']}"
    said.license = meta["licence"]
    for tag in (_TAG, meta["licence"]):
        said.tags.new(tag, skip_if_exists=True)


def _figures(quality: dict[str, float | None]) -> list[str]:
    words = {"reprojection_px": "{:.1f} px off the picture", "sliding_mm": "feet slide {:.1f} mm a frame"}
    return [text.format(quality[key]) for key, text in words.items() if quality.get(key) is not None]
