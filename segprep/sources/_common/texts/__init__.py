"""Annotation files as values: encodings, strict JSON, XML and YAML, checked values."""
