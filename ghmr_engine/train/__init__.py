"""Training of the open networks from motion capture: recordings, virtual cameras, the detector's errors, the loop."""
