"""Motions on rigs of other lengths and rest poses, without Blender: what must hold, and what must be the same."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from addon_parts import addon_parts
from motions import joints_world, walking_motion
from plain_rigs import ROLES, about, body, bones

from ghmr_engine.body.skeleton import JOINT_NAMES, PARENTS

FPS = 30.0
J = {name: place for place, name in enumerate(JOINT_NAMES)}


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("extension"), "retargeting_parts") as parts:
        yield parts


def performance_of(part, person, frames=None):
    turns, places = part("layers.chain").joint_frames(person)
    return part("retarget.performance").Performance(
        frames=np.arange(len(turns)) if frames is None else frames, fps=FPS, turns=turns, places=places,
        contacts=person.contacts >= 0.5, rest=np.asarray(person.joints), sole=float(person.vertices[:, 1].min()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def walk(part):
    return performance_of(part, walking_motion(90).people["1"])


def rig_of(part, joints, **changes):
    return part("retarget.rig_rest").RigRest(**{**vars(bones(joints)), **changes})


def solved(part, walk, rest, roles=ROLES, **settings):
    chosen = part("retarget.settings").RetargetSettings(**settings)
    return part("retarget.solve").solve(walk, rest, part("retarget.rig_map").RigMap("plain", "bones", roles), chosen)


def heads_of(result):
    return result.matrices[..., :3, 3]


def test_the_same_body_does_the_same(part, walk):
    result = solved(part, walk, rig_of(part, body()))
    expected = joints_world(walking_motion(90).people["1"])
    np.testing.assert_allclose(heads_of(result), expected, atol=2e-3)
    bare = solved(part, walk, rig_of(part, body()), plant_feet=False)
    np.testing.assert_allclose(heads_of(bare), expected, atol=1e-9)


@pytest.mark.parametrize(
    "shape", [{"leg": 1.3}, {"leg": 0.6}, {"thigh": 1.3}, {"wide": 1.6}, {"leg": 0.9, "wide": 0.7}]
)
def test_each_plant_is_at_one_place(part, walk, shape):
    result = solved(part, walk, rig_of(part, body(**shape)))
    for point in range(4):
        for first, last in spans(walk.contacts[:, point]):
            place = result.soles[first:last, point]
            assert np.ptp(place, axis=0).max() < 1e-6
            assert np.abs(place[:, 2]).max() < 1e-6
    assert result.soles[..., 2].min() > -1e-6
    measured = part("retarget.measure").measured(
        walk, rig_of(part, body(**shape)), part("retarget.rig_map").RigMap("plain", "bones", ROLES), result.matrices
    )
    assert measured.directions_deg.most < 3 and measured.sliding_mm.greatest < 1e-3
    assert measured.knee_jolt_deg < 1.5 * measured.knee_jolt_before_deg


def spans(on):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return edges.reshape(-1, 2).tolist()


def test_plants_are_no_pops(part, walk):
    """A leg of other proportions comes to its plants and leaves them without a jerk."""
    result = solved(part, walk, rig_of(part, body(leg=1.2, thigh=1.2)))
    same = solved(part, walk, rig_of(part, body()))
    for name in ("pelvis", "left_ankle", "right_knee"):
        jerk, usual = (np.abs(np.diff(heads_of(item)[:, J[name]], 3, axis=0)).max() for item in (result, same))
        assert jerk < 2 * usual + 1e-3, name


def test_rest_poses_do_not_matter(part, walk):
    """Arms that hang at rest, bones whose axes lie anyhow: limbs point where the person's do."""
    ways = []
    for drop in (0, 50):
        heads = heads_of(solved(part, walk, rig_of(part, body(drop=drop))))
        ways.append([heads[:, J[f"{side}_{b}"]] - heads[:, J[f"{side}_{a}"]] for side in ("left", "right")
                     for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))])  # fmt: skip
    np.testing.assert_allclose(ways[0], ways[1], atol=1e-9)


