"""Which Python can make the engine's environment: Blender's own, or one that is here. Plain Python, no bpy."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
"""Of install.py, which says the same."""

UNFIT, NO_PACKAGES = 3, 4
"""Exit codes of PROBE: another version of Python; no venv, pip or ssl."""

PROBE = f"""
import sys
if not {OLDEST} <= sys.version_info[:2] <= {NEWEST} or sys.maxsize < 2**32:
    sys.exit({UNFIT})
try:
    import ensurepip, ssl, venv
except ImportError:
    sys.exit({NO_PACKAGES})
"""
"""What a Python is asked with -I -c; exit code 0: it will do."""


def candidates(prefix: Path = Path(sys.base_prefix), path: str | None = None) -> list[Path]:
    """Programs to try, the best first; each may be something else than it is called.

    prefix: of the Python inside Blender, from which alone its program is found: sys.executable may be anything there.
    path: where programs are looked for; None: the PATH.
    """
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    inside = [prefix / "bin" / name, prefix / "bin" / "python.exe", prefix / "bin" / "python3", prefix / "python.exe"]
    found = [program for program in inside if program.is_file()]
    names = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)] + ["python3", "python"]
    found += [Path(program) for program in (shutil.which(name, path=path) for name in names) if program]
    return list(dict.fromkeys(found))


def none_found(codes: Sequence[int | None]) -> tuple[str, str]:
    """What is wrong and what to do where no candidate would do. codes: what they ended with, None: not at all."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if NO_PACKAGES in codes and os.name == "posix" and sys.platform != "darwin":
        return (
            f"Blender's Python here ({version}) comes without what makes an environment.",
            f"Install the package python{version}-venv with the system's software installer "
            "(sudo apt install), or use Blender from blender.org; then Retry.",
        )
    return (
        f"There is no Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} that works, inside Blender or outside.",
        "Install Python 3.11 from python.org, then Retry.",
    )
