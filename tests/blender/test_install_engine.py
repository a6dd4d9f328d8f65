"""Installing the engine from inside Blender, install.py played by fake_install.py; test_blender_install.py lays it out.

RECOVER_MOTION_HOME: a home that is not there yet.
"""

import importlib
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import bpy
from scenes import part

HOME = Path(os.environ["RECOVER_MOTION_HOME"])


class Layout:
    """Takes the place of a layout and notes what is drawn: texts, buttons, properties."""

    def __init__(self, drawn=None):
        self.drawn = drawn if drawn is not None else []

    def label(self, text="", **_more):
        self.drawn.append(text)

    def operator(self, name, **more):
        self.drawn.append(f"[{name} {more.get('text', '')}]".replace(" ]", "]"))

    def prop(self, _owner, name, **_more):
        self.drawn.append(f"<{name}>")

    def progress(self, text="", **_more):
        self.drawn.append(f"|{text}|")

    def _inner(self, **_more):
        return Layout(self.drawn)

    box = row = column = _inner


def window():
    """A context to draw in: without a window Blender's own has no size."""
    preferences = SimpleNamespace(addons=bpy.context.preferences.addons, system=SimpleNamespace(ui_scale=1))
    return SimpleNamespace(preferences=preferences, region=SimpleNamespace(width=9000))


class Registered:
    """The add-on, switched on for one test with preferences of its own, and an empty home."""

    def __init__(self, behaviour="well", online=False):
        self.behaviour, self.online = behaviour, online

    def __enter__(self):
        shutil.rmtree(HOME, ignore_errors=True)
        name = os.environ["RECOVER_MOTION_PACKAGE"]
        self.addon = importlib.import_module(name)
        folder = Path(self.addon.__file__).parent
        folder.joinpath("behaviour").write_text(self.behaviour)
        folder.joinpath("runs").write_text("")
        bpy.context.preferences.system.use_online_access = self.online
        assert bpy.app.online_access == self.online
        part("installing").INSTALL.__init__()
        self.addon.register()
        self.entry = bpy.context.preferences.addons.new()
        self.entry.module = name
        self.folder = folder
        return self

    def __exit__(self, *_error):
        self.addon.unregister()
        bpy.context.preferences.addons.remove(self.entry)

    @property
    def own(self):
        return bpy.context.preferences.addons[os.environ["RECOVER_MOTION_PACKAGE"]].preferences

    def runs(self):
        return self.folder.joinpath("runs").read_text().splitlines()

    def drawn(self):
        """What the preferences show, as one text."""
        layout = Layout()
        context = window()
        part("preferences").RecoverMotionPreferences.draw(
            SimpleNamespace(
                layout=layout, engine_python=self.own.engine_python, wheels=self.own.wheels,
                wheels_folder=self.own.wheels_folder,
            ),
            context,
        )  # fmt: skip
        return " ".join(layout.drawn)


def fails(operator, text):
    try:
        result = operator()
    except RuntimeError as error:
        assert text in str(error), str(error)
    else:
        raise AssertionError(f"{result} without an error")


def test_nothing_starts_before_the_click_and_offline_it_cannot():
    with Registered() as here:
        shown = here.drawn()
        assert "The engine is not installed" in shown and "<use_online_access>" in shown
        assert "Blender may not go online" in shown and "[recover_motion.install_engine Install Engine]" in shown
        assert not bpy.ops.recover_motion.install_engine.poll()
        fails(bpy.ops.recover_motion.install_engine, "Blender may not go online")
        assert (
            here.runs() == []
            and not HOME.exists()
            and not bpy.app.timers.is_registered(part("operators.install")._tick)
        )


