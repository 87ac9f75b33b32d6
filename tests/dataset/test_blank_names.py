"""Names with blanks are said at conversion and at the split."""

from pathlib import Path

from conftest import annotate, shape

import segprep


def messages(notes: "tuple[segprep.types.Note, ...]") -> list[str]:
    return [note.message for note in notes if note.code == "name-with-blank"]


def test_names_with_blanks_are_said(tmp_path: Path) -> None:
    for n in range(4):
        annotate(tmp_path / "src", f"10-{n} _021" if n else "plain", shape(), size=(32 + n, 24))
    done = segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    (said,) = messages(done.notes)
    assert said.startswith("3 sample names hold blanks, such as '10-1 _021'")
    (again,) = messages(segprep.split(tmp_path / "out").notes)
    assert again == said


def test_names_without_blanks_are_fine(tmp_path: Path) -> None:
    annotate(tmp_path / "src", "a-b_c.d", shape())
    assert not messages(segprep.convert("labelme", tmp_path / "src", tmp_path / "out").notes)
