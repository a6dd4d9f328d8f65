"""An install.py that installs nothing and says what one says.

The file `behaviour` beside it says how it goes: well, fails, crash, garbage, stuck (hears nothing and has a child),
slow (until its input is closed). Standard library only; every run leaves a line in `runs` beside it.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def tell(**values):
    os.write(1, json.dumps(values).encode() + b"\n")


def engine():
    """What is ready afterwards: a home with an interpreter and set-up's two files."""
    home = Path(os.environ["RECOVER_MOTION_HOME"])
    python = home / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text("")
    steps = ("env environment", "env engine", "env torch", "env source", "open body", "self-test")
    (home / "setup.json").write_text(json.dumps(dict.fromkeys(steps, "done")))


def slow():
    def wait():
        while os.read(0, 100):
            continue
        tell(error={"code": "cancelled", "message": "Stopped.", "fix": "Again."})
        os._exit(130)

    threading.Thread(target=wait, daemon=True).start()
    while True:
        tell(step="PyTorch (CPU)", number=3, of=7, share=0.5, text="torch, 95 of 190 MB")
        time.sleep(0.02)


def main():
    behaviour = (HERE / "behaviour").read_text()
    with (HERE / "runs").open("a") as runs:
        runs.write(" ".join(sys.argv[1:]) + "\n")
    os.write(2, f"variables {' '.join(sorted(os.environ))}\n".encode())
    if sys.argv[1] == "uninstall":
        (Path(os.environ["RECOVER_MOTION_HOME"]) / "setup.json").unlink()
        return 0
    tell(step="Packages", number=2, of=7, share=None, text="")
    if behaviour == "garbage":
        os.write(
            1, b'pip says hello\n\xff\n[]\n{"step": 3, "number": "x", "share": {}}\n{"error": 3}\n{"done": 1}\n{"st'
        )
    if behaviour == "fails":
        tell(error={"code": "no_network", "message": "The index cannot be reached.", "fix": "Check the connection."})
        return 1
    if behaviour == "crash":
        os.write(2, b"many words\nMemoryError: all gone\n")
        os._exit(139)
    if behaviour == "stuck":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (HERE / "child").write_text(str(child.pid))
        time.sleep(600)
    if behaviour == "slow":
        slow()
    if behaviour == "garbage":
        os.write(1, b'ep": "Packages"}\n')
    engine()
    tell(done=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
