"""Many clips in one go: found, recovered one after another or on a farm, told of in a manifest and on a sheet."""
