"""Progress: shares, the time left, and how often it is said."""

import pytest

from ghmr_engine import progress, protocol, serve
from ghmr_engine.errors import Cancelled


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(serve, "time", clock)
    return clock


def test_the_time_left_is_what_it_took_so_far(clock):
    said = []
    report = progress.stage_report("people", said.append)
    report(0.0)
    clock.now += 10
    report(0.25)
    assert said == [progress.Progress("people", 0.0, None), progress.Progress("people", 0.25, 30.0)]


def test_a_share_stays_between_nothing_and_all():
    said = []
    report = progress.stage_report("lift", said.append)
    report(-0.5)
    report(1.5)
    assert [each.done for each in said] == [0.0, 1.0]


def test_the_wish_to_stop_comes_through():
    def emit(_progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        progress.stage_report("lift", emit)(0.5)


def test_lines_come_ten_times_a_second_and_at_both_ends(clock):
    said = []
    lines = serve.ProgressLines(7, said.append)
    for stage in ("people", "camera"):
        for step in range(1001):  # a second
            lines(progress.Progress(stage, step / 1000, None))
            clock.now += 0.001
    assert all(type(each) is protocol.Progress and each.id == 7 and each.total == 1.0 for each in said)
    for stage in ("people", "camera"):
        shares = [each.done for each in said if each.stage == stage]
        assert shares[0] == 0.0 and shares[-1] == 1.0 and shares == sorted(shares)
        assert 10 <= len(shares) <= 13
