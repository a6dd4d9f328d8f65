"""Files from anywhere, inside Blender: one line, and no half of a take. test_blender_addon.py lays out the places."""

import json
import os
import shutil
import tempfile
import threading
from pathlib import Path

import bpy
from motion_damage import cut_and_flipped, spoilt
from motions import walking_motion
from scenes import build, part
from takes_on_disk import Registered, file_of, take_of
from test_addon import CLIPS, recover_fails


def good_file():
    path = Path(tempfile.mkdtemp(prefix="recover_motion_test_")) / "good.motion.npz"
    part("motion").write_motion(path, walking_motion(frames=12, people=2, absent=(3, 5)))
    return path


def footprint():
    kinds = (bpy.data.objects, bpy.data.collections, bpy.data.meshes, bpy.data.armatures, bpy.data.actions)
    return [set(kind) for kind in kinds]


def test_what_is_read_can_be_built_and_the_rest_is_one_line():
    motion = part("motion")
    path = good_file()
    bad = path.with_name("bad.motion.npz")
    refused = built = 0
    for name, content in [*spoilt(path), *cut_and_flipped(path, 7, 60)]:
        bad.write_bytes(content)
        try:
            found = motion.read_motion(bad)
        except motion.MotionFileError as error:
            assert "\n" not in str(error), name
            refused += 1
            continue
        assert name.startswith("flipped"), f"{name} was believed"
        with Registered():
            build(found, path=bad)
        built += 1
    assert refused > 200, (refused, built)


def test_a_damaged_answer_of_the_engine_builds_nothing():
    with Registered():
        bpy.context.scene.recover_motion.clip = str(CLIPS / "damaged.mp4")
        before = footprint()
        recover_fails("damaged")
        assert footprint() == before


def test_a_take_whose_file_was_spoilt_is_told_and_stays():
    with Registered() as operators:
        collection, armatures, _ = take_of(frames=20)
        path = file_of(collection)
        content = dict(spoilt(path))
        for number, name in enumerate(("people/1/poses nan", "meta fps [1, 0]", "body/faces large", "a bomb of 3 GB")):
            path.write_bytes(content[name])
            os.utime(path, (number, number))
            before = footprint()
            for call in (operators.resolve_feet, operators.plant_foot, operators.next_worst_frame):
                try:
                    result = call()
                except (RuntimeError, AttributeError) as error:
                    assert "Traceback" not in str(error), error
                else:
                    assert result == {"CANCELLED"}
            assert footprint() == before and armatures[0].animation_data.action is not None


def test_clips_with_odd_names_become_takes_beside_the_file():
    folder = Path(tempfile.mkdtemp(prefix="recover_motion_test_")) / "it's $(touch ran) Łódź"
    folder.mkdir()
    names = [
        "a b",
        "it's",
        'say "hi"',
        "$(touch ran)",
        "`touch ran`",
        "-dash",
        "--",
        "日本 é",
        "100%d %s",
        "a[1]*?",
        ".a",
    ]
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    with Registered():
        for name in names:
            clip = folder / f"{name}.mp4"
            shutil.copy(CLIPS / "walk.mp4", clip)
            bpy.context.scene.recover_motion.clip = str(clip)
            assert bpy.ops.recover_motion.recover() == {"FINISHED"}
            take = part("takes").takes_of(bpy.context.scene)[-1]
            assert part("takes").motion_path(take) == folder / "recover_motion" / f"{name}.motion.npz"
            assert part("takes").motion_of(take).meta["video"]["name"] == clip.name
            assert take["clip"] == clip.name
    left = sorted(path.name for path in (folder / "recover_motion").iterdir())
    assert left == sorted(f"{name}.motion.npz" for name in names)


def test_a_recovery_that_comes_to_nothing_gives_its_name_back():
    folder = Path(tempfile.mkdtemp(prefix="recover_motion_test_"))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    with Registered():
        for name in ("nobody", "crash"):
            bpy.context.scene.recover_motion.clip = str(CLIPS / f"{name}.mp4")
            recover_fails("")
            assert list((folder / "recover_motion").iterdir()) == []


def test_people_files_of_any_content_are_one_line():
    people_file, errors = part("people_file"), part("ghmr_engine.errors")
    entry = {"person": 1, "main": True, "frames": [0, 1], "boxes": [[0, 0, 1, 1]] * 2, "thumbnail": "a.jpg"}
    content = {"format": "recover-motion people", "version": 1, "fps": [30, 1], "frames": 30, "image_size": [640, 360],
               "start": 0, "video": {"path": "a.mp4", "sha256": "f"}, "people": [entry]}  # fmt: skip
    path = Path(tempfile.mkdtemp(prefix="recover_motion_test_")) / "a.people.json"

    def reads(text):
        path.write_text(text)
        os.utime(path, ns=(reads.count, reads.count))
        reads.count += 10**9
        try:
            people_file.people_in(path)
        except errors.RecoverError as error:
            assert "\n" not in str(error)
            return False
        return True

    reads.count = 10**9
    assert reads(json.dumps(content))
    weird = [None, True, -1, 1e400, "x", [], {}, [1], [1, 0], [[1]], 10**400, "../x"]
    for key in content:
        for value in weird:
            if (key, value) not in (("people", []), ("people", {}), ("version", True)):
                assert not reads(json.dumps({**content, key: value})), (key, value)
    for key in entry:
        for value in weird:
            if key != "main" and (key, value) not in (("thumbnail", "x"), ("frames", [])):
                assert not reads(json.dumps({**content, "people": [{**entry, key: value}]})), (key, value)
    for text in ("", "[", "null", "[" * 100_000, '{"a":' * 50_000, "9" * 5000, "\x00"):
        assert not reads(text)


def test_two_who_ask_at_once_take_two_names():
    folder = Path(tempfile.mkdtemp(prefix="recover_motion_test_"))
    places, taken = part("places_of_takes"), []

    def ask():
        for _ in range(25):
            taken.append(places.new_path(folder, "clip", "motion.npz"))

    both = [threading.Thread(target=ask) for _ in range(4)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(set(taken)) == 100 and all(path.stat().st_size == 0 for path in taken)
    taken[3].write_text("x")
    for path in taken:
        places.free(path)
    assert list(folder.iterdir()) == [taken[3]]


def test_names_that_are_too_long_are_cut_between_letters():
    folder = Path(tempfile.mkdtemp(prefix="recover_motion_test_"))
    path = part("places_of_takes").new_path(folder, "é" * 120, "motion.npz")
    assert path.name == "é" * 80 + ".motion.npz" and path.exists()
