"""What lies on a recovered motion, and what it is measured by."""
