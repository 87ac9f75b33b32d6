"""Why no format reads a folder, and what to do with it."""
