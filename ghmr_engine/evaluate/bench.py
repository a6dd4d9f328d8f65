"""The benchmark: every clip of a suite by every method, in one run on one machine; a table, a CSV and a picture."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ghmr_engine import places
from ghmr_engine.body.smpl import load_body
from ghmr_engine.errors import RecoverError
from ghmr_engine.evaluate.compare import Report, compare
from ghmr_engine.evaluate.measures import CameraMeasures
from ghmr_engine.evaluate.methods import METHODS, read_result
from ghmr_engine.evaluate.suite import find_clips
from ghmr_engine.evaluate.tracks import tracks_of
from ghmr_engine.motion_file import read_motion


@dataclass(frozen=True)
class Row:
    """One method on one clip."""

    clip: str
    method: str
    frames: int
    seconds: float
    """Of the whole process, from its start to its end."""
    peak_mb: float | None
    """Largest resident memory of the process; None where the system does not say."""
    failed: str
    """Why there is no result, or empty."""
    report: Report | None


COLUMNS: dict[str, tuple[str, int, Callable[[Row], float | None]]] = {
    "missed": ("%", 1, lambda row: _of(row, lambda r: None if r.missed is None else 100 * r.missed)),
    "PA-MPJPE": ("mm", 1, lambda row: _mean(row, "pa_mpjpe_mm")),
    "MPJPE": ("mm", 1, lambda row: _mean(row, "mpjpe_mm")),
    "WA-MPJPE100": ("mm", 1, lambda row: _mean(row, "wa_mpjpe100_mm")),
    "W-MPJPE100": ("mm", 1, lambda row: _mean(row, "w_mpjpe100_mm")),
    "RTE": ("%", 2, lambda row: _mean(row, "rte_percent")),
    "jitter": ("10 m/s3", 1, lambda row: _mean(row, "jitter")),
    "sliding": ("mm", 2, lambda row: _mean(row, "foot_sliding_mm")),
    "penetration": ("mm", 2, lambda row: _mean(row, "penetration_mm")),
    "contact F1": ("", 2, lambda row: _mean(row, "contact_f1")),
    "people apart": ("% off", 1, lambda row: _of(row, lambda r: r.apart_percent)),
    "camera turn": ("deg", 2, lambda row: _of(row, lambda r: r.camera.rotation_deg)),
    "camera turn rms": ("deg", 2, lambda row: _of(row, lambda r: r.camera.rotation_rms_deg)),
    "camera path": ("%", 2, lambda row: _of(row, lambda r: r.camera.path_percent)),
    "camera scale": ("% off", 1, lambda row: _of(row, lambda r: _scale_off(r.camera.scale))),
    "stands or moves": ("% right", 0, lambda row: _of(row, lambda r: 100.0 * _told_right(r.camera))),
    "up": ("deg", 2, lambda row: _of(row, lambda r: r.camera.tilt_deg)),
    "frames/s": ("", 1, lambda row: row.frames / row.seconds if row.report else None),
    "memory": ("MB", 0, lambda row: row.peak_mb),
}
"""Head of a column: its unit, digits to print, and its value of a row."""


def _scale_off(scale: float | None) -> float | None:
    """Percent, without its sign: means of a column must not let errors cancel."""
    return None if scale is None else 100 * abs(scale - 1)


def _told_right(camera: CameraMeasures) -> bool:
    return camera.stands == camera.truly_stands


def _of(row: Row, value: Callable[[Report], float | None]) -> float | None:
    return None if row.report is None else value(row.report)


def _mean(row: Row, field: str) -> float | None:
    return None if row.report is None or row.report.mean is None else getattr(row.report.mean, field)


def run_suite(folder: Path, methods: tuple[str, ...], report: Callable[[str, float], None]) -> list[Row]:
    """Every clip of a folder by every method, one after the other. Raises RecoverError no_suite, bad_option.

    A method that fails on a clip has a row that says why. report is told what runs and the share that is done.
    """
    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise RecoverError("bad_option", f"There is no method '{unknown[0]}'.", f"Choose from: {', '.join(METHODS)}.")
    clips = find_clips(folder)
    body = load_body(places.body_path(), "cpu")
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for place, (name, (clip, truth)) in enumerate(clips.items()):
            true = tracks_of(read_motion(truth), body)
            for number, method in enumerate(methods):
                what, share = f"{name}, {method}", (place + number / len(methods)) / len(clips)
                report(what, share)
                out = Path(work) / f"{name}.{method}.motion.npz"
                seconds, peak, said = _run_alone(method, clip, truth, out, lambda: report(what, share))  # noqa: B023
                result = None if said else compare(read_result(method, out), true)
                rows.append(Row(name, method, len(true.R), seconds, peak, said, result))
                out.unlink(missing_ok=True)
    report("done", 1.0)
    return rows


def _run_alone(
    method: str, clip: Path, truth: Path, out: Path, watch: Callable[[], None]
) -> tuple[float, float | None, str]:
    """Seconds, peak memory in MB, and what went wrong (empty where nothing did). watch: called often, may raise."""
    command = [sys.executable, "-m", "ghmr_engine.evaluate.methods", method, str(clip), str(truth), str(out)]
    peak = None
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)
        try:
            while process.returncode is None:
                time.sleep(0.02)
                peak = _look(process) or peak
                watch()
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        seconds = time.perf_counter() - began
        words.seek(0)
        lines = words.read().decode(errors="replace").strip().splitlines()
    return seconds, peak, "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")


def _look(process: subprocess.Popen) -> float | None:
    """Note the exit code of a process that has ended; its peak memory in MB where the system tells."""
    if not hasattr(os, "wait4"):
        process.poll()
        return None
    ended, status, used = os.wait4(process.pid, os.WNOHANG)
    if not ended:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def averages(rows: list[Row]) -> dict[str, dict[str, float | None]]:
    """method -> column -> mean over the clips that have it."""
    means: dict[str, dict[str, float | None]] = {}
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        means[method] = {}
        for head, (_, _, value) in COLUMNS.items():
            values = [found for row in own if (found := value(row)) is not None]
            means[method][head] = sum(values) / len(values) if values else None
    return means


def table(rows: list[Row]) -> str:
    """Markdown: the mean over clips, a row a method; then every clip, by each method; then what failed."""
    means = averages(rows)
    clips = list(dict.fromkeys(row.clip for row in rows))
    lines = [f"Mean over {len(clips)} clips, {sum(row.frames for row in rows) // max(len(means), 1)} frames:", ""]
    lines += _markdown([[method, *_cells(values)] for method, values in means.items()], "method")
    lines += ["", "Each clip:", ""]
    each = [
        [f"{row.clip}, {row.method}", *_cells({head: column[2](row) for head, column in COLUMNS.items()})]
        for row in rows
    ]
    lines += _markdown(each, "clip, method")
    failed = [f"{row.clip}, {row.method} failed: {row.failed}" for row in rows if row.failed]
    return "\n".join([*lines, *([""] if failed else []), *failed])


def _cells(values: dict[str, float | None]) -> list[str]:
    return ["-" if value is None else f"{value:.{COLUMNS[head][1]}f}" for head, value in values.items()]


def _markdown(rows: list[list[str]], first: str) -> list[str]:
    heads = [first, *(f"{head} {unit}".rstrip() for head, (unit, _, _) in COLUMNS.items())]
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])

    def line(row: list[str]) -> str:
        return "| " + " | ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ) + " |"  # fmt: skip

    return [line(heads), f"|{rule}|", *(line(row) for row in rows)]


def write_csv(rows: list[Row], path: Path) -> None:
    """One line a clip and method, all columns in full."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        heads = [f"{head} [{unit}]" if unit else head for head, (unit, _, _) in COLUMNS.items()]
        writer.writerow(["clip", "method", "frames", "seconds", *heads, "false people", "identity switches", "failed"])
        for row in rows:
            values = [column[2](row) for column in COLUMNS.values()]
            people = ("", "") if row.report is None else (row.report.false_people, row.report.identity_switches)
            start = [row.clip, row.method, row.frames, f"{row.seconds:.2f}"]
            cells = ["" if value is None else f"{value:.6g}" for value in values]
            writer.writerow([*start, *cells, *people, row.failed])
