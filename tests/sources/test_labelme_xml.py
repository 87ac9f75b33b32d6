"""LabelMe XML: polygons, deleted objects, boxes, masks in files."""

from pathlib import Path

import numpy as np
import pytest
from sources.region_files import HEIGHT, SQUARE, WIDTH, only, photo, png, square, write

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.labelme_xml import Reader


def polygon(ring: list[list[int]]) -> str:
    return "<polygon>" + "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ring) + "</polygon>"


def thing(name: str, inner: str, more: str = "<deleted>0</deleted>") -> str:
    return f"<object><name>{name}</name>{more}{inner}</object>"


def document(*things: str) -> str:
    size = f"<imagesize><nrows>{HEIGHT}</nrows><ncols>{WIDTH}</ncols></imagesize>"
    return f"<annotation><filename>a.png</filename>{size}{''.join(things)}</annotation>"


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    write(folder / "a.xml", document(thing("cat", polygon(SQUARE))))
    return Reader(folder)


def test_a_polygon(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_polygons_of_voc_files(tmp_path: Path) -> None:
    """RectLabel and Roboflow number the corners in one element, beside the box."""
    reader = example(tmp_path)
    numbered = "".join(f"<x{n}>{x}</x{n}><y{n}>{y}</y{n}>" for n, (x, y) in enumerate(SQUARE, 1))
    box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>8</xmax><ymax>7</ymax></bndbox>"
    cat = thing("cat", f"{box}<polygon>{numbered}</polygon>", "")
    text = document(cat).replace("<annotation>", '<annotation verified="no">')
    write(tmp_path / "a.xml", text)
    assert guesses(tmp_path)[0][0] == "labelme-xml"
    assert (only(reader) == square()).all()
    write(tmp_path / "a.xml", document(cat, thing("cat", box, "")))
    with pytest.raises(SourceError, match=r"object\[1\]: 'cat' is a box without an outline"):
        only(reader)
    write(tmp_path / "a.xml", document(cat.replace("<y4>7</y4>", "")))
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-shape"
    size = f"<size><width>{WIDTH + 1}</width><height>{HEIGHT}</height></size>"
    write(
        tmp_path / "a.xml",
        document(cat).replace("imagesize", "other").replace("<object", f"{size}<object"),
    )
    with pytest.raises(SourceError, match="13x10"):
        only(reader)


def test_deleted_objects_are_not_painted(tmp_path: Path) -> None:
    reader = example(tmp_path)
    gone = thing("dog", polygon(SQUARE), "<deleted>1</deleted>")
    write(tmp_path / "a.xml", document(thing("cat", polygon(SQUARE)), gone))
    assert (only(reader) == square()).all()


def test_boxes_need_a_word(tmp_path: Path) -> None:
    reader = example(tmp_path)
    box = thing("cat", polygon(SQUARE), "<type>bounding_box</type>")
    write(tmp_path / "a.xml", document(box))
    with pytest.raises(SourceError, match="without an outline"):
        only(reader)
    assert (only(Reader(tmp_path, boxes="fill")) == square()).all()


def test_a_mask_in_a_file(tmp_path: Path) -> None:
    reader = example(tmp_path)
    (tmp_path / "Masks").mkdir()
    (tmp_path / "Masks" / "m.png").write_bytes(png(square(255)))
    segm = "<segm><mask>m.png</mask></segm>"
    write(tmp_path / "a.xml", document(thing("cat", segm)))
    assert (only(reader) == square()).all()
    assert np.count_nonzero(square()) == 42


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "labelme-xml"


@pytest.mark.parametrize("clear", [True, False])
def test_masks_may_be_strokes_on_a_sheet(tmp_path: Path, clear: bool) -> None:
    """The web tool keeps colored strokes on a clear sheet; others on a black one."""
    reader = example(tmp_path)
    sheet = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    sheet[square() > 0] = (153, 51, 255, 20)
    (tmp_path / "Masks").mkdir()
    (tmp_path / "Masks" / "m.png").write_bytes(png(sheet if clear else sheet[..., :3]))
    write(tmp_path / "a.xml", document(thing("cat", "<segm><mask>m.png</mask></segm>")))
    assert (only(reader) == square()).all()
