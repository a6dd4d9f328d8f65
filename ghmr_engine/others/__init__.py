"""Results of other programs, read without running anything of theirs: docs/import.md."""
