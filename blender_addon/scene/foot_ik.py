"""Foot IK on a person's armature: targets that hold each plant, with one key a plant, and rolls about heel and toe.

    LEFT_foot_ik            the target, keyed once a plant
      LEFT_heel_roll        how the foot comes down on its heel, and its way to the plant and away
        LEFT_toe_roll       how it rolls off over its toe
          LEFT_foot_ik_ankle  what the ankle follows

The target's property `hold` says how firmly: 1 in a plant, eased to 0 between two, where the leg moves as it did.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
from mathutils import Vector

from ..compat import Curves, own_curves
from ..ghmr_engine.errors import RecoverError
from ..translations import told
from .armature import SIDE_PALETTES, edit_mode
from .curve_fit import Track
from .foot_shapes import circle_shape, sole_shape
from .foot_way import Way, read_way
from .keys import write_track
from .plants import EASE_S, Hold, find_plants, hold, still_points
from .rotations import quaternions_from_matrices

NAME = "Foot IK"
"""Of the constraints and of the bone collection."""
_INNER = "Foot IK Mechanism"
SIDES = ("left", "right")
_PARTS = ("foot_ik", "heel_roll", "toe_roll", "foot_ik_ankle")
_HEEL_BEHIND = 0.35
"""How far the heel's point is behind the ankle, in lengths from ankle to ball: a first guess."""
_ROLL_M = 0.06


def target_name(side: str) -> str:
    """The bone that holds a foot."""
    return f"{side}_{_PARTS[0]}"


def has_foot_ik(armature: bpy.types.Object) -> bool:
    """Whether targets were added."""
    return any(target_name(side) in armature.data.bones for side in SIDES)


def add_foot_ik(armature: bpy.types.Object, fps: float) -> dict[str, list[Hold]]:
    """Put targets onto the feet, from the contacts as they are now; those of before go. fps: the scene's rate.

    What holds each plant of each foot that has any, by side. Raises RecoverError where nothing can be held.
    """
    feet = {side: _read(armature, side, fps) for side in SIDES}
    feet = {side: foot for side, foot in feet.items() if foot[3]}
    if not feet:
        raise RecoverError(
            "never_stands", told("{person}'s feet never stand.", person=armature.name),
            "Key the armature's contact properties where they should.",
        )  # fmt: skip
    remove_foot_ik(armature)
    with edit_mode(armature):
        for side, (_, points, axes, _) in feet.items():
            _add_bones(armature.data.edit_bones, side, points, axes)
    curves = own_curves(armature)
    for side, (way, points, axes, holds) in feet.items():
        _dress(armature, side, points, axes)
        _constrain(armature, side)
        _write(armature, curves, side, way, axes, holds)
    _collect(armature)
    return {side: foot[3] for side, foot in feet.items()}


def remove_foot_ik(armature: bpy.types.Object) -> None:
    """Take away all that add_foot_ik made."""
    names = {f"{side}_{part}" for side in SIDES for part in _PARTS} & set(armature.data.bones.keys())
    if not names:
        return
    curves = own_curves(armature)
    if curves is not None:
        _remove_curves(curves, names)
    for constraint, posed in list(_constraints(armature)):
        constraint.driver_remove("influence")
        posed.constraints.remove(constraint)
    shapes = set()
    for name in names:
        shapes.add(armature.pose.bones[name].custom_shape)
        armature.pose.bones[name].custom_shape = None
    with edit_mode(armature):
        for name in names:
            armature.data.edit_bones.remove(armature.data.edit_bones[name])
    for shape in shapes - {None}:
        if shape.users == 0:  # a copy of the armature has the same ones
            mesh = shape.data
            bpy.data.objects.remove(shape)
            bpy.data.meshes.remove(mesh)
    for name in (NAME, _INNER):
        group = armature.data.collections.get(name)
        if group is not None and not group.bones:
            armature.data.collections.remove(group)


