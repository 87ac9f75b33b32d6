"""The images that annotation files name."""
