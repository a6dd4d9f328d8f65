"""A recovered person's motion on the animator's own rig: solved again for its bones, its proportions and its ground."""
