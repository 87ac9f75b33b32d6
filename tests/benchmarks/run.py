"""``make bench``: one table of segprep against peers and floors, on data from fixed seeds.

    python tests/benchmarks/run.py [--quick] [--only json2mask miou]

Seconds are CPU time of whole processes with their start, unless a row says otherwise: medians of
runs in turn. The ratio is segprep's time / the peer's; its spread is the least and the greatest of
the runs. Memory is the peak of the largest process of either. Nothing is asserted here.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import processor
from measuring import head, peer_python, versions

PARTS = (
    *("json2mask", "nuclei", "pairs", "miou", "coco", "formats"),
    *("splitting", "exporting", "checking", "training", "start"),
)
PACKAGES = {
    "labelme": ["labelme"],
    "datumaro": ["datumaro"],
    "metrics": [
        *("torch", "torchmetrics", "scikit-learn", "evaluate"),
        *("cityscapesScripts", "split-folders"),
    ],
}


def machine() -> str:
    """The processor, its load, and the versions of the peers."""
    ours = versions(sys.executable, ["numpy", "pillow", "pycocotools", "torch"])
    lines = [processor.name(), ours]
    for name, packages in PACKAGES.items():
        if python := peer_python(name):
            lines.append(f".venv-{name}: {versions(python, packages)}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=(*PARTS, "workers"), default=PARTS)
    parser.add_argument("--quick", action="store_true", help="a seventh of the data, two rounds")
    parser.add_argument("--sample", action="store_true", help="two of everything, one round")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    share, rounds = (0.0, 1) if options.sample else (0.15, 2) if options.quick else (1.0, 5)
    print(f"{machine()}\n\n{head()}", flush=True)
    for part in options.only:
        with tempfile.TemporaryDirectory(prefix="segprep-bench-") as folder:
            for comparison in importlib.import_module(part).comparisons(
                Path(folder), lambda count: max(2, round(count * share))
            ):
                for line in comparison.lines(options.rounds or rounds):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
