"""Which mask belongs to which image, and to which list."""
