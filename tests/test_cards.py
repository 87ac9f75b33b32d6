"""Cards for notebooks: escaped, self-contained, readable on light and dark pages."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

import segprep
from segprep.cards import Swatch, card, counted
from segprep.evaluation.results import Evaluation

BAD = '<script>alert("x")</script>'


def well_formed(html: str) -> ElementTree.Element:
    """Parsed; no script, nothing loaded from elsewhere, no color of its own for text or ground."""
    root = ElementTree.fromstring(html.replace("&nbsp;", " ").replace('block">', 'block"/>'))
    assert {"script", "link", "style", "iframe"}.isdisjoint(one.tag for one in root.iter())
    for one in root.iter():
        assert one.get("src", "data:").startswith("data:")
        assert one.get("href") is None
        assert not any(name.startswith("on") for name in one.keys())  # noqa: SIM118
    assert "http" not in html
    assert "color:inherit" in html
    return root


def test_every_text_is_escaped() -> None:
    html = card(
        BAD,
        {BAD: BAD, "left away": ""},
        columns=(BAD,),
        rows=[(BAD,), (Swatch('red"><b>', BAD),)],
        remarks=[BAD],
    )
    assert "<script" not in html
    assert 'red"' not in html
    assert "left away" not in html
    well_formed(html)


def test_equal_remarks_are_one_line() -> None:
    assert counted(["a", "b", "a"]) == ["a (2 times)", "b"]


@pytest.fixture
def scored(out: Path) -> Evaluation:
    return segprep.evaluate(out / "SegmentationClass", truth=out / "SegmentationClass", classes=4)


@pytest.fixture
def out(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out", seed=1)
    return tmp_path / "out"


def test_results_have_cards(source: Path, out: Path, scored: Evaluation) -> None:
    done = segprep.convert("labelme", source, out)
    split = segprep.split(out, seed=1, overwrite=True)
    cards = {
        "unchanged": done,
        "samples": split,
        "share": segprep.info(out),
        "mIoU": scored,
        "trainval": segprep.Tree(out),
        "img1": segprep.open(out),
        "image and mask": segprep.open(out)[0],
        "train": segprep.open(out)["train"],
    }
    for word, result in cards.items():
        html = result._repr_html_()
        well_formed(html)
        assert word in html
    assert "1.0000" in scored._repr_html_()
    html = segprep.open(out)._repr_html_()
    assert len(html) < 60_000
    first = html.index("</span>")  # of the background, which overlays leave clear
    assert html[:first].rstrip('">').endswith("transparent")
    assert html.count('transparent"></span>') == 1
