"""How long a job still takes, judged by its stages."""

import pytest
from addon_parts import addon_parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    with addon_parts(tmp_path_factory.mktemp("tree"), "time_left_under_test") as part:
        yield part("time_left").TimeLeft, part("ghmr_engine.protocol")


STAGES = {"people": 34, "camera": 20, "lift": 18, "world": 11, "refine": 14, "write": 2}


def run(left, seconds):
    """Tell of stages that take the given seconds, ten times a second: (moment, whole, left) at each."""
    now, said = 100.0, []
    for stage, takes in seconds.items():
        steps = max(int(takes * 10), 1)
        for step in range(steps + 1):
            left.told(stage, step / steps, now + takes * step / steps)
            said.append((now + takes * step / steps, left.whole, left.seconds))
        now += takes
    return now, said


def test_stages_that_take_their_usual_parts_are_foretold_from_the_start(parts):
    end, said = run(parts[0](parts[1].Recover), STAGES)
    for now, _, left in said:
        assert left is None or left == pytest.approx(end - now, rel=0.05, abs=1.5)
    assert said[0][2] is None and said[40][2] is not None
    assert said[-1][1] == pytest.approx(1) and said[-1][2] == pytest.approx(0)
    wholes = [whole for _, whole, _ in said]
    assert wholes == sorted(wholes)


def test_what_was_kept_from_an_earlier_run_says_nothing_of_the_speed(parts):
    kept = {**STAGES, "people": 0.05, "camera": 0.05}
    end, said = run(parts[0](parts[1].Recover), kept)
    for now, _, left in said:
        assert left is None or left == pytest.approx(end - now, rel=0.1, abs=1.5)


def test_a_stage_that_is_left_out_counts_as_done(parts):
    left = parts[0](parts[1].Recover)
    left.told("people", 1, 34)
    left.told("write", 0.5, 40)
    assert left.whole == pytest.approx(0.99)
    left.told("a new one", 0.5, 41)
    assert left.whole == pytest.approx(0.99)


def test_finding_and_solving_again_have_stages_of_their_own(parts):
    for kind, stage in ((parts[1].Find, "people"), (parts[1].Resolve, "refine")):
        left = parts[0](kind)
        left.told(stage, 0.0, 0.0)
        left.told(stage, 0.5, 10.0)
        assert left.whole == pytest.approx(0.48, abs=0.05) and left.seconds == pytest.approx(11, abs=2)
