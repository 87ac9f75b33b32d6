"""Charts and overlays hold what they were given, at 2 and at 150 classes, and with names that no
font has.
"""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.reports import bars, confusion, figures, overlays


def opened(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def blues(picture: Any) -> Any:
    """How blue each pixel is."""
    return (picture[..., 2] - picture[..., 0]) * (picture[..., 2] > picture[..., 0])


def test_a_perfect_matrix_is_dark_on_its_diagonal() -> None:
    made = opened(confusion.picture(np.array([[900, 0], [0, 800]]), ("a", "b")))
    dark = blues(made) > 60
    left = dark[:, : made.shape[1] // 2]
    rows, columns = np.nonzero(left)
    middle = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    assert left[: middle[0], : middle[1]].mean() > left[: middle[0], middle[1] :].mean() * 5
    assert left[middle[0] :, middle[1] :].mean() > left[middle[0] :, : middle[1]].mean() * 5


def test_every_name_has_room_at_150_classes() -> None:
    random = np.random.default_rng(0)
    matrix = np.diag(random.integers(1, 10**6, 150))
    height, width, _ = opened(
        confusion.picture(matrix, [f"class number {n}" for n in range(150)])
    ).shape
    assert height > 150 * 11
    assert width > 300 * 11
    assert max(height, width) < 6500


def test_classes_that_occur_nowhere_are_left_out_of_large_matrices() -> None:
    matrix = np.zeros((300, 300), np.int64)
    matrix[7, 7], matrix[250, 7] = 5, 1
    assert confusion.chosen(matrix) == [7, 250]
    assert confusion.chosen(matrix[:20, :20]) == list(range(20))
    assert len(confusion.chosen(np.eye(1000, dtype=np.int64))) == 200
    assert confusion.chosen(matrix * 0) == [0]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (999, "999"),
        (1000, "1k"),
        (999_999, "1000k"),
        (12_345_678, "12.3M"),
        (3 * 10**12, "3T"),
    ],
)
def test_counts_in_few_characters(count: int, text: str) -> None:
    assert confusion.short(count) == text


def test_bars_are_as_long_as_their_values() -> None:
    values = np.array([1.0, 0.5, np.nan])
    made = opened(
        bars.picture(("a", "b", "absent"), values, values, values, np.array([1, 1, 0]), "title")
    )
    blue = (made == (0x7A, 0xA6, 0xD8)).all(2)
    lengths = np.unique(blue.sum(1))
    assert lengths.max() == pytest.approx(
        2 * sorted(set(lengths[lengths > lengths.max() // 4].tolist()))[0], rel=0.05
    )


def test_names_that_cannot_be_drawn_become_ids() -> None:
    assert figures.labels(["road", "\U00016a40", "a\nb", "x$y", "n" * 40], [0, 1, 2, 3, 4]) == [
        "road",
        "class 1",
        "a?b",
        r"x\$y",
        "n" * 27 + "…",
    ]


def test_an_overlay_shows_what_is_wrong_and_hides_what_is_ignored() -> None:
    truth, pred = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    truth[:, 30:], pred[10:20, 10:20] = 255, 1
    made = opened(overlays.picture(None, truth, pred, ("background", "cell"), 255, "a: 0.9"))
    wrong = (made == overlays.WRONG).all(2)
    assert wrong.sum() == pytest.approx(
        (made == (128, 0, 0)).all(2).sum(), rel=0.02
    )  # the predicted class, and its legend
    assert ((made == overlays.IGNORED).all(2)).any()
    with_image = opened(
        overlays.picture(
            np.full((40, 40, 3), 7, np.uint8), truth, pred, ("background", "cell"), 255, "a"
        )
    )
    assert with_image.shape[1] > made.shape[1]
    assert overlays.colored(np.array([[300]]), np.array([[False]])).shape == (1, 1, 3)
