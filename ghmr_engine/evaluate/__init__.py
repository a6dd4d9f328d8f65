"""Ground truth rendered in Blender, the field's measures, and the benchmark. Nothing else imports this package."""
