"""The tree on disk: paths, manifest, class list, samples, staging."""
