"""What is said of a take: what it was recovered from and by what, how good it is, and on what terms."""

from __future__ import annotations

import bpy

from .ghmr_engine.camera_words import camera_line
from .ghmr_engine.errors import RecoverError
from .motion import Motion, MotionFileError
from .takes import motion_of, people_of
from .translations import local

RESEARCH = "research-only"
_LICENCES = {
    "open": "Licence: open, also for paid work",
    RESEARCH: "Licence: research only, a model it was made with forbids paid work",
}


def summary(quality: dict, licence: str, camera: dict) -> str:
    """Lines for the panel; figures are the worst person's."""
    count = len(quality)
    text = "{count} person, licence: {licence}" if count == 1 else "{count} people, licence: {licence}"
    return "\n".join([local(text, count=count, licence=licence), *_figures(quality), *camera_line(camera)])


def _figures(quality: dict) -> list[str]:
    errors = [figures["reprojection_px"] for figures in quality.values() if figures["reprojection_px"] is not None]
    slides = [figures["sliding_mm"] for figures in quality.values() if figures["sliding_mm"] is not None]
    lines = [local("Joints {error} px off the picture", error=f"{max(errors):.1f}")] if errors else []
    return lines + ([local("Feet slide {slide} mm a frame", slide=f"{max(slides):.1f}")] if slides else [])


def about(take: bpy.types.Collection) -> list[str]:
    """What the take is, a thing a line. Raises RecoverError where its motion file is gone, MotionFileError."""
    motion = motion_of(take)
    meta = motion.meta
    lines = [_clip_line(motion), _maker_line(meta)]
    lines += _figures(meta.get("quality", {}))
    lines += camera_line(meta.get("camera", {}))
    return [*lines, licence_line(meta["licence"])]


def about_without_file(take: bpy.types.Collection) -> list[str]:
    """The same as far as the scene itself knows it."""
    keys = ("reprojection_px", "sliding_mm")
    quality = {owner.name: {key: owner.get(key) for key in keys} for owner in people_of(take)}
    return [f"{take.get('clip', '')}, Recover Motion {take.get('engine', '')}", *_figures(quality),
            licence_line(licence_of(take))]  # fmt: skip


def warnings_of(take: bpy.types.Collection) -> list[str]:
    """What the engine warned of."""
    try:
        return motion_of(take).meta.get("warnings", [])
    except (RecoverError, MotionFileError):
        return str(take.get("warnings", "")).splitlines()


def licence_of(take: bpy.types.Collection) -> str:
    """On what terms the take may be used."""
    return str(take.get("licence", ""))


def licence_line(licence: str) -> str:
    """In words."""
    return local(_LICENCES[licence]) if licence in _LICENCES else local("Licence: {licence}", licence=licence or "?")


def _clip_line(motion: Motion) -> str:
    meta = motion.meta
    fps, first = meta["fps"][0] / meta["fps"][1], int(meta["video"].get("start", 0))
    return local(
        "{clip}, pictures {first} to {last}, {seconds} s at {rate} fps", clip=meta["video"]["name"], first=first,
        last=first + meta["frames"] - 1, seconds=f"{meta['frames'] / fps:.1f}", rate=f"{fps:.4g}",
    )  # fmt: skip


def _maker_line(meta: dict) -> str:
    quality = meta["options"].get("quality")
    maker = f"Recover Motion {meta['engine']}"
    return local("{maker}, quality {quality}", maker=maker, quality=quality) if quality else maker
