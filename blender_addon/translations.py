"""The add-on in the user's language. Blender looks up labels and tooltips itself; other texts go through here.

A text that is not in the tables (translations_LANGUAGE.py) stays English.
"""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface, pgettext_rpt

from .translations_de import GERMAN

_TABLES = {"de_DE": GERMAN}
_CONTEXTS = ("*", "Operator")
"""Blender keeps what buttons say apart from everything else; the tables do not."""


def local(text: str, /, **values: object) -> str:
    """A text for panels, in the user's language, with values put where it names them in braces."""
    return _filled(pgettext_iface(text), values)


def told(text: str, /, **values: object) -> str:
    """The same for reports and for why a button cannot be pressed."""
    return _filled(pgettext_rpt(text), values)


def fault(error: object) -> str:
    """One line of an error that has a message and what to do (RecoverError, protocol.Error), or of any other."""
    parts = (getattr(error, "message", None) or str(error), getattr(error, "fix", ""))
    return " ".join(told(part) for part in parts if part)


def _filled(text: str, values: dict[str, object]) -> str:
    return text.format(**values) if values else text


def register() -> None:
    """Called by the add-on."""
    tables = {
        language: {(context, text): said for text, said in table.items() for context in _CONTEXTS}
        for language, table in _TABLES.items()
    }
    bpy.app.translations.register(__package__, tables)


def unregister() -> None:
    """Called by the add-on."""
    bpy.app.translations.unregister(__package__)
