"""Finding the people of a clip: the people file and its thumbnails, whole or not at all."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from ghmr_engine import __version__, output, people_file
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.options import Options
from ghmr_engine.people import find_people
from ghmr_engine.people.bridging import bridged_track
from ghmr_engine.people_file import THUMBNAIL, good_row, thumbnail
from ghmr_engine.pipeline import find
from ghmr_engine.progress import silent
from ghmr_engine.types import People
from ghmr_engine.video import open_video

OPTIONS = Options(start=10, end=39, people="1", quality="fast", focal=900.0)


@pytest.fixture(scope="module")
def found(demo_clip, tmp_path_factory):
    """The people file's folder, what `find` gave, and the stages that it went through."""
    folder, stages = tmp_path_factory.mktemp("find"), []
    content = find(demo_clip, folder / "a.b.people.json", OPTIONS, lambda each: stages.append(each.stage))
    return folder, content, list(dict.fromkeys(stages))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_says_what_the_people_stage_found(demo_clip, found):
    folder, content, stages = found
    assert json.loads((folder / "a.b.people.json").read_text(encoding="utf-8")) == content
    video = open_video(demo_clip, OPTIONS)
    (track,) = find_people(video, Options(people="all"), silent).tracks
    person = content["people"][0]
    assert (content["format"], content["version"], content["engine"]) == ("recover-motion people", 1, __version__)
    assert content["video"] == {"name": "demo.mp4", "path": str(demo_clip), "sha256": video.info.sha256}
    assert (content["fps"], content["frames"], content["image_size"], content["start"]) == ([30, 1], 30, [854, 480], 10)
    assert len(content["people"]) == 1 and (person["person"], person["main"], person["seen"]) == (1, True, 1.0)
    assert person["frames"] == track.frames.tolist() == list(range(30))
    np.testing.assert_allclose(person["boxes"], track.boxes, atol=0.05 + 1e-6)
    assert stages == ["video", "people", "write"]


def test_the_thumbnail_shows_the_person(demo_clip, found):
    folder, content, _ = found
    assert (
        names(folder) == ["a.b.people.json", "a.b.person1.jpg"]
        and content["people"][0]["thumbnail"] == names(folder)[1]
    )
    picture = cv2.imread(str(folder / "a.b.person1.jpg"))[..., ::-1].astype(float)
    assert picture.shape == (THUMBNAIL, THUMBNAIL, 3)
    # It is a piece of one of the clip's frames, around the box of that frame.
    video, person = open_video(demo_clip, OPTIONS), content["people"][0]
    apart = [
        abs(thumbnail(frame, np.array(box)).astype(float) - picture).mean()
        for frame, box in zip(video.frames(), person["boxes"], strict=True)
    ]
    assert min(apart) < 4 < np.median(apart) + 1e-9
    assert 3 < int(np.argmin(apart)) < 27


def test_a_second_run_uses_the_kept_people(demo_clip, tmp_path):
    def run(out):
        found_at = []
        find(demo_clip, out, Options(end=19), lambda each: found_at.append((each.stage, each.done)), tmp_path / "cache")
        return [done for stage, done in found_at if stage == "people"]

    assert len(run(tmp_path / "a.people.json")) == 22  # each frame, begin and end
    assert len(run(tmp_path / "b.people.json")) == 2
    assert names(tmp_path) == ["a.people.json", "a.person1.jpg", "b.people.json", "b.person1.jpg", "cache"]


@pytest.mark.parametrize("when", [("people", 0.5), ("write", 0.0), ("write", 1.0)], ids=str)
def test_stopped_it_leaves_nothing_and_what_was_there_stays(demo_clip, tmp_path, when):
    (tmp_path / "a.people.json").write_text("an older one")
    (tmp_path / "a.person1.jpg").write_text("an older one")

    def emit(progress):
        if progress.stage == when[0] and progress.done >= when[1]:
            raise Cancelled

    with pytest.raises(Cancelled):
        find(demo_clip, tmp_path / "a.people.json", Options(end=19), emit)
    assert names(tmp_path) == ["a.people.json", "a.person1.jpg"]
    assert {path.read_text() for path in tmp_path.iterdir()} == {"an older one"}


def test_a_disk_that_fills_up_leaves_nothing(demo_clip, tmp_path, monkeypatch):
    def full(picture):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(people_file, "jpeg", full)
    with pytest.raises(RecoverError) as caught:
        find(demo_clip, tmp_path / "a.people.json", Options(end=19), lambda _: None)
    assert caught.value.code == "disk_full" and names(tmp_path) == []


