"""Labels of annotations that nobody touched are not read again to infer the classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import annotate, shape

from segprep import convert, engine
from segprep.files import states


@pytest.fixture
def read_labels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose labels are read from here on."""
    names: list[str] = []
    real = engine.run

    def counting(task: Any, items: Sequence[Any], **options: Any) -> Any:
        if type(task).__name__ == "_Labels":
            names.extend(path.name for path in items)
        return real(task, items, **options)

    monkeypatch.setattr(engine, "run", counting)
    return names


def test_only_the_labels_of_what_changed_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_labels: list[str]
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    for stem in ("a", "b", "c"):
        annotate(tmp_path / "source", stem, shape("cat"))
    first = convert("labelme", tmp_path / "source", tmp_path / "out")
    assert first.classes == ("_background_", "cat")
    assert sorted(read_labels) == ["a.json", "b.json", "c.json"]
    read_labels.clear()
    annotate(tmp_path / "source", "b", shape("cat"), shape("dog"))
    again = convert("labelme", tmp_path / "source", tmp_path / "out")
    assert read_labels == ["b.json"]
    assert again.classes == ("_background_", "cat", "dog")
    read_labels.clear()
    annotate(tmp_path / "source", "c", shape("cat"), shape("bird"))
    (tmp_path / "source" / "a.json").write_text("{")
    with pytest.raises(Exception, match="1 of 3 inputs"):
        convert("labelme", tmp_path / "source", tmp_path / "out")
    assert read_labels == ["a.json", "c.json"]


def test_verify_reads_all_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_labels: list[str]
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    for stem in ("a", "b"):
        annotate(tmp_path / "source", stem, shape("cat"))
    convert("labelme", tmp_path / "source", tmp_path / "out")
    convert("labelme", tmp_path / "source", tmp_path / "out", verify=True)
    assert sorted(read_labels) == ["a.json", "a.json", "b.json", "b.json"]
