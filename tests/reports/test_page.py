"""Pages: self-contained, escaped, and whole for odd numbers."""

from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from segprep.reports import page, thumbnails
from segprep.reports.lines import Line, Lines

EVIL = "<script>alert(1)</script>\"'&"


class Seen(HTMLParser):
    """Tags, and every address that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]


def parsed(*parts: page.Part, title: str = "t") -> tuple[Seen, str]:
    text = page.render(
        page.Page(
            title, "doubtful", "fair", "lead", [page.Section("heading", "text", parts)], "foot"
        )
    ).decode()
    seen = Seen()
    seen.feed(text)
    return seen, text


def test_whatever_is_shown_is_escaped_and_nothing_is_loaded() -> None:
    picture = thumbnails.uri(np.zeros((4, 6, 3), np.uint8))
    seen, text = parsed(
        page.Cards([(EVIL, EVIL, EVIL)]),
        page.Remarks([(EVIL, EVIL)]),
        page.Table([EVIL], [[EVIL]]),
        page.Matrix([EVIL], np.array([[3]])),
        Lines(EVIL, EVIL, [Line(EVIL, [(0, 1)])]),
        page.Gallery([page.Figure(EVIL, EVIL, [(EVIL, picture)])], [(EVIL, "rgb(0 0 0)")]),
        title=EVIL,
    )
    assert "script" not in seen.tags
    assert "<script" not in text
    assert all(address.startswith("data:") for address in seen.addresses)
    assert "default-src 'none'" in text


def test_names_in_any_language_and_broken_surrogates_do_not_stop_a_page() -> None:
    _, text = parsed(page.Table(["类别"], [["细胞核"], ["bad \udc80"]]))
    assert "细胞核" in text
    assert "\\udc80" in text


def test_a_matrix_shows_shares_of_the_true_class() -> None:
    rows = page.Matrix(["a", "b"], np.array([[3, 1], [0, 0]])).rows
    assert rows[0][1] == [("3", "75.0%", 75), ("1", "25.0%", 25)]
    assert rows[1][1] == [("0", "–", 0), ("0", "–", 0)]


@pytest.mark.parametrize(
    "points",
    [[], [(0.0, 0.0)], [(1.0, float("nan")), (2.0, 0.5)], [(5.0, 1e9), (10.0, 2e9)], [(1.0, 1e-9)]],
)
def test_curves_of_any_numbers_stay_in_their_frame(points: list[tuple[float, float]]) -> None:
    plot = Lines("t", "x", [Line("a", points)])
    left, top, right, bottom = plot.frame
    for _, drawn, _, _ in plot.curves:
        for x, y in (map(float, point.split(",")) for point in drawn.split()):
            assert left <= x <= right
            assert top - 0.1 <= y <= bottom + 0.1
    assert all(len(axis) >= 2 for axis in plot.ticks)
    assert "<svg" in parsed(plot)[1]


def test_thumbnails_of_all_kinds_of_numbers() -> None:
    for array in (
        np.full((3, 4, 3), 7, np.uint8),
        np.arange(36, dtype=np.uint16).reshape(3, 4, 3),
        np.full((3, 4, 3), 0.5, np.float32),
    ):
        assert thumbnails.shown(array).dtype == np.uint8
    image, mask = np.full((5, 5, 3), 100, np.uint8), np.zeros((5, 5), np.uint8)
    mask[1:4, 1:4] = 1
    laid = thumbnails.laid_over(image, mask)
    assert laid[0, 0].tolist() == [100, 100, 100]
    assert laid[1, 1].tolist() == list(thumbnails.vivid(1))
    assert laid[2, 2].tolist() == [round(0.6 * 100 + 0.4 * one) for one in thumbnails.vivid(1)]
    assert thumbnails.laid_over(image, mask, 1)[2, 2].tolist() == [100, 100, 100]
    assert thumbnails.laid_over(
        thumbnails.small(np.zeros((900, 600, 3), np.uint8)), np.zeros((900, 600), np.uint8)
    ).shape == (320, 213, 3)
    assert thumbnails.shown(np.full((3, 4, 3), 100, np.uint8)).max() == 100
    assert thumbnails.shown(np.arange(36, dtype=np.uint8).reshape(3, 4, 3)).max() == 255


def test_neighboring_classes_have_colors_of_their_own() -> None:
    colors = [thumbnails.vivid(n) for n in range(20)]
    assert len(set(colors)) == 20
    assert (
        min(
            sum(abs(a - b) for a, b in zip(one, other, strict=True))
            for one, other in pairwise(colors)
        )
        > 100
    )


def test_characters_that_turn_the_direction_of_writing_are_shown() -> None:
    table = page.Table(("class", "IoU"), [("a\u202eb\x1b[31m\u2066", "1\n2")])
    _, text = parsed(table, title="\u200btitle")
    assert "a\\u202eb\\x1b[31m\\u2066" in text
    assert "\\u200btitle" in text
    assert "1\n2" in text
    assert not {"\u202e", "\u2066", "\u200b", "\x1b"} & set(text)
