import numpy as np
import pytest
from scipy import ndimage

from segprep.imaging import instances
from segprep.imaging.instances import Spot, spot_of


def disc(height: int, width: int, row: int, column: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:height, :width]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def by_hand(objects: np.ndarray, width: int, kind: str) -> np.ndarray:
    """The definitions of the docstrings, pixel by pixel."""
    result = np.zeros(objects.shape, bool)
    for row, column in np.ndindex(objects.shape):
        window = objects[
            max(0, row - width) : row + width + 1, max(0, column - width) : column + width + 1
        ]
        own = objects[row, column]
        result[row, column] = (
            (own > 0 and (window != own).any())
            if kind == "border"
            else len(set(window[window > 0].tolist())) > 1
        )
    return result


def test_ids_follow_the_order_given_and_the_smaller_is_on_top() -> None:
    small, large = disc(20, 30, 8, 10, 3), disc(20, 30, 10, 12, 7)
    drawn, notes = instances.merge([spot_of("small", small), spot_of("large", large)], 20, 30)
    assert ((drawn == 1) == small).all()
    assert ((drawn == 2) == (large & ~small)).all()
    assert [note.message.split()[0] for note in notes] == [str(np.count_nonzero(small & large))]
    assert (
        instances.merge([spot_of("large", large), spot_of("small", small)], 20, 30)[0][8, 10] == 2
    )


def test_objects_are_instances_less_those_listed() -> None:
    base, other = disc(20, 20, 10, 10, 4), disc(20, 20, 3, 3, 2)
    spots = [
        spot_of(name, mask)
        for name, mask in (("a", base), ("none", base & False), ("again", base), ("b", other))
    ]
    left, right = base.copy(), base.copy()
    left[:, 10:], right[:, :10] = False, False
    spots += [spot_of("left", left), spot_of("right", right)]  # together they hide a
    drawn, notes = instances.merge(spots, 20, 20)
    assert set(np.unique(drawn).tolist()) == {0, 1, 2, 3}
    assert ((drawn > 0) == (base | other)).all()
    assert {
        note.code: note.message.split(": ")[-1] for note in notes if note.code != "instance-overlap"
    } == {
        "instance-empty": "none",
        "instance-duplicate": "again (as a)",
        "instance-covered": "a",
    }


def test_holes_are_counted_and_left() -> None:
    ring = disc(20, 20, 10, 10, 6) & ~disc(20, 20, 10, 10, 2)
    bay = disc(20, 20, 10, 10, 6)
    bay[10, 10:] = False  # open to the side: no hole
    assert [note.code for note in instances.merge([spot_of("ring", ring)], 20, 20)[1]] == [
        "instance-hole"
    ]
    assert (
        f"{np.count_nonzero(disc(20, 20, 10, 10, 2))} px"
        in instances.merge([spot_of("ring", ring)], 20, 20)[1][0].message
    )
    assert instances.merge([spot_of("bay", bay)], 20, 20)[1] == []


@pytest.mark.parametrize("width", [1, 2, 5, 40])
def test_border_and_touching_are_as_defined(width: int) -> None:
    random = np.random.default_rng(width)
    spots = [
        spot_of(str(n), disc(30, 40, *random.integers(0, 30, 2), radius=int(random.integers(1, 7))))
        for n in range(9)
    ]
    drawn, _ = instances.merge(spots, 30, 40)
    assert (instances.border(drawn, width) == by_hand(drawn, width, "border")).all()
    assert (instances.touching(drawn, width) == by_hand(drawn, width, "touching")).all()


def test_more_objects_than_16_bits_hold_are_refused() -> None:
    spots = [Spot(str(n), n // 300, n % 300, np.ones((1, 1), bool), 1, 1) for n in range(65_535)]
    with pytest.raises(ValueError, match="65535 objects"):
        instances.merge(spots, 300, 300)
    assert instances.merge(spots[:-1], 300, 300)[0].max() == 65_534


def test_enclosed_pixels_are_those_that_a_flood_from_outside_misses() -> None:
    random = np.random.default_rng(5)
    for size in [(1, 1), (1, 9), (3, 3), (9, 1), (12, 17), (30, 30)] * 20:
        bits = random.random(size) < random.uniform(0.3, 0.9)
        labels, _ = ndimage.label(np.pad(~bits, 1, constant_values=True))
        assert instances.enclosed(bits) == np.count_nonzero((labels > 0) & (labels != labels[0, 0]))
    spiral = np.array(
        [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 1, 1, 1], [1, 0, 1, 0, 0]], bool
    )
    assert instances.enclosed(spiral) == 0
    assert instances.enclosed(np.pad(spiral, 1, constant_values=True)) == np.count_nonzero(~spiral)
