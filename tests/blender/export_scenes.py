"""What the tests of exporting share: takes, rigs and meshes to export, with the add-on on."""

from pathlib import Path

import bpy
from motions import walking_motion
from scenes import build, part

from ghmr_engine.motion_file import write_motion

KINDS = part("exports").KINDS


def can_write(name):
    return KINDS[name].format == "amass" or part("exports.writers").can_write(KINDS[name])


def export(rig, folder, kind):
    return part("exports").export_motion(bpy.context, rig, Path(folder) / f"out_{kind}", kind)


def take_of(folder, people=1, frames=20, **choices):
    motion = walking_motion(frames, people=people)
    path = Path(folder) / f"take {len(list(Path(folder).iterdir()))}.motion.npz"
    write_motion(path, motion)
    return build(motion, path=path, **choices)


def rig_of(bones, name="Hero"):
    """An armature object. bones: {name: (head, tail, parent, deform)}."""
    data = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(rig)
    with part("scene.armature").edit_mode(rig):
        for bone, (head, tail, parent, deform) in bones.items():
            made = data.edit_bones.new(bone)
            made.head, made.tail, made.use_deform = head, tail, deform
            if parent:
                made.parent = data.edit_bones[parent]
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
    return rig


def cube_on(rig, bone="", groups=()):
    """A cube of 0.2 m at 1 m height, bound by groups of its vertices, or hanging on one bone."""
    mesh = bpy.data.meshes.new("Cube")
    corners = [(x, y, z) for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (0.9, 1.1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.from_pydata(corners, [], faces)
    cube = bpy.data.objects.new("Cube", mesh)
    bpy.context.scene.collection.objects.link(cube)
    cube.parent = rig
    if bone:
        cube.parent_type, cube.parent_bone = "BONE", bone
        return cube
    cube.modifiers.new("Rig", "ARMATURE").object = rig
    for name, vertices in groups:
        cube.vertex_groups.new(name=name).add(vertices, 1.0, "REPLACE")
    return cube


# Rigify's way: controls, ORG bones that follow them, DEF bones that follow those, a root that moves no mesh.
RIGIFY = {
    "root": ((0, 0, 0), (0, 0.3, 0), "", False),
    "ORG-spine": ((0, 0, 1), (0, 0, 1.2), "root", False),
    "ORG-chest": ((0, 0, 1.2), (0, 0, 1.5), "ORG-spine", False),
    "ORG-arm": ((0.2, 0, 1.5), (0.8, 0, 1.5), "ORG-chest", False),
    "DEF-spine": ((0, 0, 1), (0, 0, 1.2), "ORG-spine", True),
    "DEF-chest": ((0, 0, 1.2), (0, 0, 1.5), "ORG-chest", True),
    "DEF-arm": ((0.2, 0, 1.5), (0.5, 0, 1.5), "ORG-arm", True),
    "DEF-arm.001": ((0.5, 0, 1.5), (0.8, 0, 1.5), "DEF-arm", True),
}


def posed_rigify():
    rig = rig_of(RIGIFY)
    cube_on(rig, groups=[("DEF-spine", range(8)), ("ORG-spine", [0])])
    eye = cube_on(rig, bone="ORG-arm")
    eye.name = eye.data.name = "Eye"
    for frame, way in ((5, 0.0), (15, 1.5)):
        rig.pose.bones["root"].location = (0, way, 0)
        rig.pose.bones["root"].keyframe_insert("location", frame=frame)
        rig.pose.bones["ORG-arm"].rotation_euler.x = way / 2
        rig.pose.bones["ORG-arm"].keyframe_insert("rotation_euler", frame=frame)
        for name, size in (("DEF-arm.001", (1, 1 + way / 10, 1)), ("DEF-chest", (1 - way / 5, 1 + way / 3, 1))):
            rig.pose.bones[name].scale = size  # the chest is squashed aslant: in the file the arms hang on it
            rig.pose.bones[name].keyframe_insert("scale", frame=frame)
    return rig
