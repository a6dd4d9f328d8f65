"""From a motion file to a Blender scene: build.py is the entry, the other modules each make one kind of thing."""