def _remove_curves(curves: Curves, names: set[str]) -> None:
    starts = tuple(f'pose.bones["{name}"]' for name in names)
    for curve in [curve for curve in curves.fcurves if curve.data_path.startswith(starts)]:
        curves.fcurves.remove(curve)
    for group in [group for group in curves.groups if group.name in names and not len(group.channels)]:
        curves.groups.remove(group)


def _constraints(armature: bpy.types.Object) -> Iterator[tuple[bpy.types.Constraint, bpy.types.PoseBone]]:
    for side in SIDES:
        for joint in ("knee", "ankle"):
            posed = armature.pose.bones[f"{side}_{joint}"]
            constraint = posed.constraints.get(NAME)
            if constraint is not None:
                yield constraint, posed


def _read(armature: bpy.types.Object, side: str, fps: float) -> tuple[Way, np.ndarray, np.ndarray, list[Hold]]:
    """A foot's way, the points of heel and toe, the axes of the rolls, and what holds each plant."""
    way = read_way(armature, side)
    guess, axes = _resting_foot(armature, side)
    points = still_points(way.turns, way.shifts, way.contacts & way.shown[:, None], guess)
    plants = find_plants(way.contacts, way.shown, max(round(EASE_S * fps), 1))
    begins = {plant.begin for plant in plants}
    holds = [
        hold(way.turns, way.shifts, way.contacts, plant, points, axes, ends_before=plant.end in begins)
        for plant in plants
    ]
    return way, points, axes, holds


def _resting_foot(armature: bpy.types.Object, side: str) -> tuple[np.ndarray, np.ndarray]:
    """(2, 3) m about where heel and toe stand at rest, on the floor at 0, and (3, 3) axes in columns: x to the left, y
    to the front, so that a positive turn about x lifts the heel."""
    ankle, ball = (np.array(armature.data.bones[f"{side}_{joint}"].head_local) for joint in ("ankle", "foot"))
    along = (ball - ankle) * (1, 1, 0)
    heel = ankle - _HEEL_BEHIND * along
    forward, down = along / np.linalg.norm(along), np.array([0.0, 0.0, -1.0])
    return np.stack([heel, ball]) * (1, 1, 0), np.stack([np.cross(forward, down), forward, down], 1)


def _add_bones(bones: bpy.types.ArmatureEditBones, side: str, points: np.ndarray, axes: np.ndarray) -> None:
    """Target, rolls about heel and toe, and the ankle's twin: each hangs on the one before it."""
    ankle = bones[f"{side}_ankle"]
    above = None
    for part, point in zip(_PARTS, (None, *points, None), strict=True):
        bone = bones.new(f"{side}_{part}")
        if point is None:
            bone.head, bone.tail, bone.roll = ankle.head, ankle.tail, ankle.roll
        else:
            bone.head = Vector(point)
            bone.tail = Vector(point + _ROLL_M * axes[:, 1])
            bone.align_roll(Vector(axes[:, 2]))
        bone.parent, bone.use_deform = above, False
        above = bone


def _dress(armature: bpy.types.Object, side: str, points: np.ndarray, axes: np.ndarray) -> None:
    """Shapes to see and grab the bones by."""
    rest = np.array(armature.data.bones[target_name(side)].matrix_local)
    sole = sole_shape(f"{armature.name} {side} sole", (points - rest[:3, 3]) @ rest[:3, :3], axes.T @ rest[:3, :3])
    circle = circle_shape(f"{armature.name} {side} roll")
    for part, shape in zip(_PARTS, (sole, circle, circle, None), strict=True):
        posed = armature.pose.bones[f"{side}_{part}"]
        posed.bone.color.palette = SIDE_PALETTES[side]
        posed.rotation_mode = "XYZ" if "roll" in part else "QUATERNION"
        posed.custom_shape, posed.use_custom_shape_bone_size = shape, False
    target = armature.pose.bones[target_name(side)]
    target["hold"] = 0.0
    target.id_properties_ui("hold").update(
        min=0, max=1, description=f"1 while the {side} foot is held; 0 where the leg moves as its own keys say"
    )


