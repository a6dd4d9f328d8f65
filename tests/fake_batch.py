"""`ghmr batch` with the engine of fake_engine.py: PATIENCE_S, then its arguments."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from ghmr_engine import cli
from ghmr_engine.batch import command
from ghmr_engine.batch.warm_engine import WarmEngine

if __name__ == "__main__":
    fake = (sys.executable, Path(__file__).with_name("fake_engine.py"))
    command.WarmEngine = partial(WarmEngine, command=fake, patience_s=float(sys.argv.pop(1)))
    cli.app(sys.argv[1:])
