"""Masks as foreign tools keep them: colors, lossy files, arrays, fields of view."""
