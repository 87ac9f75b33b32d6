"""Annotations to a split dataset from Python: python examples/convert_and_split.py [SOURCE OUT]."""

import sys

import segprep

source, out = sys.argv[1:] or ("examples/shapes", "demo/from-python")
conversion = segprep.convert("labelme", source, out)
lists = segprep.split(out, seed=1, overwrite=True)
dataset = segprep.info(out)
print(
    f"{conversion.converted} new, {conversion.kept} as they were; {lists.counts};"
    f" {', '.join(entry.name for entry in dataset.classes)}"
)
