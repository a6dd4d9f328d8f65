"""What install.py does, in parts. Standard library only; it never imports the engine's networks or Blender."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder with install.py: a checkout of the project, or the installed extension."""

ASSETS = ROOT / "assets"
