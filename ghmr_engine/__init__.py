"""The Recover Motion engine: a video goes in, people in one metric world and the camera that filmed them come out."""

__version__ = "0.1.0"
