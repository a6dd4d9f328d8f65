"""How tests run `ghmr batch`, and what they find afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ghmr_engine.batch import manifest

REPO = Path(__file__).resolve().parent.parent
FAKE = (sys.executable, str(REPO / "tests" / "fake_batch.py"), "30")
REAL = (sys.executable, "-m", "ghmr_engine.cli")


@dataclass(frozen=True)
class Ran:
    """What a batch said and how it ended."""

    code: int
    lines: list[dict]
    err: str

    def states(self) -> dict[str, str]:
        """Of the clips, by their files' names, in the order in which they came to an end."""
        ends = [line for line in self.lines if line["state"] in ("done", "review", "failed")]
        return {Path(line["clip"]).name: line["state"] for line in ends}

    def before(self) -> set[str]:
        """Files' names of the clips that an earlier run had done."""
        return {Path(line["clip"]).name for line in self.lines if line.get("before")}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1", **more}


def begin(program: tuple[str, ...], *arguments: object, env: dict[str, str] | None = None) -> subprocess.Popen:
    """Start it, with JSON lines."""
    return subprocess.Popen(
        [*program, "batch", "--json", *map(str, arguments)], env=env or environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def end(process: subprocess.Popen, timeout: float = 120) -> Ran:
    out, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, [json.loads(line) for line in out.splitlines()], err.decode())


def run(program: tuple[str, ...], *arguments: object, env: dict[str, str] | None = None) -> Ran:
    return end(begin(program, *arguments, env=env))


def hear(process: subprocess.Popen, holds: Callable[[dict], bool]) -> dict:
    """Read what it says until `holds`."""
    for line in process.stdout:
        message = json.loads(line)
        if holds(message):
            return message
    raise AssertionError(process.stderr.read().decode())


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def records(folder: Path) -> dict[str, dict]:
    """The last of each clip, by the file's name."""
    return {Path(clip).name: record for clip, record in manifest.latest(manifest.read(folder), "motion").items()}


def wait_until(holds: Callable[[], bool], timeout: float) -> None:
    until = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
