"""Finding people and choosing among them inside Blender; the engine is fake_engine.py, which finds its PEOPLE.

RECOVER_MOTION_CLIPS: clips named for what the engine shall do. Frames of the motion are picture - 0 of the clip.
"""

import json
import os
import types
from pathlib import Path

import bpy
import numpy as np
from scenes import of_type, part
from solves import clip_editor
from test_addon import Registered, options_asked, recover_fails
from test_sources import new_strip

CLIPS = Path(os.environ["RECOVER_MOTION_CLIPS"])
OPS = bpy.ops.recover_motion


class Listed(Registered):
    """The add-on, switched on, with the people of walk.mp4 found; gives their list."""

    def __enter__(self):
        settings = super().__enter__()
        settings.clip = str(CLIPS / "walk.mp4")
        assert OPS.find_people() == {"FINISHED"}
        return bpy.context.scene.recover_motion_people


def listed(people):
    return [(entry.number, entry.ticked, entry.get_parts()) for entry in people.people]


def fails(operator, text, **choices):
    """It says `text`, and the list stays as it was."""
    before = listed(bpy.context.scene.recover_motion_people)
    try:
        result = operator(**choices)
    except RuntimeError as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{result} without an error")
    assert listed(bpy.context.scene.recover_motion_people) == before


def identities():
    return json.loads(Path(options_asked()["identities"]).read_text())["people"]


def test_people_are_listed_and_those_who_matter_are_ticked():
    with Listed() as people:
        assert listed(people) == [
            (1, True, [(1, 0, 29)]), (2, True, [(2, 0, 29)]), (3, False, [(3, 0, 29)]), (4, False, [(4, 0, 29)])
        ]  # fmt: skip
        assert part("jobs").JOB.quality == "4 people found"
        found = people.file()
        assert found.people[1].thumbnail.is_file() and found.size == (854, 480)
        assert np.array_equal(people.boxes_at(15)[:, 0], [130, 330, 530, np.nan], equal_nan=True)


def test_who_is_ticked_is_recovered_by_their_names():
    with Listed() as people:
        people.people[1].ticked = False
        people.people[2].ticked, people.people[2].name = True, "Anna"
        assert OPS.recover() == {"FINISHED"}
        assert identities() == [
            {"name": "", "parts": [{"person": 1, "first": 0, "last": 29}]},
            {"name": "Anna", "parts": [{"person": 3, "first": 0, "last": 29}]},
        ]
        take, path = Path(part("jobs").JOB.done.path), Path(options_asked()["identities"])
        assert path == take.with_name(take.name.replace(".motion.npz", ".identities.json"))
        names = {item.name: item["person"] for item in of_type(bpy.data.collections["walk"], "ARMATURE")}
        assert names == {"walk person 1": "1", "walk Anna": "2"}


def test_nobody_ticked_is_said_and_no_file_is_left_without_a_take():
    with Listed() as people:
        OPS.tick_people(ticked=False)
        assert not people.ticked
        recover_fails("Nobody is ticked in the list of people. Tick those whom you want")
        OPS.tick_people()
        assert len(people.ticked) == 4
        before = set(part("places_of_takes").takes_folder().iterdir())
        bpy.context.scene.recover_motion.camera = "blender"
        recover_fails("There is no solved clip.")
        assert set(part("places_of_takes").takes_folder().iterdir()) == before


def test_the_list_counts_for_that_clip_and_range_only():
    with Listed() as people:
        settings = bpy.context.scene.recover_motion
        settings.people, settings.use_range = "all", True
        OPS.recover()
        assert options_asked()["people"] == "all" and "identities" not in options_asked()
        settings.start, settings.end = 5, 20
        OPS.find_people()
        assert (people.start, people.end, people.file().start) == (5, 20, 5)
        assert people.where() == "frames 5 to 20 of walk.mp4"
        OPS.recover()
        assert len(identities()) == 2
        settings.use_range, settings.clip = False, str(CLIPS / "slow.mp4")
        source = part("sources").source_of(bpy.context)
        assert not people.holds_for(settings, source) and part("found_people").wanted(bpy.context.scene, source) is None
        assert OPS.forget_people() == {"FINISHED"}
        assert not people.path and not people.people and not OPS.forget_people.poll()


def test_finding_the_same_again_takes_the_place_of_the_older_file_and_of_no_other_clip_s():
    with Listed() as people:
        first = people.path
        OPS.find_people()
        assert people.path == first
        content = json.loads(Path(first).read_text())
        content["video"]["path"] = "/elsewhere/walk.mp4"
        Path(first).write_text(json.dumps(content))
        OPS.find_people()
        assert people.path != first and clip_named_in(first) == "/elsewhere/walk.mp4"
        Path(first).unlink()


def test_finding_the_same_people_again_keeps_what_was_said_of_them():
    with Listed() as people:
        people.people[0].name, people.people[0].ticked = "Anna", False
        OPS.split_person(frame=12)
        before = listed(people)
        OPS.find_people()
        assert listed(people) == before and len(before) == 5
        OPS.forget_people()
        OPS.find_people()
        assert len(people.people) == 4 and not people.people[0].name
        people.people[0].name = "Anna"
        settings = bpy.context.scene.recover_motion
        settings.use_range, settings.start, settings.end = True, 5, 20
        OPS.find_people()
        assert not people.people[0].name


