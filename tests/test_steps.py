"""Running stages: seconds, progress, and which kept results are used again after what change."""

import re

import numpy as np
import pytest

from ghmr_engine.cache import Cache
from ghmr_engine.errors import Cancelled
from ghmr_engine.options import Options
from ghmr_engine.progress import STAGES
from ghmr_engine.result import NETWORKS
from ghmr_engine.steps import READS, Steps

ORDER = ("people", "camera", "lift", "world", "refine")


def run_all(folder, options=None, content="clip", versions=None):
    """One run through stages that count; gives the stages that were really run."""
    made = []
    steps = Steps(options or Options(), lambda progress: None, None if folder is None else Cache(folder))
    steps.depend_on("video", 1, content)
    value = np.zeros(2)
    for stage in ORDER:

        def call(before, report, stage=stage):
            made.append(stage)
            report(0.5)
            return before + 1

        value = steps.run_kept(stage, (versions or {}).get(stage, 1), call, value)
    assert value.tolist() == [5.0, 5.0]
    assert steps.cached == [stage for stage in ORDER if stage not in made]
    assert list(steps.seconds) == list(ORDER)
    return tuple(made)


def test_the_second_run_makes_nothing_again(tmp_path):
    assert run_all(tmp_path) == ORDER
    assert run_all(tmp_path) == ()


def test_without_a_folder_all_is_made_each_time():
    assert run_all(None) == ORDER
    assert run_all(None) == ORDER


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"quality": "best"}, ORDER[4:]),
        ({"height": 1.65}, ORDER[2:]),
        ({"focal": 900.0}, ORDER[1:]),
        ({"camera": "static"}, ORDER[1:]),
        ({"people": "all"}, ORDER),
        ({"start": 1}, ORDER),
        ({"end": 99}, ORDER),
        ({"fps": 25.0}, ORDER),
        ({"device": "cpu"}, ()),
    ],
    ids=str,
)
def test_another_option_repeats_only_what_follows_it(tmp_path, change, again):
    run_all(tmp_path)
    assert run_all(tmp_path, Options(**change)) == again
    assert run_all(tmp_path) == ()  # the first results are still there


def test_another_clip_or_model_repeats_everything(tmp_path):
    run_all(tmp_path)
    assert run_all(tmp_path, content="another") == ORDER


def test_a_new_version_of_a_stage_repeats_it_and_what_follows(tmp_path):
    run_all(tmp_path)
    assert run_all(tmp_path, versions={"lift": 2}) == ORDER[2:]


def test_a_stopped_stage_keeps_nothing(tmp_path):
    def stop(_progress):
        raise Cancelled

    def call(report):
        report(0.5)
        return np.zeros(1)

    steps = Steps(Options(), lambda progress: stop(progress) if progress.done == 0.5 else None, Cache(tmp_path))
    with pytest.raises(Cancelled):
        steps.run_kept("people", 1, call)
    assert not list(tmp_path.iterdir())


def test_progress_goes_from_nothing_to_all_once():
    said = []
    steps = Steps(Options(), said.append, None)
    steps.run("video", lambda report: report(0.5))
    assert [(each.stage, each.done) for each in said] == [("video", 0.0), ("video", 0.5), ("video", 1.0)]


def test_every_stage_that_reads_options_exists():
    assert set(READS) == set(STAGES) - {"write"}


@pytest.mark.parametrize("stage", READS)
def test_a_stage_reads_the_options_of_its_key_and_no_others(stage, repo):
    sources = [path.read_text(encoding="utf-8") for path in (repo / "ghmr_engine" / stage).rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"\boptions\.(\w+)", text)}
    if stage == "refine":
        read |= {"quality"}  # the pipeline asks whether the stage is wanted
    assert read == set(READS[stage])


def test_the_networks_that_the_file_names_are_those_that_are_loaded(repo):
    sources = [path.read_text(encoding="utf-8") for path in (repo / "ghmr_engine").rglob("*.py")]
    assert {name for text in sources for name in re.findall(r'model_file\("(\w+)"\)', text)} == set(NETWORKS)
