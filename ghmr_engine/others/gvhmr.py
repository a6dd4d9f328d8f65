"""GVHMR's `hmr4d_results.pt` (tools/demo/demo.py): one person in every frame, as SMPL-X, in the camera and in a world
with y up."""

from __future__ import annotations

import numpy as np

from ghmr_engine.others.axes import Y_UP, from_axis_angle, joints_from_body
from ghmr_engine.others.record import Other, OtherPerson, Placing, numbers, refused

LICENCE = "research only (GVHMR's own licence, SMPL-X)"
_STATIC = (0, 1, 2, 3)
"""Of `static_conf_logits`: left ankle and foot, right ankle and foot; then come the wrists."""


def is_gvhmr(content: object) -> bool:
    """Whether a file's content looks like it."""
    return isinstance(content, dict) and {"smpl_params_global", "smpl_params_incam", "K_fullimg"} <= set(content)


def read_gvhmr(content: dict, name: str) -> Other:
    """Its person; the picture's size is twice the lens's centre."""
    world, seen = (_parameters(content[key], name, key) for key in ("smpl_params_global", "smpl_params_incam"))
    count = len(world["transl"])
    lens = numbers(content["K_fullimg"], name, "K_fullimg", (None, 3, 3))[0]
    size = (round(2 * lens[0, 2]), round(2 * lens[1, 2]))
    person = OtherPerson(
        np.arange(count),
        joints_from_body(world["body_pose"]),
        None,
        Placing(from_axis_angle(world["global_orient"]), world["transl"], "smplx"),
        Placing(from_axis_angle(seen["global_orient"]), seen["transl"], "smplx"),
        _contacts(content, count),
    )
    return Other("GVHMR", LICENCE, (person,), Y_UP, focal=float(lens[0, 0]), image_size=size)


def _parameters(values: object, name: str, key: str) -> dict[str, np.ndarray]:
    if not isinstance(values, dict) or not {"body_pose", "global_orient", "transl"} <= set(values):
        raise refused(name, f"lacks something in `{key}`")
    count = len(values["transl"])
    widths = {"body_pose": 63, "global_orient": 3, "transl": 3}
    return {part: numbers(values[part], name, f"{key}.{part}", (count, width)) for part, width in widths.items()}


def _contacts(content: dict, count: int) -> np.ndarray | None:
    """Where the network says that a foot does not move, where the file says it."""
    outputs = content.get("net_outputs")
    said = outputs.get("static_conf_logits") if isinstance(outputs, dict) else None
    if said is None or np.shape(said) not in ((1, count, 6), (count, 6)):
        return None
    logits = np.asarray(said, float).reshape(count, 6)[:, _STATIC]
    return 1 / (1 + np.exp(-np.clip(logits, -40, 40)))
