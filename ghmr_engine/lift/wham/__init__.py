"""WHAM (Shin and others, CVPR 2024), from the user's own checkpoint: another reading of a person's motion."""
