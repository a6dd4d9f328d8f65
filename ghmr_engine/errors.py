"""The errors that users see: one line that says what is wrong, and what to do about it."""

from __future__ import annotations


class RecoverError(Exception):
    """A failure that the user can act on.

    code: short snake_case word for programs. message: what is wrong. fix: what to do.
    """

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.code = code
        self.message = message
        self.fix = fix


class Cancelled(Exception):
    """The user asked to stop; nothing is written."""
