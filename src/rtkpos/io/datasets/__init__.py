"""Public data sets: catalogue, folders, files that come with the package."""