@pytest.mark.parametrize("name", ["a.json", ".people.json", "nowhere/a.people.json", "a.motion.npz"])
def test_a_place_that_cannot_be_written_is_said_before_any_work(demo_clip, tmp_path, name):
    said = []
    with pytest.raises(RecoverError) as caught:
        find(demo_clip, tmp_path / name, Options(), said.append)
    assert caught.value.code in ("bad_name", "no_folder") and said == [] and names(tmp_path) == []


def test_what_a_killed_run_left_is_dropped_and_nobody_else_s(tmp_path):
    dead, alive = f"{2**22 + 1}.part", f"{os.getppid()}.part"  # Linux numbers processes up to 2^22
    left = [f"a.people.json.{dead}", f"a.person1.jpg.{dead}", f"a.person12.jpg.{dead}"]
    others = ["a.people.json", "a.person1.jpg", f"a.personal.jpg.{dead}", f"ab.person1.jpg.{dead}",
              f"a.people.json.{alive}", f"a[1].person1.jpg.{dead}"]  # fmt: skip
    for name in (*left, *others):
        (tmp_path / name).write_text("x")
    output.drop_unfinished(tmp_path / "a.people.json")
    assert names(tmp_path) == sorted(others)
    output.drop_unfinished(tmp_path / "a[1].people.json")
    assert f"a[1].person1.jpg.{dead}" not in names(tmp_path)


def standing(person, places, spread=30.0, visibility=1.0):
    """A track of a figure 200 px high at places (N,) px, its shoulders `spread` px apart."""
    points = np.zeros((len(places), 33, 3))
    points[..., 0] = np.asarray(places)[:, None] + np.linspace(-20, 20, 33)
    points[..., 1] = np.linspace(100, 300, 33)
    points[:, 11, 0], points[:, 12, 0] = np.asarray(places) + spread / 2, np.asarray(places) - spread / 2
    points[..., 2] = np.broadcast_to(visibility, len(places))[:, None]
    return bridged_track(person, np.arange(len(places)), points, points, 30.0, np.zeros((33, 3)), main=True)


def test_the_good_frame_is_near_the_middle_and_without_others():
    one = standing(1, np.full(41, 300.0))
    masks = np.zeros((41, 1, 1), np.uint8)
    assert good_row(one, People((one,), masks, (1, 8)), 640, 480) == 20
    passing = standing(2, np.linspace(-500, 1100, 41))  # before the other in the middle
    row = good_row(one, People((one, passing), masks, (1, 8)), 640, 480)
    assert row != 20 and abs(passing.boxes[row, 0] - 300) > 100 and 10 < row < 30
    doubtful = standing(1, np.full(41, 300.0), visibility=np.where(np.arange(41) < 25, 0.3, 1.0))
    assert good_row(doubtful, People((doubtful,), masks, (1, 8)), 640, 480) == 25
    coming = standing(1, np.linspace(-60, 40, 41))  # with half of the body in the picture in frame 24
    assert good_row(coming, People((coming,), masks, (1, 8)), 640, 480) > 26


@pytest.mark.parametrize("box", [(10, 10, 60, 200), (-50, 100, 40, 470), (600, 400, 700, 600), (-900, 0, -800, 50)])
def test_a_thumbnail_lies_in_the_picture(box):
    picture = np.full((480, 640, 3), 200, np.uint8)
    assert (thumbnail(picture, np.array(box, float))[4:-4, 4:-4] > 190).all()


def test_a_thumbnail_is_where_the_box_is():
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[100:300, 200:280] = 255
    small = thumbnail(picture, np.array([200.0, 100, 280, 300]))
    y, x = np.nonzero(small[..., 0] > 128)
    scale = THUMBNAIL / 260
    assert abs(y.mean() - 63.5) < 0.6 and abs(x.mean() - 63.5) < 0.6
    assert abs(np.ptp(y) + 1 - 200 * scale) < 2 and abs(np.ptp(x) + 1 - 80 * scale) < 2


@pytest.mark.clips
@pytest.mark.slow
def test_two_people_have_two_thumbnails_of_different_people(clips_dir, tmp_path):
    clip = clips_dir / "two_people_occlusion.mp4"
    content = find(clip, tmp_path / "two.people.json", Options(), lambda _: None)
    assert [each["main"] for each in content["people"]] == [True, True]
    pictures = [cv2.imread(str(tmp_path / each["thumbnail"])).astype(float) for each in content["people"]]
    assert abs(pictures[0] - pictures[1]).mean() > 20
    assert 0.5 < content["people"][1]["seen"] < 1.0  # hidden for a moment
    assert Path(content["video"]["path"]) == clip
