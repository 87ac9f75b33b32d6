"""Labeled regions of images as shapes: polygons, boxes, runs."""