def test_an_object_that_is_turned_moved_and_small_changes_nothing_in_the_world(part, walk):
    plain = rig_of(part, body(leg=1.1))
    expected = heads_of(solved(part, walk, plain))
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = 0.01 * about([0, 0, 1], 2.0), (1, 2, 0)
    matrices = plain.matrices.copy()
    matrices[:, :3, 3] *= 100
    moved = replace(plain, world=world, matrices=matrices, lengths=100 * plain.lengths)
    heads = heads_of(solved(part, walk, moved)) @ world[:3, :3].T + world[:3, 3]
    np.testing.assert_allclose(heads, expected, atol=1e-6)
    # And one whose y is up, as game engines have it.
    turn = np.eye(4)
    turn[:3, :3] = about([1, 0, 0], np.pi / 2)
    lying = replace(plain, world=turn, matrices=np.linalg.inv(turn) @ plain.matrices)
    heads = heads_of(solved(part, walk, lying)) @ turn[:3, :3].T
    np.testing.assert_allclose(heads, expected, atol=1e-6)


def test_the_way_is_as_long_as_the_legs(part, walk):
    for leg in (0.5, 1.5):
        heads = heads_of(solved(part, walk, rig_of(part, body(leg=leg))))
        way = (heads[-1] - heads[0])[J["pelvis"]]
        own = (walk.places[-1] - walk.places[0])[0]
        assert abs(way[0] / own[0] / leg - 1) < 0.02
    heads = heads_of(solved(part, walk, rig_of(part, body(leg=0.9)), scale=1.0))
    assert abs((heads[-1] - heads[0])[0, 0] / own[0] - 1) < 0.02


def test_a_leg_too_short_lets_the_hips_down_smoothly(part, walk):
    """The person's stride at full scale: no planted foot gives way, the hips go down without a step."""
    result = solved(part, walk, rig_of(part, body(leg=0.85)), scale=1.0)
    for point in range(4):
        for first, last in spans(walk.contacts[:, point]):
            assert np.ptp(result.soles[first:last, point], axis=0).max() < 5e-3
    height = heads_of(result)[:, 0, 2]
    assert np.abs(np.diff(height, 2)).max() < 0.01


def test_limbs_of_two_bones_are_stiff_and_twist_at_their_end(part, walk):
    joints = body()
    middle = {name: len(JOINT_NAMES) + place for place, name in enumerate(("left_arm2", "left_leg2"))}
    halves = (("left_shoulder", "left_elbow"), ("left_hip", "left_knee"))
    extra = [0.5 * (joints[J[a]] + joints[J[b]]) for a, b in halves]
    parents = [*PARENTS, J["left_shoulder"], J["left_hip"]]
    parents[J["left_elbow"]], parents[J["left_knee"]] = middle["left_arm2"], middle["left_leg2"]
    order = sorted(range(26), key=lambda bone: depth(parents, bone))
    place = {bone: row for row, bone in enumerate(order)}
    names = [*JOINT_NAMES, *middle]
    made = bones(np.concatenate([joints, extra])[order], [place.get(parents[bone], -1) for bone in order],
                 [names[bone] for bone in order])  # fmt: skip
    rest = part("retarget.rig_rest").RigRest(**vars(made))
    roles = {**ROLES, "left_upper_arm": ("left_shoulder", "left_arm2"), "left_thigh": ("left_hip", "left_leg2")}
    result = solved(part, walk, rest, roles)
    plain = heads_of(solved(part, walk, rig_of(part, joints)))
    rows = [rest.names.index(name) for name in JOINT_NAMES]
    np.testing.assert_allclose(heads_of(result)[:, rows], plain, atol=1e-6)
    a, b, c = (heads_of(result)[:, rest.names.index(name)] for name in ("left_shoulder", "left_arm2", "left_elbow"))
    np.testing.assert_allclose(b, 0.5 * (a + c), atol=1e-6)
    # The first bone keeps to the shoulder: about the arm's own axis it does not turn against the chest.
    chest, upper = (relative(result, rest, name) for name in ("left_collar", "left_shoulder"))
    axis = joints[J["left_elbow"]] - joints[J["left_shoulder"]]
    axis = np.array([axis[0], -axis[2], axis[1]]) / np.linalg.norm(axis)
    twist = part("retarget.turning").twist_about(np.swapaxes(chest, 1, 2) @ upper, axis)
    assert np.abs(twist).max() < 0.01


def depth(parents, bone):
    return 0 if parents[bone] < 0 else 1 + depth(parents, parents[bone])


