"""The class list, and what labels, colors and values mean in it."""
