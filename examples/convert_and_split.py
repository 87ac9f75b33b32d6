"""Annotations to a split dataset from Python: python examples/convert_and_split.py [SOURCE OUT]."""

import sys

import segprep

source, out = sys.argv[1:] or ("examples/shapes", "demo/from-python")
done = segprep.convert("labelme", source, out)
lists = segprep.split(out, seed=1, overwrite=True)
found = segprep.info(out)
print(
    f"{done.converted} new, {done.kept} as they were; {lists.counts};"
    f" {', '.join(one.name for one in found.classes)}"
)