def clip_named_in(path):
    return json.loads(Path(path).read_text())["video"]["path"]


def test_nobody_found_is_said_and_the_older_list_stays():
    with Listed() as people:
        bpy.context.scene.recover_motion.clip = str(CLIPS / "nobody.mp4")
        fails(OPS.find_people, "There is nobody in the clip.")
        assert people.clip_path == CLIPS / "walk.mp4"


def test_merging_makes_one_of_two_who_are_never_both_in_view():
    with Listed() as people:
        people.active = 1
        fails(OPS.merge_people, "Person 2 and Person 3 are both in view in frame 15 to 18 of the clip", other="3")
        people.people[3].name = "Bo"
        assert OPS.merge_people(other="4") == {"FINISHED"}
        assert listed(people)[1:] == [(2, True, [(2, 0, 29), (4, 0, 29)]), (3, False, [(3, 0, 29)])]
        assert people.people[1].name == "Bo" and people.active == 1
        assert np.array_equal(people.boxes_at(18)[1:], [[336, 100, 436, 400], [536, 100, 636, 400]])
        assert people.boxes_at(19)[1, 0] == 348
        OPS.tick_people(ticked=False)
        fails(OPS.merge_people, "There is nobody to merge with.", other="ticked")


def test_everybody_who_is_ticked_can_be_merged_into_the_active_one():
    with Listed() as people:
        OPS.split_person(frame=10)
        people.people[2].ticked = False  # 2: of those who are ticked, 1's two halves are left
        assert [entry.number for entry in people.ticked] == [1, 5]
        people.active = 1
        assert OPS.merge_people(other="ticked") == {"FINISHED"}
        assert listed(people)[:2] == [(5, True, [(1, 0, 29)]), (2, False, [(2, 0, 29)])] and people.active == 0


def test_splitting_makes_two_of_one():
    with Listed() as people:
        people.people[0].name = "Anna"
        assert OPS.split_person(frame=12) == {"FINISHED"}
        assert listed(people)[:2] == [(1, True, [(1, 0, 11)]), (5, True, [(1, 12, 29)])]
        assert [entry.name for entry in people.people[:2]] == ["Anna", ""] and people.active == 0
        assert np.isfinite(people.boxes_at(11)[:, 0]).tolist() == [True, False, True, False, False]
        fails(OPS.split_person, "Anna is not in view both before this frame and from it on.", frame=12)
        fails(OPS.split_person, "It is seen in frame 0 to 11 of the clip, counted from 0", frame=0)


def test_the_frame_of_a_split_is_the_one_shown():
    with Listed() as people:
        fails(OPS.split_person, "The clip is open nowhere")
        clip = bpy.data.movieclips.load(str(CLIPS / "walk.mp4"))
        clip.frame_start, bpy.context.scene.frame_current = 101, 110
        with clip_editor(clip) as space:
            space.clip_user.frame_current = 110  # in a window the editor follows by itself
            assert OPS.split_person() == {"FINISHED"}
            assert listed(people)[0] == (1, True, [(1, 0, 8)])
            people.active = 2
            fails(OPS.merge_people, "are both in view in frame 116 to 119", other="3")
        clip.frame_offset = 4
        people.active = 1
        assert OPS.split_person() == {"FINISHED"}
        assert listed(people)[1] == (5, True, [(1, 9, 12)])


def test_a_range_shifts_the_frames_that_are_shown():
    with Listed():
        settings = bpy.context.scene.recover_motion
        settings.use_range, settings.start, settings.end = True, 5, 34
        OPS.find_people()
        clip = bpy.data.movieclips.load(str(CLIPS / "walk.mp4"))
        with clip_editor(clip) as space:
            space.clip_user.frame_current = 16
            assert part("showing").current_frame(bpy.context) == 10


def test_a_strip_s_people_are_those_of_its_range():
    with Registered() as settings:
        strip, people = new_strip(), bpy.context.scene.recover_motion_people
        strip.frame_final_start, strip.frame_final_end = 20, 40
        area = bpy.context.window_manager.windows[0].screen.areas[0]
        before, area.type = area.type, "SEQUENCE_EDITOR"
        with bpy.context.temp_override(area=area):
            assert OPS.find_people() == {"FINISHED"}
            assert (people.start, people.end, people.pictures, people.file().start) == (10, 29, 150, 10)
            assert people.holds_for(settings, people.source_here(bpy.context))
            bpy.context.scene.frame_current = 32
            assert part("showing").current_frame(bpy.context) == 12
            OPS.recover()
            assert len(identities()) == 2
            strip.frame_final_end = 35
            assert not people.holds_for(settings, people.source_here(bpy.context))
        area.type = before


