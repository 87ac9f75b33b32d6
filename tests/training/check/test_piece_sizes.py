"""What a network paints over a strip of floor is not an object that the mask lacks."""

import numpy as np

from segprep.training.check.piece_sizes import PieceSizes

NUT = np.zeros((40, 60), np.uint8)
NUT[5:9, 5:9] = 1  # 16 pixels


def test_a_piece_far_larger_than_any_of_its_class() -> None:
    sizes = PieceSizes([("a", NUT), ("b", NUT), ("c", NUT)])
    strip = NUT.copy()
    strip[30:36] = 1
    strip[20:25, 20:25] = 1
    assert (
        sizes.implausible(strip, "c") == ((strip == 1) & (np.indices(NUT.shape)[0] >= 30))
    ).all()


def test_the_mask_itself_is_no_evidence_and_no_evidence_excuses_nothing() -> None:
    large = NUT.copy()
    large[30:36] = 1
    guess = large.copy()
    assert PieceSizes([("a", NUT), ("b", large)]).implausible(guess, "b").any()
    assert not PieceSizes([("a", NUT), ("b", large)]).implausible(guess, "a").any()
    assert not PieceSizes([("a", np.zeros_like(NUT))]).implausible(guess, "a").any()


def test_ignored_pixels_are_no_piece() -> None:
    ignored = np.where(np.indices(NUT.shape)[0] >= 30, 255, NUT).astype(np.uint8)
    assert 255 not in PieceSizes([("a", ignored)]).largest
