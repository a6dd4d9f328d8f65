"""Runs inside Blender (run_in_blender.py): writes what is read of every test rig to RECOVER_MOTION_RESTS, for tests of
what needs no Blender."""

import json
import os
from pathlib import Path

import numpy as np
import rigs
from scenes import part


def test_rests_are_written():
    makers = ("mixamo", "unreal", "vrm", "mpfb", "odd", "rigify")
    for name in makers:
        rig = getattr(rigs, name)()
        rest = part("rigs").rest_of_rig(rig)
        arrays = {key: value for key, value in vars(rest).items() if isinstance(value, np.ndarray)}
        words = {key: value for key, value in vars(rest).items() if key not in arrays}
        words["deforming"] = [bone.name for bone in rig.data.bones if bone.use_deform]
        words["driven"] = [bone.name for bone in rig.pose.bones if len(bone.constraints)]
        np.savez(Path(os.environ["RECOVER_MOTION_RESTS"]) / f"{name}.npz", words=json.dumps(words), **arrays)