def _collect(armature: bpy.types.Object) -> None:
    """Bone collections; what nobody grabs is hidden."""
    known = armature.data.collections
    groups = {name: known.get(name) or known.new(name) for name in (NAME, _INNER)}
    groups[_INNER].is_visible = False
    for side in SIDES:
        for part in _PARTS:
            bone = armature.data.bones.get(f"{side}_{part}")
            if bone is not None:
                groups[_INNER if part == _PARTS[-1] else NAME].assign(bone)


def _constrain(armature: bpy.types.Object, side: str) -> None:
    """Knee and hip reach for the target, the ankle turns as it does; one property says how much of both."""
    for joint, kind in (("knee", "IK"), ("ankle", "COPY_ROTATION")):
        constraint = armature.pose.bones[f"{side}_{joint}"].constraints.new(kind)
        constraint.name, constraint.target, constraint.subtarget = NAME, armature, f"{side}_{_PARTS[-1]}"
        if kind == "IK":
            # No pole: the knee keeps the plane in which its own keys bend it.
            constraint.chain_count, constraint.use_stretch = 2, False
        driver = constraint.driver_add("influence").driver
        driver.type = "AVERAGE"
        variable = driver.variables.new()
        variable.targets[0].id = armature
        variable.targets[0].data_path = f'pose.bones["{target_name(side)}"]["hold"]'


def _write(
    armature: bpy.types.Object, curves: Curves, side: str, way: Way, axes: np.ndarray, holds: list[Hold]
) -> None:
    """All keys of one foot."""
    target, heel, toe, _ = (f"{side}_{part}" for part in _PARTS)
    first = int(way.frames[0])
    begins = first + np.array([held.plant.begin for held in holds])
    turns, shifts = np.stack([held.turn for held in holds]), np.stack([held.shift for held in holds])
    rest = np.array(armature.data.bones[target].matrix_local)
    own, head = rest[:3, :3], rest[:3, 3]
    places, quaternions = (turns @ head + shifts - head) @ own, quaternions_from_matrices(own.T @ turns @ own)
    for channel, values in (("location", places), ("rotation_quaternion", quaternions)):
        track = Track(begins, values, np.zeros_like(values), np.zeros_like(values))
        write_track(curves, f'pose.bones["{target}"].{channel}', track, np.ones(len(begins), bool), target)
    rolls = ((heel, "location", "place", axes), (heel, "rotation_euler", "heel", None))
    for bone, channel, name, turned in (*rolls, (toe, "rotation_euler", "toe", None)):
        track, holding = _joined([getattr(held, name) for held in holds], first, turned)
        write_track(curves, f'pose.bones["{bone}"].{channel}', track, holding, bone)
    track, holding = _firmness(holds, first)
    write_track(curves, f'pose.bones["{target}"]["hold"]', track, holding, target)


def _joined(tracks: list[Track], first: int, axes: np.ndarray | None) -> tuple[Track, np.ndarray]:
    """One track of all plants' one after the other, and (K,) bool: keys that end a plant's. axes: for vectors."""
    columns = [np.concatenate([getattr(track, name) for track in tracks]) for name in ("values", "before", "after")]
    if axes is not None:
        columns = [column @ axes for column in columns]
    ends = np.zeros(len(columns[0]), dtype=bool)
    ends[np.cumsum([len(track.frames) for track in tracks]) - 1] = True
    return Track(first + np.concatenate([track.frames for track in tracks]), *columns), ends


def _firmness(holds: list[Hold], first: int) -> tuple[Track, np.ndarray]:
    """The property's keys, level at each, and (K,) bool: those from which it leaps, as the person comes or goes."""
    keys: dict[int, tuple[float, bool]] = {}
    for plant in (held.plant for held in holds):
        eases_out = plant.end > plant.last
        if plant.begin < plant.first:
            keys[plant.begin] = 0.0, False
        keys[plant.first] = 1.0, False
        keys[plant.last] = 1.0, not eases_out
        keys[plant.end if eases_out else plant.last + 1] = 0.0, True
    order = sorted(keys)
    values = np.array([[keys[row][0]] for row in order])
    level = np.zeros_like(values)
    return Track(first + np.array(order), values, level, level), np.array([keys[row][1] for row in order])
