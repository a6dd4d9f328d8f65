"""Calls Blender's own exporters on a stand-in."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import bpy

from ..ghmr_engine.errors import RecoverError
from ..translations import told
from .kinds import Kind
from .stand_in import StandIn
from .unkeyed import unkeyed_kept

_OPERATORS = {
    "fbx": ("export_scene.fbx", "FBX"),
    "gltf": ("export_scene.gltf", "glTF 2.0"),
    "bvh": ("export_anim.bvh", "BVH"),
    "usd": ("wm.usd_export", "USD"),
}
_FBX_AXES = {"z_up": ("Y", "Z"), "y_up": ("-Z", "Y")}
"""Forward and up, as Blender's dialog has them: where its +y and +z go."""


def can_write(kind: Kind) -> bool:
    """Whether this Blender can write the format."""
    return kind.format not in _OPERATORS or _exists(_OPERATORS[kind.format][0])


def refuse_missing(kind: Kind) -> None:
    """Raises RecoverError where this Blender cannot write the format."""
    if can_write(kind):
        return
    if kind.format == "usd":
        raise RecoverError(
            "no_exporter", "This Blender was built without USD.",
            "Use a Blender from blender.org, or export as FBX or glTF.",
        )  # fmt: skip
    name = _OPERATORS[kind.format][1]
    raise RecoverError(
        "no_exporter", told("Blender's add-on for {format} is switched off.", format=name),
        "Switch it on in the preferences under Add-ons.",
    )  # fmt: skip


def write(kind: Kind, copy: StandIn, path: Path) -> None:
    """Write the stand-in. Raises RuntimeError, with Blender's words, where that fails."""
    {"fbx": _write_fbx, "gltf": _write_gltf, "bvh": _write_bvh, "usd": _write_usd}[kind.format](kind, copy, path)


def _exists(name: str) -> bool:
    try:
        _operator(name).get_rna_type()
    except KeyError:
        return False
    return True


def _operator(name: str) -> object:
    group, operator = name.split(".")
    return getattr(getattr(bpy.ops, group), operator)


def _call(copy: StandIn, name: str, path: Path, **choices: object) -> None:
    """With the stand-in's scene as the current one; choices that this Blender's exporter does not have are left out."""
    call = _operator(name)
    known = call.get_rna_type().properties.keys()
    chosen = {key: value for key, value in choices.items() if key in known}
    overridden = {
        "scene": copy.scene, "view_layer": copy.layer, "object": copy.armature, "active_object": copy.armature,
        "selected_objects": list(copy.scene.objects),
    }  # fmt: skip
    with bpy.context.temp_override(**overridden):
        done = call(filepath=str(path), check_existing=False, **chosen)
    if done != {"FINISHED"}:
        raise RuntimeError(f"Blender's exporter ended with {', '.join(done)}")


def _write_fbx(kind: Kind, copy: StandIn, path: Path) -> None:
    forward, up = _FBX_AXES[kind.axes]
    _call(
        copy, "export_scene.fbx", path, object_types={"ARMATURE", "MESH"},
        axis_forward=forward, axis_up=up, global_scale=1.0, apply_unit_scale=True,
        apply_scale_options="FBX_SCALE_NONE", use_mesh_modifiers=False, mesh_smooth_type="FACE", add_leaf_bones=False,
        use_armature_deform_only=False, bake_anim=True, bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False, bake_anim_force_startend_keying=True, bake_anim_step=1.0,
        bake_anim_simplify_factor=0.0,
    )  # fmt: skip


def _write_bvh(_kind: Kind, copy: StandIn, path: Path) -> None:
    scene = copy.scene
    _call(
        copy, "export_anim.bvh", path, frame_start=scene.frame_start, frame_end=scene.frame_end, global_scale=1.0,
        rotate_mode="ZXY", root_transform_only=not copy.stretches,
    )  # fmt: skip
    # Six digits of a second are off by a frame after an hour at 29.97.
    seconds = f"Frame Time: {scene.render.fps_base / scene.render.fps:.12g}"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^Frame Time: .*$", seconds, text, count=1, flags=re.MULTILINE), encoding="utf-8")


def _write_usd(_kind: Kind, copy: StandIn, path: Path) -> None:
    _call(
        copy, "wm.usd_export", path, selected_objects_only=False, export_animation=True, export_armatures=True,
        only_deform_bones=False, export_shapekeys=True, export_materials=True, export_lights=False,
        export_cameras=False, convert_world_material=False, export_custom_properties=False, export_hair=False,
        convert_orientation=False, export_textures=False, export_textures_mode="KEEP", root_prim_path="/root",
    )  # fmt: skip


def _write_gltf(_kind: Kind, copy: StandIn, path: Path) -> None:
    """The exporter shows the stand-in's scene in the user's window meanwhile."""
    _as_strip(copy)
    window = bpy.context.window
    if window is None:
        _write_glb(copy, path)
        return
    shown = window.scene
    with unkeyed_kept(shown):
        try:
            _write_glb(copy, path)
        finally:
            window.scene = shown


def _write_glb(copy: StandIn, path: Path) -> None:
    """Exporters take fps * fps_base for the rate, which is fps / fps_base: where the file's last time tells so, it is
    written again with what comes out right."""
    scene, render = copy.scene, copy.scene.render
    frame_s = render.fps_base / render.fps
    for fps_base in dict.fromkeys((render.fps_base, 1 / render.fps_base)):
        render.fps_base = fps_base
        _call(
            copy, "export_scene.gltf", path, export_format="GLB", use_active_scene=True, use_selection=False,
            export_yup=True, export_skins=True, export_animations=True, export_animation_mode="NLA_TRACKS",
            export_force_sampling=True, export_frame_range=True, export_frame_step=1,
            export_optimize_animation_size=False, export_anim_slide_to_zero=False, export_def_bones=False,
            export_rest_position_armature=True, export_morph=True, export_cameras=False, export_lights=False,
            export_extras=False, export_apply=False,
        )  # fmt: skip
        if abs(_last_time(path) - scene.frame_end * frame_s) < 1e-4 * scene.frame_end * frame_s + 1e-6:
            return
    raise RuntimeError("Blender's exporter wrote a motion of another length")


def _as_strip(copy: StandIn) -> None:
    """The action on an NLA track: its name becomes the clip's."""
    animation = copy.armature.animation_data
    action, slot = animation.action, getattr(animation, "action_slot", None)
    track = animation.nla_tracks.new()
    strip = track.strips.new(copy.scene.name, copy.scene.frame_start, action)
    track.name = copy.scene.name
    if slot is not None:
        strip.action_slot = slot
    strip.influence = 1.0
    animation.action = None


def _last_time(path: Path) -> float:
    """Seconds of the last key in a binary glTF file."""
    with path.open("rb") as file:
        _, _, _, length, _ = struct.unpack("<4sIIII", file.read(20))
        known = json.loads(file.read(length))
    times = {sampler["input"] for clip in known.get("animations", []) for sampler in clip["samplers"]}
    return max((known["accessors"][time]["max"][0] for time in times), default=0.0)