def relative(result, rest, name):
    bone = rest.names.index(name)
    return result.matrices[:, bone, :3, :3] @ rest.matrices[bone, :3, :3].T


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_any_number_of_spine_bones_bends_without_a_step(part, count):
    person = walking_motion(10).people["1"]
    poses = person.poses.copy()
    for name in ("spine1", "spine2", "spine3"):
        poses[:, J[name], 0] = 0.3
    bent = performance_of(part, replace(person, poses=poses))
    joints = body()
    points = joints[0] + np.linspace(0.2, 1, count + 1)[:-1, None] * (joints[J["neck"]] - joints[0])
    keep = [bone for bone in range(24) if "spine" not in JOINT_NAMES[bone]]
    names = ["pelvis", *(f"back{n}" for n in range(count)), *(JOINT_NAMES[bone] for bone in keep[1:])]
    above = {f"back{n}": f"back{n - 1}" if n else "pelvis" for n in range(count)}
    for bone in keep[1:]:
        parent = JOINT_NAMES[PARENTS[bone]]
        above[JOINT_NAMES[bone]] = f"back{count - 1}" if "spine" in parent else parent
    names.sort(key=lambda name: len(line(above, name)))
    at = {**{f"back{n}": points[n] for n in range(count)}, **{JOINT_NAMES[bone]: joints[bone] for bone in keep}}
    parents = [names.index(above[name]) if name in above else -1 for name in names]
    made = bones(np.array([at[name] for name in names]), parents, names)
    rest = part("retarget.rig_rest").RigRest(**vars(made))
    result = solved(part, bent, rest, {**ROLES, "spine": tuple(f"back{n}" for n in range(count))})
    chain = ["pelvis", *(f"back{n}" for n in range(count))]
    angles = part("scene.rotations").axis_angle_from_matrices
    turns = [relative(result, rest, name) for name in chain]
    bends = [angles(np.swapaxes(a, 1, 2) @ b) for a, b in pairwise(turns)]
    steps = np.degrees(np.linalg.norm(bends, axis=-1))
    whole = np.degrees(0.9)
    assert np.max(steps) < 1.6 * whole / count + 1
    if count > 1:  # chest, shoulders and neck as the person's
        assert abs(np.sum(steps, axis=0).mean() - whole) < 1


def line(above, name):
    return [name] if name not in above else [*line(above, above[name]), name]


def test_who_is_away_leaves_no_trace_in_between(part):
    person = walking_motion(90).people["1"]
    rows = np.r_[0:30, 60:90]
    gone = replace(person, **{key: getattr(person, key)[rows] for key in ("poses", "transl", "contacts")})
    both = solved(part, performance_of(part, gone, rows), rig_of(part, body(leg=1.2)))
    first = solved(part, performance_of(part, replace(gone, poses=gone.poses[:30], transl=gone.transl[:30],
                   contacts=gone.contacts[:30])), rig_of(part, body(leg=1.2)))  # fmt: skip
    np.testing.assert_allclose(both.matrices[:30], first.matrices, atol=1e-9)


@pytest.mark.parametrize("lacking", ["pelvis", "left_shin", "right_foot"])
def test_what_is_needed_is_said(part, walk, lacking):
    errors = part("ghmr_engine.errors")
    with pytest.raises(errors.RecoverError) as caught:
        solved(part, walk, rig_of(part, body()), {role: names for role, names in ROLES.items() if role != lacking})
    named = part("retarget.roles").LABELS[lacking]
    assert caught.value.code == "map_lacks" and named in caught.value.message and caught.value.fix


def test_what_a_rig_lacks_is_no_matter(part, walk):
    lean = {role: names for role, names in ROLES.items() if role in part("retarget.roles").NEEDED}
    expected = heads_of(solved(part, walk, rig_of(part, body(leg=1.1))))
    heads = heads_of(solved(part, walk, rig_of(part, body(leg=1.1)), lean))
    for side in ("left", "right"):
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            ways = [item[:, J[f"{side}_{b}"]] - item[:, J[f"{side}_{a}"]] for item in (heads, expected)]
            assert np.degrees(part("retarget.turning").angle_between(*ways)).max() < 2, (side, a)


