"""Numbers from counts: joint histograms, confusion matrices, scores."""
