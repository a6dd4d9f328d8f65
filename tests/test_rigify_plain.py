"""Rigify outside Blender: names, hinges, plants of a foot, Euler angles over time."""

import numpy as np
import pytest
from addon_parts import addon_parts
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("tree"), "rigify_under_test") as parts:
        yield parts


def about(axis, degrees):
    axis = np.array({"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}[axis], float)
    return Rotation.from_rotvec(np.radians(np.atleast_1d(degrees))[:, None] * axis).as_matrix()


def whole(turns, places):
    out = np.zeros((len(turns), 4, 4))
    out[:, :3, :3], out[:, :3, 3], out[:, 3, 3] = turns, places, 1
    return out


@pytest.mark.parametrize(
    ("org", "kind", "name"),
    [
        ("ORG-thigh.L", "fk", "thigh_fk.L"),
        ("ORG-spine.002", "fk", "spine_fk.002"),
        ("ORG-upper_arm_R", "ik", "upper_arm_ik_R"),
        ("ORG-hand", "ik", "hand_ik"),
    ],
)
def test_controls_are_named_as_rigify_names_them(part, org, kind, name):
    assert part("retarget.rigify_names").control(org, kind) == name


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_are_the_turns_and_do_not_leap(part, order):
    steps = np.random.default_rng(1).normal(0, 0.06, (500, 3))
    turns = Rotation.from_rotvec(np.cumsum(steps, 0)).as_matrix()
    angles = part("retarget.channels").eulers(turns, order)
    again = Rotation.from_euler(order.lower(), angles[:, ["XYZ".index(axis) for axis in order]]).as_matrix()
    np.testing.assert_allclose(again, turns, atol=1e-9)
    # Near the poles two angles may run fast, against each other; no step is a whole turn or half of one.
    assert np.abs(np.diff(angles, axis=0)).max() < 3.0
    many = about(order[0].lower(), np.arange(0, 1080, 20))
    assert abs(part("retarget.channels").eulers(many, order)[-1, "XYZ".index(order[0])]) > 18


def test_keys_inside_a_stretch_without_change_say_nothing(part):
    values = np.array([[0, 0], [1, 0], [1, 0], [1, 0], [1, 0], [2, 0], [2, 0], [2, 0]], float)
    frames = np.array([1, 2, 3, 4, 5, 6, 20, 21])
    telling = part("retarget.channels").telling
    assert telling(values, frames).tolist() == [True, True, False, False, True, True, True, True]
    assert telling(np.ones((4, 3)), np.arange(4)).tolist() == [True, False, False, False]


def test_a_plant_ends_where_the_person_is_away(part):
    flags = np.array([0, 1, 1, 1, 1, 0, 1], bool)
    assert part("retarget.rigify_feet").runs(flags, np.array([1, 2, 3, 7, 8, 9, 10])) == [(1, 3), (3, 5), (6, 7)]


class Leg:
    """A rig of one leg along -z, its knee 2 cm ahead (-y), and what is wanted of it."""

    names = ("ORG-thigh.L", "ORG-shin.L", "ORG-foot.L")

    def __init__(self, part):
        heads = np.array([[0.1, 0, 1.0], [0.1, -0.02, 0.55], [0.1, 0, 0.1]])
        ways = np.diff(np.vstack([heads, [0.1, -0.15, 0]]), axis=0)
        y = ways / np.linalg.norm(ways, axis=1, keepdims=True)
        x = np.broadcast_to([1.0, 0, 0], y.shape)
        matrices = whole(np.stack([x, y, np.cross(x, y)], -1), heads)
        flags = np.ones(3, bool)
        rest = part("retarget.rig_rest").RigRest(
            self.names, np.array([-1, 0, 1]), matrices, np.linalg.norm(ways, axis=1), np.eye(4),
            ("QUATERNION",) * 3, flags, flags, ~flags,
        )  # fmt: skip
        self.posing = part("retarget.posing").Posing(rest, {}, {}, 1)
        self.limb = part("retarget.rigify_names").Limb(
            "leg", "left", dict(zip(("upper", "lower", "end"), self.names, strict=True))
        )
        self.hinge = part("retarget.rigify_limbs").hinge_limb
        self.rest = dict(zip(self.names, matrices, strict=True))

    def wanted(self, thigh, knee):
        """(N, 4, 4) by bone: the thigh turned about the hip, then the shin about the knee."""
        hip = self.rest[self.names[0]]
        upper = whole(thigh @ hip[:3, :3], np.broadcast_to(hip[:3, 3], (len(thigh), 3)))
        lower = upper @ np.linalg.inv(hip) @ self.rest[self.names[1]]
        lower[:, :3, :3] = thigh @ knee @ self.rest[self.names[1]][:3, :3]
        end = lower @ np.linalg.inv(self.rest[self.names[1]]) @ self.rest[self.names[2]]
        return dict(zip(self.names, (upper, lower, end), strict=True))


def test_a_knee_that_bends_about_its_axis_stays_as_it_is(part):
    leg, bend = Leg(part), np.linspace(0, 120, 25)
    wanted = leg.wanted(about("y", 20 + 0 * bend) @ about("x", -bend / 2), about("x", bend))
    for name, pose in leg.hinge(leg.posing, wanted, leg.limb).items():
        np.testing.assert_allclose(pose, wanted[name], atol=1e-9)


def test_a_knee_that_bends_aside_becomes_a_hinge_whose_ends_stay(part):
    leg, bend = Leg(part), np.linspace(0, 120, 241)
    aside = about("y", 30 + 0 * bend)
    wanted = leg.wanted(about("x", -bend / 2), aside @ about("x", bend) @ np.swapaxes(aside, 1, 2))
    upper, lower = (leg.hinge(leg.posing, wanted, leg.limb)[name] for name in leg.names[:2])
    against = np.swapaxes(upper[:, :3, :3], 1, 2) @ lower[:, :3, :3]
    np.testing.assert_allclose(against[:, 0], np.broadcast_to([1, 0, 0], (241, 3)), atol=1e-9)
    ankle = lower @ np.linalg.inv(leg.rest[leg.names[1]]) @ leg.rest[leg.names[2]]
    np.testing.assert_allclose(ankle[:, :3, 3], wanted[leg.names[2]][:, :3, 3], atol=1e-9)
    off = np.linalg.norm(lower[:, :3, 3] - wanted[leg.names[1]][:, :3, 3], axis=1)
    assert off.max() < 0.006 and off[-60:].max() < 0.001
    # As it begins to bend the thigh turns over to the knee's own plane, slowly.
    turned = Rotation.from_matrix(np.swapaxes(upper[:-1, :3, :3], 1, 2) @ upper[1:, :3, :3]).magnitude()
    assert np.degrees(turned).max() < 3
