"""What goes to workers and comes back from them is small, and says the same."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np

from segprep.evaluation.folders import folder
from segprep.evaluation.pairs import MaskPairs
from segprep.imaging.image import encode_mask
from segprep.metrics.counting import tally


def pairs(home: Path) -> MaskPairs:
    """Pairs in folders inside their folders; the truth's names have more than the stem."""
    for name, around in (("truth", "{}_labels.png"), ("pred", "{}.png"), ("objects", "{}.png")):
        for number in range(30):
            path = home / name / f"city{number % 3}" / around.format(f"s{number:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_mask(np.zeros((2, 2), np.uint8)))
    truth = folder(home / "truth", "truth", suffix="_labels")
    sides = [folder(home / name, name) for name in ("pred", "objects")]
    return MaskPairs(sorted(truth.suffixes), truth, (sides[0],), (sides[1],))


def test_a_chunk_of_pairs_holds_these_pairs_alone(tmp_path: Path) -> None:
    every = pairs(tmp_path)
    chunk = pickle.loads(pickle.dumps(every.cut(3, 9)))
    assert list(chunk) == every[3:9]
    assert list(every.cut(28, 99)) == every[28:]
    assert len(every.cut(30, 40)) == 0
    assert len(pickle.dumps(every.cut(0, 15))) < 0.6 * len(pickle.dumps(every[:15]))


def test_a_tally_comes_back_as_it_was() -> None:
    maps = np.random.default_rng(0).integers(-1, 70_000, (2, 5, 7))
    for counted in (tally(*maps), tally(*maps[:, :0])):
        back = pickle.loads(pickle.dumps(counted))
        for name in ("truth", "pred", "pixels"):
            first, second = getattr(back, name), getattr(counted, name)
            assert first.dtype == second.dtype == np.int64
            assert np.array_equal(first, second)


def test_scoring_starts_without_what_only_others_need(tmp_path: Path) -> None:
    """Pillow and NumPy's generators load as long as forty small pairs take."""
    pairs(tmp_path)
    masks = str(tmp_path / "pred")
    code = (
        "import segprep, sys\n"
        f"segprep.evaluate({masks!r}, truth={masks!r}, classes=2)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "segprep.evaluation.label_maps" in loaded
    unused = {f"segprep.{name}" for name in ("grouping", "dataset.shards", "imaging.image")}
    assert not loaded & {"PIL.Image", "numpy.random", *unused}
