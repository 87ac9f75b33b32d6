"""What source formats share: which files belong together, what foreign masks hold and mean, and the
parts of a few large formats.
"""
