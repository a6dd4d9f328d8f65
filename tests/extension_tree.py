"""The extension's files laid out as the built zip has them, for tests that import it."""

import shutil
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def assemble_extension(into: Path) -> Path:
    """Copy the add-on, with the engine inside it, to `into`/recover_motion and return that folder."""
    package = into / "recover_motion"
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPO / "blender_addon", package, ignore=without_caches)
    shutil.copytree(REPO / "ghmr_engine", package / "ghmr_engine", ignore=without_caches)
    shutil.copytree(REPO / "assets" / "rig_maps", package / "assets" / "rig_maps")
    shutil.copy2(REPO / "assets" / "bone_words.json", package / "assets")
    if (REPO / "install.py").is_file():
        shutil.copy2(REPO / "install.py", package)
    return package
