"""Runs inside Blender: what the manifest says of scenes whose making was stopped, or during which Blender died."""

from pathlib import Path

from scenes import addon, part


@addon
def test_who_stops_twice_may_go_on_and_who_dies_twice_may_not(folder):
    overnight, manifest = part("overnight"), part("ghmr_engine.batch.manifest")
    night = overnight.Night(Path("python"), (), folder, part("scene_making").Plan())
    motion = {"clip": str(folder / "walk.mp4"), "name": "walk", "out": "walk.motion.npz", "files": {}}

    def record():
        return manifest.latest(manifest.read(folder), manifest.SCENE)[motion["clip"]]

    def stop(*_):
        raise KeyboardInterrupt

    made, overnight.make_scene = overnight.make_scene, stop
    try:
        for _ in range(3):
            try:
                overnight._scene_of(motion, night)
            except KeyboardInterrupt:
                assert record()["state"] == overnight.BEGUN and record()["tries"] == 0
            else:
                raise AssertionError("a stop is not a failure")
        manifest.append(folder, {**record(), "tries": 2})  # as two that died leave it
        assert not overnight._scene_of(motion, night)
        assert record()["error"]["code"] == "blender_died"
    finally:
        overnight.make_scene = made
