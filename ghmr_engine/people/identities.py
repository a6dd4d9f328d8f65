"""Who is who, as the user says: the tracks of everybody, cut and joined to the people that are wanted.

docs/people_file.md describes the file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ghmr_engine.errors import RecoverError
from ghmr_engine.people.bridging import bridged_track
from ghmr_engine.plain_files import read_json
from ghmr_engine.types import People, Track

VERSION = 1
"""Of what is made of the tracks: kept results follow it."""
_FORMAT, _FILE_VERSION = "recover-motion identities", 1
_CHOOSE_AGAIN = "Find the people again, and choose anew."


@dataclass(frozen=True)
class Part:
    """Frames of one track."""

    person: int
    """As a run that finds everybody numbers people."""
    first: int
    """First frame of the motion."""
    last: int
    """Last frame (included)."""


@dataclass(frozen=True)
class Identity:
    """One person who is wanted."""

    name: str
    """May be empty."""
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Identities:
    """Everybody who is wanted, in the order of their numbers from 1."""

    people: tuple[Identity, ...]

    @property
    def names(self) -> dict[str, str]:
        """{number: name} of those who have one."""
        return {str(number): one.name for number, one in enumerate(self.people, 1) if one.name}

    @property
    def sha256(self) -> str:
        """Of all but the names, which change no motion."""
        parts = [[[part.person, part.first, part.last] for part in one.parts] for one in self.people]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_identities(path: Path) -> Identities:
    """What a file says. Raises RecoverError: no_identities, bad_identities, nobody."""
    try:
        content = read_json(path)
    except OSError as error:
        raise RecoverError(
            "no_identities", f"Cannot read {path} ({error.strerror}).", "Choose the file with --identities."
        ) from error
    except ValueError as error:
        raise _bad(path, "it is not JSON") from error
    try:
        if (content["format"], content["version"]) != (_FORMAT, _FILE_VERSION):
            raise ValueError(f"it is not '{_FORMAT}' of version {_FILE_VERSION}")
        people = tuple(_identity(entry) for entry in content["people"])
    except KeyError as error:
        raise _bad(path, f"{error} is missing") from error
    except (TypeError, ValueError) as error:
        raise _bad(path, str(error)) from error
    if not people:
        raise RecoverError("nobody", f"Nobody is left in {path.name}.", "Choose one person at least.")
    return Identities(people)


def identified(everybody: People, identities: Identities, fps: float) -> People:
    """The people of `identities`, numbered from 1, made of the sightings in their parts; between parts gaps are bridged
    as within a track. Where anybody is (the masks) stays as it was.

    Raises RecoverError: no_such_person, parts_overlap, nobody.
    """
    tracks = {track.person: track for track in everybody.tracks}
    taken = {number: np.zeros(len(track.frames), bool) for number, track in tracks.items()}
    for identity in identities.people:
        for part in identity.parts:
            if part.person not in tracks:
                raise RecoverError(
                    "no_such_person", f"There is no person {part.person}, only 1 to {len(tracks)}.", _CHOOSE_AGAIN
                )
    wanted = tuple(_joined(number, one, tracks, taken, fps) for number, one in enumerate(identities.people, 1))
    return replace(everybody, tracks=wanted)


def _joined(
    number: int, identity: Identity, tracks: dict[int, Track], taken: dict[int, np.ndarray], fps: float
) -> Track:
    """One person's track. taken: of each track (N,) bool, which of its frames somebody has; is added to."""
    who = identity.name or f"Person {number}"
    frames, keypoints, world = [], [], []
    for part in identity.parts:
        track = tracks[part.person]
        # Bridges are built anew: one may have ended in frames that are another's now.
        own = track.seen & (track.frames >= part.first) & (track.frames <= part.last)
        if (own & taken[part.person]).any():
            frame = track.frames[own & taken[part.person]][0]
            raise _overlap(f"{who} takes person {part.person}'s frame {frame}, which is taken already.")
        taken[part.person] |= own
        frames.append(track.frames[own])
        keypoints.append(track.keypoints[own])
        world.append(track.world_landmarks[own])
    have = np.concatenate(frames)
    order = np.argsort(have)
    have = have[order]
    if not len(have):
        raise RecoverError("nobody", f"{who} is seen in none of the frames that were chosen.", _CHOOSE_AGAIN)
    twice = have[1:][np.diff(have) == 0]
    if len(twice):
        raise _overlap(f"{who} would be in two places in frame {twice[0]}.")
    offsets = tracks[identity.parts[0].person].offsets
    keypoints, world = np.concatenate(keypoints)[order], np.concatenate(world)[order]
    return bridged_track(number, have, keypoints, world, fps, offsets, main=True)


def _identity(entry: dict) -> Identity:
    """One entry of the file. Raises KeyError, TypeError, ValueError."""
    name, parts = entry["name"], tuple(_part(part) for part in entry["parts"])
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no name")
    if not parts:
        raise ValueError(f"{name!r} has no parts")
    return Identity(name, parts)


def _part(part: dict) -> Part:
    numbers = part["person"], part["first"], part["last"]
    if not all(type(number) is int for number in numbers) or part["first"] > part["last"]:
        raise ValueError(f"{part} is no person with a first and a last frame")
    return Part(*numbers)


def _overlap(text: str) -> RecoverError:
    return RecoverError("parts_overlap", text, "Let one part end before the other begins.")


def _bad(path: Path, why: str) -> RecoverError:
    return RecoverError("bad_identities", f"{path.name} does not say who is who: {why}.", "See docs/people_file.md.")
