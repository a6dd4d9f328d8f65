"""The add-on's side of the people file, outside Blender: reading it, merging, splitting, picking."""

import importlib
import json
import sys

import numpy as np
import pytest
from extension_tree import assemble_extension


@pytest.fixture(scope="module")
def people_file(tmp_path_factory):
    """The module as the extension has it, without Blender."""
    package = assemble_extension(tmp_path_factory.mktemp("extension"))
    (package / "__init__.py").write_text("")
    parent = str(package.parent)
    sys.path.insert(0, parent)
    yield importlib.import_module("recover_motion.people_file")
    sys.path.remove(parent)
    for name in [name for name in sys.modules if name.split(".")[0] == "recover_motion"]:
        del sys.modules[name]


def written(path, **changes):
    entry = {"main": True, "seen": 1.0, "frames": [2, 3, 5], "boxes": [[0, 0, 10, 20], [1, 0, 11, 20], [3, 0, 13, 20]]}
    content = {
        "format": "recover-motion people", "version": 1, "engine": "0.1.0",
        "video": {"name": "a.mp4", "path": "/clips/a.mp4", "sha256": "0" * 64}, "fps": [30000, 1001], "frames": 8,
        "image_size": [640, 360], "start": 4,
        "people": [
            {**entry, "person": 1, "thumbnail": "a.person1.jpg"},
            {**entry, "person": 2, "frames": [5, 6, 7], "thumbnail": "a.person2.jpg"},
            {**entry, "person": 3, "frames": [], "boxes": [], "thumbnail": "a.person3.jpg"},
        ],
        **changes,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def test_the_file_is_read_anew_only_when_it_changed(people_file, tmp_path):
    path = written(tmp_path / "a.people.json")
    found = people_file.people_in(path)
    assert found.size == (640, 360) and found.start == 4 and float(found.fps) == 30000 / 1001
    assert found.people[2].thumbnail == tmp_path / "a.person2.jpg" and found.people[3].boxes.shape == (0, 4)
    assert people_file.people_in(path) is found
    assert people_file.clip_of(path) == "/clips/a.mp4" and people_file.clip_of(tmp_path / "none") == ""


@pytest.mark.parametrize("changes", [{"format": "other"}, {"version": 2}, {"people": [{}]}, {"people": 3}, {"fps": 3}])
def test_another_file_is_refused_in_words(people_file, tmp_path, changes):
    with pytest.raises(Exception, match=r"does not say who is in the clip\. Find the people again\.") as caught:
        people_file.people_in(written(tmp_path / "a.people.json", **changes))
    assert type(caught.value).__name__ == "RecoverError"


def test_boxes_and_frames_follow_the_parts(people_file, tmp_path):
    found = people_file.people_in(written(tmp_path / "a.people.json"))
    parts = [(1, 0, 3), (2, 6, 7), (9, 0, 7), (3, 0, 7)]
    assert people_file.visible(found, parts).tolist() == [2, 3, 6, 7]
    assert people_file.visible(found, []).tolist() == []
    assert people_file.box_at(found, parts, 3).tolist() == [1, 0, 11, 20]
    assert [people_file.box_at(found, parts, frame) for frame in (0, 4, 5, 8)] == [None] * 4
    assert people_file.both_visible(found, [(1, 0, 7)], [(2, 0, 7)]).tolist() == [5]
    assert people_file.both_visible(found, [(1, 0, 4)], [(2, 0, 7)]).tolist() == []


def test_what_was_cut_becomes_whole_again(people_file):
    parts = [(1, 0, 30), (4, 40, 99)]
    before, after = people_file.cut(parts, 35)
    assert (before, after) == ([(1, 0, 30)], [(4, 40, 99)])
    before, after = people_file.cut(parts, 50)
    assert (before, after) == ([(1, 0, 30), (4, 40, 49)], [(4, 50, 99)])
    assert people_file.joined(after + before) == parts
    assert people_file.cut(parts, 0) == ([], parts) and people_file.cut(parts, 100) == (parts, [])


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([7], "7"), ([1, 2, 3], "1 to 3"), ([1, 2, 5, 8, 9], "1 to 2, 5, 8 to 9"), ([1, 3, 5, 7], "1, 3, 5 and others")
    ],
)  # fmt: skip
def test_frames_are_told_in_stretches(people_file, frames, text):
    assert people_file.stretches(np.array(frames)) == text


def test_a_click_means_the_box_whose_middle_is_nearest(people_file):
    boxes = np.array([[0, 0, 100, 300], [60, 100, 160, 200], [np.nan] * 4])
    assert [people_file.under(boxes, point) for point in ((50, 150), (75, 110), (99, 190), (155, 199))] == [0, 0, 1, 1]
    assert people_file.under(boxes, (161, 150)) is None and people_file.under(boxes, (50, 301)) is None
    assert people_file.under(np.empty((0, 4)), (1, 1)) is None
    assert people_file.under(boxes[2:], (1, 1)) is None


def test_the_engine_is_told_in_its_own_format(people_file, tmp_path):
    people_file.write_identities(tmp_path / "a.json", [("Zoë", [(1, 0, 3), (2, 6, 7)]), ("", [(3, 0, 7)])])
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "format": "recover-motion identities", "version": 1,
        "people": [
            {"name": "Zoë", "parts": [{"person": 1, "first": 0, "last": 3}, {"person": 2, "first": 6, "last": 7}]},
            {"name": "", "parts": [{"person": 3, "first": 0, "last": 7}]},
        ],
    }  # fmt: skip
