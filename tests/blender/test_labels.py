"""Runs inside Blender (run_in_blender.py): every label has a tooltip, and the translations fit what is said."""

import importlib
import os
import re
import string
from pathlib import Path

import bpy
from labels import constants, labels, spoken
from scenes import part

_DEVELOPERS = re.compile(
    r"\b(bool|boolean|enum|int|integer|str|string|float|None|null|RNA|bpy|JSON|npz|kwargs|args|dict|tuple|function|"
    r"callback|property|properties|datablock|data-block|pointer|array|tensor|quaternion|matrix|param|parameter|subprocess|"
    r"stdin|stdout|TODO|FIXME)\b|_[a-z]|[a-z]_"
)


class Registered:
    """The add-on, switched on for one test."""

    def __enter__(self):
        if hasattr(bpy.types.Collection, "recover_motion"):
            part("takes").unregister()  # another test's build put it there
        self.addon = importlib.import_module(os.environ["RECOVER_MOTION_PACKAGE"])
        self.addon.register()
        return Path(self.addon.__file__).parent

    def __exit__(self, *_error):
        self.addon.unregister()


def test_every_label_has_a_tooltip_in_an_animator_s_words():
    with Registered():
        found = list(labels())
    assert len(found) > 40 and any(where.endswith("add_foot_ik") for where, _, _ in found)
    wrong = []
    for where, label, tooltip in found:
        if not label:
            wrong.append(f"{where} has no label")
        if tooltip is None:
            continue
        if not tooltip or tooltip.strip().lower() == label.lower():
            wrong.append(f"{where} ({label}) has no tooltip")
        elif tooltip.rstrip().endswith(".") or "\n" in tooltip:
            wrong.append(f"{where}: Blender sets the full stop and the lines itself: {tooltip!r}")
        elif _DEVELOPERS.search(tooltip):
            wrong.append(f"{where}: no animator's word: {tooltip!r}")
    assert not wrong, "\n".join(wrong)


def test_german_translates_what_is_said():
    german = part("translations_de").GERMAN
    with Registered() as folder:
        shown = {text for _, label, tooltip in labels() for text in (label, tooltip) if text}
        stale = set(german) - shown - constants(folder)
    assert not stale, f"nobody says any more: {sorted(stale)}"
    for text, said in german.items():
        assert _fields(text) == _fields(said), text
        assert text.endswith(".") == said.endswith("."), text
    missing = sorted((shown | set(spoken(folder))) - set(german))
    print(f"{len(missing)} texts are English in German too:", *missing, sep="\n    ")  # noqa: T201


def _fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_texts_come_in_the_user_s_language():
    translations, view = part("translations"), bpy.context.preferences.view
    with Registered():
        assert translations.local("Hold Left") == "Hold Left"
        assert translations.local("Engine: {path}", path="here") == "Engine: here"
        errors = part("ghmr_engine.errors")
        assert translations.fault(OSError("disk")) == "disk"
        if "de_DE" not in bpy.app.translations.locales:
            return  # this Blender has no languages
        view.language, view.use_translate_interface = "de_DE", True
        try:
            assert translations.local("Hold Left") == "Links halten"
            assert translations.told("{count} plants are held", count=3) == "3 Stände werden gehalten"
            assert translations.fault(errors.RecoverError("x", "No clip is chosen.", "Do something.")) == (
                "Kein Clip ist gewählt. Do something."
            )
            assert bpy.app.translations.pgettext("Add Foot IK", "Operator") == "Fuß-IK hinzufügen"
            label = bpy.ops.recover_motion.add_foot_ik.get_rna_type()
            assert bpy.app.translations.pgettext(label.description).startswith("Ziele für die Füße")
        finally:
            view.language = "en_US"
    assert translations.local("Hold Left") == "Hold Left"
