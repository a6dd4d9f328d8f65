"""What the add-on's registered classes say to users, for tests of tooltips and translations."""

import ast
import os

import bpy

_KINDS = ("Operator", "Panel", "PropertyGroup", "AddonPreferences", "UIList", "Menu", "Gizmo", "WorkSpaceTool")
_SAYING = {"local", "told", "words", "label"}
"""Functions whose texts are looked up in the user's language."""


def registered():
    """The add-on's classes that are switched on."""
    waiting = [getattr(bpy.types, kind) for kind in _KINDS if hasattr(bpy.types, kind)]
    found = []
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.split(".")[0] == os.environ["RECOVER_MOTION_PACKAGE"] and kind.is_registered:
                found.append(kind)
    return sorted(found, key=lambda kind: kind.__name__)


def labels():
    """(where, label, tooltip) of every operator, panel, property and enum item; a panel's tooltip is None."""
    for kind in registered():
        if issubclass(kind, bpy.types.Panel):
            yield kind.__name__, kind.bl_label, None
            continue
        if issubclass(kind, bpy.types.Operator):
            group, name = kind.bl_idname.split(".")
            known = getattr(getattr(bpy.ops, group), name).get_rna_type()
            yield kind.bl_idname, known.name, known.description
        for name in getattr(kind, "__annotations__", {}):
            prop = kind.bl_rna.properties.get(name)
            if prop is None:
                continue
            yield f"{kind.__name__}.{name}", prop.name, prop.description
            if prop.type == "ENUM":
                for item in prop.enum_items:
                    yield f"{kind.__name__}.{name} {item.identifier}", item.name, item.description


def spoken(folder):
    """Texts that the sources give to functions that look them up."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _SAYING:
                values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "text")]
                yield from (v.value for v in values if isinstance(v, ast.Constant) and " " in str(v.value))


def constants(folder):
    """Every string in the sources but the translations."""
    paths = (path for path in folder.rglob("*.py") if not path.name.startswith("translations_"))
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
