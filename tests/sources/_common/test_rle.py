"""Run lengths: what pycocotools packs is unpacked alike; what lies is refused before anything is
allocated.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segprep.sources._common.shapes.rle import SegmentationError, Sheet, decompressed, run_lengths

coco_masks = pytest.importorskip("pycocotools.mask")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from((1, 5)))
def test_what_pycocotools_packs(height: int, width: int, seed: int, scale: int) -> None:
    random = np.random.default_rng(seed)
    bits = np.kron(random.random((height, width)) < random.random(), np.ones((scale, scale), bool))
    packed = {
        "size": list(bits.shape),
        "counts": coco_masks.encode(np.asfortranarray(bits.astype(np.uint8)))["counts"].decode(),
    }
    patch, seen = Sheet(*bits.shape).patch(packed), np.zeros_like(bits)
    if patch:
        seen[patch.y : patch.y + patch.bits.shape[0], patch.x : patch.x + patch.bits.shape[1]] = (
            patch.bits
        )
    assert (seen == bits).all()
    assert (patch is None) == (not bits.any())


@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=30))
def test_any_text_is_run_lengths_or_refused(text: str) -> None:
    try:
        counts = run_lengths({"size": [6, 7], "counts": text}, 6, 7)
    except SegmentationError:
        return
    assert counts.sum() == 42
    assert counts.min() >= 0


def test_differences_are_to_the_last_but_one() -> None:
    assert decompressed(b"231").tolist() == [2, 3, 1]
    assert decompressed(b"23121").tolist() == [2, 3, 1, 5, 2]
    assert decompressed(b"N").tolist() == [-2]


def test_empty_runs_are_no_pixels() -> None:
    patch = Sheet(2, 3).patch({"size": [2, 3], "counts": [0, 0, 1, 1, 0, 2, 2, 0]})
    assert patch
    assert (patch.x, patch.y, patch.bits.tolist()) == (0, 0, [[False, True], [True, True]])
    assert Sheet(2, 3).patch({"size": [2, 3], "counts": [6]}) is None


def test_the_work_of_one_image_is_bounded() -> None:
    sheet = Sheet(10_000, 10_000)
    wide = {"size": [10_000, 10_000], "counts": [0, 1, 99_999_998, 1]}
    sheet._area = 20_000_000_000 - 1
    with pytest.raises(SegmentationError) as caught:
        sheet.patch(wide)
    assert caught.value.code == "shape-too-complex"
