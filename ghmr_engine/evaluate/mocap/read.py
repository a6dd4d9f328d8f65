"""Reads a motion capture file of any known form, which it tells by the ending and the content."""

from __future__ import annotations

from pathlib import Path

from ghmr_engine.evaluate.mocap.amass import read_amass
from ghmr_engine.evaluate.mocap.asf_amc import read_asf_amc
from ghmr_engine.evaluate.mocap.bvh import read_bvh
from ghmr_engine.evaluate.mocap.capture import Capture
from ghmr_engine.evaluate.mocap.expmap import COLUMNS, read_expmap
from ghmr_engine.evaluate.mocap.humanoid import read_humanoid
from ghmr_engine.evaluate.mocap.source import bad_capture, read_text

_READERS = {".amc": read_asf_amc, ".bvh": read_bvh, ".npz": read_amass}
_FORMS = "Give an .amc with its .asf, a .bvh, an AMASS .npz, or a .txt of a humanoid's JSON or of 117 columns."


def read_capture(path: Path) -> Capture:
    """The capture of an .amc (beside its .asf), .bvh, .npz (AMASS) or .txt (humanoid's JSON or exponential maps).

    Raises RecoverError, in one sentence, for whatever is wrong with the file.
    """
    ending = path.suffix.lower()
    if ending in _READERS:
        return _READERS[ending](path)
    if ending != ".txt":
        raise bad_capture(path, "is of no form of motion capture that is known here", _FORMS)
    start = read_text(path).lstrip()
    if start.startswith("{"):
        return read_humanoid(path)
    if start.partition("\n")[0].count(",") + 1 in COLUMNS:
        return read_expmap(path)
    raise bad_capture(path, "is text of no form that is known here", _FORMS)
