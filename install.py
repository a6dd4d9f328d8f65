#!/usr/bin/env python3
"""Installs and runs Recover Motion: `python3 install.py demo`. `python3 install.py --help` lists the commands."""

# This file is kept readable for old Pythons, so that they can say which one is needed.
import sys

OLDEST, NEWEST = (3, 11), (3, 14)


def main():
    """Check the Python, then hand over; returns the exit code."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(
            "Recover Motion needs Python {}.{} to {}.{}; this is Python {}.{}.\n"
            "What to do: start install.py with one of those, for example: python3.11 install.py setup\n"
            "(Debian and Ubuntu: sudo apt-get install -y python3.11 python3.11-venv; others: python.org)".format(
                *OLDEST, *NEWEST, *sys.version_info[:2]
            ),
            file=sys.stderr,
        )
        return 1
    from installer import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