def test_online_it_says_what_the_click_downloads_and_installs():
    with Registered(online=True) as here:
        shown = here.drawn()
        assert "Downloads about" in shown and str(HOME) in shown and "use_online_access" not in shown
        assert bpy.ops.recover_motion.install_engine() == {"FINISHED"}
        assert here.runs() == ["setup --json --engine-only"]
        shown = here.drawn()
        assert (
            f"Engine: {part('ghmr_engine.places').engine_python()}" in shown
            and "[recover_motion.install_engine" not in shown
        )
        assert "may be used for paid work" in shown and "[recover_motion.uninstall_engine]" in shown
        assert part("preferences").chosen_engine(bpy.context) is not None


def test_a_folder_of_wheels_needs_no_network(folder=HOME.parent / "wheels"):
    folder.mkdir(exist_ok=True)
    with Registered() as here:
        here.own.wheels = str(folder)
        assert f"Installs from {folder}" in here.drawn()
        assert bpy.ops.recover_motion.install_engine() == {"FINISHED"}
        assert here.runs() == [f"setup --json --engine-only --wheels {folder}"]
    with Registered(online=True) as here:
        here.own.wheels = str(folder / "none")
        assert "There is no folder" in here.drawn() and not bpy.ops.recover_motion.install_engine.poll()


def test_what_fails_is_said_and_retried():
    with Registered("fails", online=True) as here:
        fails(bpy.ops.recover_motion.install_engine, "The index cannot be reached. Check the connection.")
        shown = here.drawn()
        assert "The index cannot be reached. Check the connection." in shown
        assert "[recover_motion.install_engine Retry] [recover_motion.copy_install_log]" in shown
        assert bpy.ops.recover_motion.copy_install_log() == {"FINISHED"}
        here.own.engine_python = __file__  # another way out
        assert "cannot be reached" not in here.drawn() and "An environment of your own" in here.drawn()
        here.own.engine_python = ""
        here.folder.joinpath("behaviour").write_text("well")
        assert bpy.ops.recover_motion.install_engine() == {"FINISHED"}
        assert "Retry" not in here.drawn() and len(here.runs()) == 2


def test_while_it_runs_there_is_progress_and_cancel_and_no_engine():
    with Registered("slow", online=True) as here:
        job = part("installing").INSTALL
        job.start(part("pythons").candidates(), here.folder, ("setup", "--json"), HOME.parent / "install.log")
        while "torch" not in job.text:
            assert job.poll(), job.failure
        shown = here.drawn()
        assert "|3/7 PyTorch (CPU): torch, 95 of 190 MB|" in shown and "[recover_motion.cancel_install]" in shown
        assert not bpy.ops.recover_motion.install_engine.poll() and not bpy.ops.recover_motion.uninstall_engine.poll()
        assert part("preferences").chosen_engine(bpy.context) is None
        assert bpy.ops.recover_motion.cancel_install() == {"FINISHED"}
        part("operators.install")._wait()
        assert job.state == "idle" and not bpy.ops.recover_motion.cancel_install.poll()


def test_switching_the_addon_off_ends_it():
    with Registered("slow", online=True) as here:
        job = part("installing").INSTALL
        job.start(part("pythons").candidates(), here.folder, ("setup", "--json"), HOME.parent / "install.log")
        while "torch" not in job.text:
            assert job.poll(), job.failure
        child = job._child
    assert not child.alive and not job.running


def test_the_panel_leads_to_an_engine_too():
    with Registered(online=True):
        layout = Layout()
        context = window()
        part("preferences").draw_missing_engine(context, layout)
        assert "[recover_motion.install_engine Install Engine]" in layout.drawn


def test_an_environment_of_one_s_own_that_is_not_there_is_said():
    with Registered(online=True) as here:
        here.own.engine_python = str(HOME / "nothing")
        shown = here.drawn()
        assert "There is no file" in shown and "[recover_motion.install_engine" not in shown
        assert not bpy.ops.recover_motion.install_engine.poll()


def test_removing_it():
    with Registered(online=True) as here:
        bpy.ops.recover_motion.install_engine()
        bpy.context.preferences.system.use_online_access = False
        assert bpy.ops.recover_motion.uninstall_engine() == {"FINISHED"}
        assert here.runs()[-1] == "uninstall --yes"
