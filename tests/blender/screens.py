"""What sessions in a window share: its editors, and calling operators as from there."""

import bpy


def window():
    return bpy.context.window_manager.windows[0]


def largest(kind=None):
    areas = [area for area in window().screen.areas if kind is None or area.type == kind]
    return max(areas, key=lambda area: area.width * area.height)


def part_of(area, kind="WINDOW"):
    return next(region for region in area.regions if region.type == kind)


def in_view(kind="VIEW_3D", **more):
    """The context of an editor's main region."""
    area = largest(kind)
    return bpy.context.temp_override(
        window=window(), screen=window().screen, area=area, region=part_of(area), space_data=area.spaces.active, **more
    )


def show_tab(kind="VIEW_3D"):
    """Open the editor's sidebar at our tab, as N and a click do; a step of a session."""
    area = largest(kind)
    area.spaces.active.show_region_ui = True
    yield 0.5
    part_of(area, "UI").active_panel_category = "Recover Motion"
    yield 0.5
