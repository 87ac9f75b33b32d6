"""``segprep predict``: what is read, how it is cut into tiles and averaged, what is written."""
