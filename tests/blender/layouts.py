"""A layout that draws nothing and checks what it is given: for drawing panels where there is no window."""

from types import SimpleNamespace

import bpy

_PLAIN = {"row", "column", "box", "split", "grid_flow", "column_flow"}
_ICONS = {item.identifier for item in bpy.types.UILayout.bl_rna.functions["prop"].parameters["icon"].enum_items}


class Layout:
    """Takes the calls of UILayout. A property that is not there, an operator that is not known or has no such property,
    an icon that this Blender has not: an AssertionError."""

    def __init__(self, drawn=None):
        self.drawn = [] if drawn is None else drawn
        """(what, name) of everything drawn, in order."""
        self.enabled = True

    def __getattr__(self, name):
        assert name in bpy.types.UILayout.bl_rna.functions, f"layouts have no {name}"
        return lambda *arguments, **more: self._call(name, arguments, more)

    def _call(self, name, arguments, more):
        allowed = {parameter.identifier for parameter in bpy.types.UILayout.bl_rna.functions[name].parameters}
        assert set(more) <= allowed, f"{name} takes no {set(more) - allowed}"
        assert more.get("icon", "NONE") in _ICONS, f"no icon {more['icon']}"
        if name in _PLAIN:
            return Layout(self.drawn)
        if name.startswith("prop") or name == "template_list":
            return self._property(name, arguments)
        if name.startswith("operator"):
            return self._operator(name, arguments[0])
        # A label without words says something by its icon.
        self.drawn.append((name, more.get("text") or more.get("icon", "")))
        return None

    def _property(self, name, arguments):
        if name == "template_list":
            kind, _, data, collection, owner, active = arguments
            assert hasattr(bpy.types, kind), f"no list {kind}"
            assert hasattr(data, collection) and hasattr(owner, active), (collection, active)
            self.drawn.append((name, kind))
            return
        data, prop = arguments[:2]
        assert isinstance(data, bpy.types.bpy_struct), f"{prop} of {data!r}"
        own = prop.removeprefix('["').removesuffix('"]')
        assert prop in data.bl_rna.properties or own in data, f"{data!r} has no {prop}"
        self.drawn.append((name, prop))

    def _operator(self, name, idname):
        module, operator = idname.split(".")
        assert operator in dir(getattr(bpy.ops, module)), f"no operator {idname}"
        kind = getattr(bpy.ops, module)
        known = {prop.identifier for prop in getattr(kind, operator).get_rna_type().properties}
        self.drawn.append((name, idname))
        return _Properties(known)


class _Properties:
    """What an operator in a panel may be given."""

    def __init__(self, known):
        object.__setattr__(self, "_known", known)

    def __setattr__(self, name, value):
        assert name in self._known, f"the operator has no {name}"


def editor_context(editor, **space):
    """What a panel in an editor's sidebar sees."""
    context = bpy.context
    own = context.preferences
    # Without a window Blender has no scale.
    preferences = SimpleNamespace(
        system=SimpleNamespace(ui_scale=1.0), addons=own.addons, filepaths=own.filepaths, view=own.view
    )
    return SimpleNamespace(
        area=SimpleNamespace(type=editor), region=SimpleNamespace(width=300), region_data=None,
        screen=SimpleNamespace(areas=[]),
        space_data=SimpleNamespace(**space), scene=context.scene, sequencer_scene=context.scene,
        view_layer=context.view_layer, preferences=preferences, window_manager=context.window_manager,
        object=context.view_layer.objects.active, active_object=context.view_layer.objects.active, mode="OBJECT",
        evaluated_depsgraph_get=context.evaluated_depsgraph_get, collection=context.collection,
    )  # fmt: skip


def draw(panel, context):
    """Draw a panel, if it is there in this context: what was drawn, None where it is not."""
    if hasattr(panel, "poll") and not panel.poll(context):
        return None
    plain = type("Plain", panel.__bases__[:1], {})()  # ui/editors.py puts ours before Blender's own class
    plain.layout = layout = Layout()
    if hasattr(plain, "draw_header"):
        plain.draw_header(context)
    plain.draw(context)
    return layout.drawn
