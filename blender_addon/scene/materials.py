"""Plain materials, and the colour that tells one person from another."""

from __future__ import annotations

import colorsys

import bpy

from ..compat import shader_input

_GOLDEN_RATIO = 0.618034
_FIRST_HUE = 0.58


def shirt_color(place: int) -> tuple[float, float, float]:
    """Linear RGB of person number `place` (from 0): hues a golden ratio of the circle apart never come close."""
    return colorsys.hsv_to_rgb((_FIRST_HUE + place * _GOLDEN_RATIO) % 1.0, 0.75, 0.6)


def add_material(name: str, color: tuple[float, float, float]) -> bpy.types.Material:
    """A matt material of one colour (linear RGB), in the solid view as in renders."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*color, 1.0)
    material.roughness = 0.8
    shader_input(material, "Base Color").default_value = (*color, 1.0)
    shader_input(material, "Roughness").default_value = 0.8
    return material