def test_a_click_picks_who_is_under_it():
    with Listed() as people:
        assert OPS.pick_person(x=550, y=300, frame=20) == {"FINISHED"}
        assert [entry.number for entry in people.ticked] == [3] and people.active == 2
        assert OPS.pick_person(x=200, y=300, frame=20, extend=True) == {"FINISHED"}
        assert [entry.number for entry in people.ticked] == [1, 3] and people.active == 0
        assert OPS.pick_person(x=20, y=20, frame=20) == {"CANCELLED"}
        assert [entry.number for entry in people.ticked] == [1, 3]


def test_without_a_list_there_is_nothing_to_choose_from():
    with Registered():
        for name in ("tick_people", "merge_people", "split_person", "pick_person", "forget_people"):
            assert not getattr(OPS, name).poll()


def test_a_list_whose_file_is_gone_says_so_and_still_names_who_is_wanted():
    with Listed() as people:
        path = Path(people.path)
        content = path.read_text()
        path.write_text("[]")
        fails(OPS.split_person, "does not say who is in the clip. Find the people again.", frame=5)
        path.unlink()
        fails(OPS.merge_people, "is not there. Find the people again.", other="2")
        fails(OPS.pick_person, "Find the people again.", x=1, y=1)
        assert OPS.recover() == {"FINISHED"} and len(identities()) == 2
        path.write_text(content)


def test_the_list_is_saved_with_the_file():
    with Listed() as people:
        people.people[0].name = "Anna"
        OPS.split_person(frame=12)
        before = listed(people)
        blend = str(CLIPS / f"people {bpy.app.version_string}.blend")
        bpy.ops.wm.save_as_mainfile(filepath=blend)
        bpy.ops.wm.open_mainfile(filepath=blend)
        again = bpy.context.scene.recover_motion_people
        assert listed(again) == before and again.people[0].name == "Anna" and again.file().frames == 30


def marks_at(frame):
    """What would be drawn at a frame, where a pixel of the region is one of the picture; y counts up from its foot."""
    view = part("viewing").Viewing(np.array([0.0, 480.0]), np.ones(2))
    people = bpy.context.scene.recover_motion_people
    return part("ui.boxes").marks(people, part("showing").Showing(view, frame))


def test_boxes_lie_over_the_people_and_show_who_is_ticked_and_active():
    with Listed() as people:
        people.people[1].name, people.active = "Anna", 2
        first, anna, third = sorted(marks_at(16), key=lambda mark: mark.low[0])
        assert first.low.tolist() == [132, 80] and first.high.tolist() == [232, 380]
        assert (first.text, anna.text, third.text) == ("1", "Anna", "3")
        assert first.width == anna.width < third.width and marks_at(16)[-1].text == "3"
        assert first.filled and anna.filled and not third.filled
        assert first.color != anna.color and len(set(third.color[:3])) == 1
        assert [mark.text for mark in marks_at(25)] == ["4", "1", "3"] and marks_at(300) == []


def test_the_frame_of_a_box_goes_around_it():
    corners = part("ui.boxes").frame_triangles(np.array([10, 20]), np.array([60, 80]), 4)
    assert corners.min(0).tolist() == [8, 18] and corners.max(0).tolist() == [62, 82]
    a, b, c = corners.reshape(-1, 3, 2).transpose(1, 0, 2)
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    assert abs(ux * vy - uy * vx).sum() / 2 == 54 * 64 - 46 * 56


def test_labels_do_not_lie_over_each_other():
    place, taken = part("ui.boxes").free_place, []
    assert place(0, 0, (30, 10), taken) == (0, 0)
    assert place(20, 5, (30, 10), taken) == (20, 10)
    assert place(10, 2, (5, 10), taken) == (10, 10)  # over the first, under nothing: the second begins at 20
    assert place(40, 12, (30, 10), taken) == (40, 20)
    assert place(100, 0, (30, 10), taken) == (100, 0)


def test_the_panel_draws_the_list_only_where_it_counts():
    with Listed() as people:
        assert "recover_motion.merge_people" in drawn() and "Recover" not in drawn()
        assert "Tick whom you want." not in drawn()
        OPS.tick_people(ticked=False)
        assert "Tick whom you want." in drawn()
        bpy.context.scene.recover_motion.clip = str(CLIPS / "slow.mp4")
        seen = drawn()
        assert {"Recover", "recover_motion.find_people", "recover_motion.forget_people"} <= set(seen)
        assert "Found in walk.mp4, not in this. Find People again." in " ".join(seen)
        assert "recover_motion.merge_people" not in seen
        people.forget()
        assert "recover_motion.forget_people" not in drawn() and "Recover" in drawn()


def drawn():
    """Names of properties and operators, and texts, that the panel draws."""
    seen = []

    class Recorder(types.SimpleNamespace):
        def __getattr__(self, name):
            def call(*arguments, **choices):
                seen.extend(word for word in (*arguments, choices.get("text")) if isinstance(word, str) and word)
                return Recorder()

            return call

    region = types.SimpleNamespace(width=2000)
    preferences = types.SimpleNamespace(system=types.SimpleNamespace(ui_scale=1.0))  # 0 where there is no window
    context = types.SimpleNamespace(scene=bpy.context.scene, area=None, region=region, preferences=preferences)
    panel = types.SimpleNamespace(layout=Recorder())
    part("ui.people").People.draw(panel, context)
    return seen
