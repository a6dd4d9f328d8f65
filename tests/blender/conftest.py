"""These files run inside Blender (run_in_blender.py); pytest outside leaves them alone."""

collect_ignore_glob = ["*.py"]
