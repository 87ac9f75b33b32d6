"""From two folders of label maps to scores: which files pair, how they are read, what is counted per image, what is kept, what is written."""
