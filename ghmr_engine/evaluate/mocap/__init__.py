"""Motion capture files of five forms, read into one record."""

from ghmr_engine.evaluate.mocap.capture import Capture, forward
from ghmr_engine.evaluate.mocap.read import read_capture

__all__ = ["Capture", "forward", "read_capture"]
