"""How far pip is: what it says, and how much of the file that it fetches right now has come down."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ghmr_engine import places
from installer.show import Step

_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_WORTH_COUNTING = 2_000_000
"""Bytes: smaller files are down before anybody reads how far they are."""


class Pip:
    """Follows one run of pip and shows it in a step."""

    def __init__(self, step: Step, files: Sequence[Path], folder: Path) -> None:
        """files: locks, whose packages are counted; folder: pip's own for what is on its way."""
        self.environment: Mapping[str, str] = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
        self._step, self._folder = step, folder
        texts = (file.read_text(encoding="utf-8") for file in files)
        self._total = sum(len(re.findall(r"^\S+==", text, re.MULTILINE)) for text in texts) or 1
        self._seen = 0
        self._unpacking = False
        self._words = ""
        self._name, self._bytes = "", 0.0

    def line(self, text: str) -> None:
        """Something that pip said."""
        self._seen += text.startswith(("Collecting ", "Requirement already satisfied", "Ignoring "))
        self._unpacking = self._unpacking or text.startswith("Installing collected")
        self._words, self._name, self._bytes = "unpacking" if self._unpacking else _short(text), "", 0.0
        found = re.match(r"\s*Downloading (\S+) \(([\d.]+) ([kMG]?B)\)", text)
        if found:
            self._name = re.split(r"[/\\]", found[1])[-1].split("-")[0]
            self._bytes = float(found[2]) * _UNITS[found[3]]
        self.tick()

    def tick(self) -> None:
        """Show it; pip itself counts bytes for terminals only."""
        share = min(self._seen / self._total, 1)
        if self._bytes < _WORTH_COUNTING:
            self._step.update(0.9 if self._unpacking else 0.9 * share, self._words)
            return
        there = min(_largest(self._folder), self._bytes)
        part = (there / self._bytes - 1) / self._total
        words = f"{self._name}, {there / 1e6:.0f} of {self._bytes / 1e6:.0f} MB"
        self._step.update(0.9 * max(share + part, 0), words)


@contextlib.contextmanager
def following(step: Step, files: Sequence[Path]) -> Iterator[Pip]:
    """A folder for what pip has half-way, on the disk that was looked at for room; gone when pip has ended."""
    folder = places.home() / "downloads"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield Pip(step, files, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _largest(folder: Path) -> int:
    """Bytes of the largest file there: the one that comes down. Files may go while one looks."""
    sizes = [0]
    for path in folder.glob("*/*"):
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return max(sizes)


def _short(line: str) -> str:
    """What a line of pip says is going on, without paths."""
    found = re.match(r"\s*(Collecting|Downloading|Using cached|Saved)\s+(\S+)(.*)", line)
    if not found:
        return ""
    name = re.split(r"[/\\]", found[2])[-1]
    size = re.search(r"\([\d.]+ [kMG]?B\)", found[3])
    return f"{found[1].lower()} {name} {size[0] if size else ''}".rstrip()
