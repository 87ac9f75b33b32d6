"""Pixels in and out: image files, PNG streams, shapes and their rasterization, instances, mask
files.
"""