def test_a_leg_that_does_not_hang_on_the_pelvis_is_refused(part, walk):
    rest = rig_of(part, body())
    parents = rest.parents.copy()
    parents[J["left_hip"]] = -1
    with pytest.raises(part("ghmr_engine.errors").RecoverError, match="left thigh"):
        solved(part, walk, replace(rest, parents=parents))


def test_the_ground_is_below_the_meshes_or_the_object_or_guessed(part):
    standing, rig_map = part("retarget.standing").standing, part("retarget.rig_map").RigMap("plain", "bones", ROLES)
    rest = rig_of(part, body())
    ankle = body()[J["left_ankle"], 1]
    assert abs(standing(rest, rig_map).leg("left")[2] - ankle) < 1e-9
    shoes = replace(rest, bounds=np.array([[-1, -1, -0.03], [1, 1, 2]]))
    assert abs(standing(shoes, rig_map).leg("left")[2] - ankle - 0.03) < 1e-9
    cape = replace(rest, bounds=np.array([[-1, -1, -0.9], [1, 1, 2]]))
    assert abs(standing(cape, rig_map).leg("left")[2] - ankle) < 1e-9
    raised = rest.matrices.copy()
    raised[:, 2, 3] += 1.0
    height = standing(replace(rest, matrices=raised), rig_map).leg("left")[2]
    assert 0 < height < ankle + 0.03


def test_local_channels_bring_every_bone_back(part, walk):
    """Against a plain loop: parents first, each bone's own turn and place on top."""
    rest = rig_of(part, body(leg=1.1, drop=30))
    rng = np.random.default_rng(5)
    rest = replace(rest, inherits=rng.random(24) < 0.5, local_place=rng.random(24) < 0.5)
    matrices = solved(part, walk, rest).matrices
    basis = part("retarget.local_basis").basis
    own = [basis(rest, matrices, bone) for bone in range(24)]
    for frame in (0, 40, 89):
        built = []
        for bone, parent in enumerate(rest.parents):
            turn, place = own[bone][0][frame], own[bone][1][frame]
            still = rest.matrices[bone]
            carried = still if parent < 0 else built[parent] @ np.linalg.inv(rest.matrices[parent]) @ still
            axes = carried[:3, :3] if rest.inherits[bone] or parent < 0 else still[:3, :3]
            along = carried[:3, :3] if rest.local_place[bone] else np.eye(3) if parent < 0 else built[parent][:3, :3]
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = axes @ turn, carried[:3, 3] + along @ place
            built.append(matrix)
        np.testing.assert_allclose(built, matrices[frame], atol=1e-9)
    assert max(np.abs(own[bone][1]).max() for bone in range(1, 24)) < 1e-9  # only the pelvis has a place of its own


def test_eased_values_hold_and_go(part):
    eased = part("retarget.smoothing").eased
    known = np.zeros(60, bool)
    known[10:15], known[20:22], known[50:] = True, True, True
    values = np.where(known, 3.0, 99.0)[:, None]
    out = eased(values, known, 8)[:, 0]
    np.testing.assert_allclose(out[known], 3.0)
    np.testing.assert_allclose(out[14:21], 3.0)  # straight from one to the next where both say the same
    assert out[0] == 0 and np.abs(out[30:42]).max() == 0 and 0 < out[25] < 3
    assert np.abs(np.diff(out)).max() < 0.6


def test_a_curve_over_others_is_never_under_them(part):
    over = part("retarget.smoothing").over
    values = np.maximum(np.random.default_rng(1).normal(size=80), 0)
    high = over(values, 4)
    assert (high >= values - 1e-12).all()
    assert np.abs(np.diff(high)).max() < np.abs(np.diff(values)).max()


def test_it_is_fast(part, walk):
    rest = rig_of(part, body(leg=1.1))
    began = time.process_time()
    solved(part, walk, rest)
    assert time.process_time() - began < 2.0  # 0.05 s on an idle core


def test_the_turn_between_opposite_directions_is_half_a_turn(part):
    turning, ways = part("retarget.turning"), np.array([[0.0, 0, 1], [1, 0, 0], [2, -1, 0.5], [0, 3, 0]])
    for scale in (-1.0, -2.0, -1.0 - 1e-12):
        turns = turning.onto(ways, scale * ways)
        np.testing.assert_allclose(turning.turned(turns, turning.unit(ways)), -turning.unit(ways), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-9)
