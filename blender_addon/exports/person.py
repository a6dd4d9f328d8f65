"""A recovered person as the body model's numbers, as shown: layers, keys made by hand and foot IK included."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..ghmr_engine.amass import write_amass
from ..ghmr_engine.errors import RecoverError
from ..motion import JOINT_NAMES, PARENTS
from ..scene.rotations import axis_angle_from_matrices
from ..scene.skeleton import REST_FROM_SMPL
from ..takes import motion_of, take_of
from ..translations import told
from .motion_shown import Shown, unscaled


def write_person(scene: bpy.types.Scene, rig: bpy.types.Object, motion: Shown, path: Path) -> None:
    """motion: all bones of the rig. Raises RecoverError, MotionFileError, OSError."""
    take = take_of(scene, rig)
    if take is None:
        raise RecoverError(
            "no_take", told("{person} is in no take.", person=rig.name), "Put it back into its take's collection."
        )
    person = motion_of(take).people[rig.recover_motion.number]
    columns = [motion.names.index(name) for name in JOINT_NAMES]
    poses, pelvis = poses_and_pelvis(motion.rest[columns], motion.poses[:, columns])
    trans = pelvis - np.asarray(person.joints[0], dtype=np.float64)
    write_amass(path, poses, trans, person.betas, motion.rate, joints=person.joints)


def poses_and_pelvis(rest: np.ndarray, worlds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SMPL's poses (F, 24, 3) axis-angle, the root's in the world, and the pelvis in the world (F, 3) m.

    rest (24, 4, 4), worlds (F, 24, 4, 4): bone to skeleton at rest, and to world.
    """
    turns = unscaled(worlds)[0][..., :3, :3] @ np.swapaxes(REST_FROM_SMPL.T @ rest[:, :3, :3], -1, -2)
    local = turns.copy()
    local[:, 1:] = np.swapaxes(turns[:, list(PARENTS[1:])], -1, -2) @ turns[:, 1:]
    return axis_angle_from_matrices(local), worlds[:, 0, :3, 3]
