"""The add-on's plain modules outside Blender, as the built extension has them."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from extension_tree import assemble_extension


@contextmanager
def addon_parts(folder: Path, name: str) -> Iterator[Callable[[str], ModuleType]]:
    """A function that imports a module of the extension, laid out in `folder` as the package `name`, without its
    __init__, which needs bpy."""
    package = assemble_extension(folder)
    package.joinpath("__init__.py").write_text("")
    package.rename(folder / name)
    sys.path.insert(0, str(folder))
    try:
        yield lambda part: importlib.import_module(f"{name}.{part}")
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.split(".")[0] == name]:
            del sys.modules[module]
