"""Images and annotations looked at together give what looking at each gives."""

import json
from pathlib import Path
from typing import Any

import pytest

from segprep.sources.coco import coco_file, plain_entries
from segprep.sources.coco.coco_file import CocoFile

IMAGE = {"id": 1, "file_name": "a.jpg", "height": 4, "width": 4}
MARK = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 0, 1, 1]]}


def loaded(folder: Path, content: dict[str, Any]) -> CocoFile:
    path = folder / "a.json"
    path.write_text(json.dumps(content))
    return coco_file.load(path, (folder.resolve(),))


@pytest.mark.parametrize(
    "odd",
    [
        *({"id": 1}, {"id": "1"}, {"id": True}, {"id": None}, {"id": 2**70}, {"id": 1.5}),
        *({"file_name": " "}, {"file_name": 5}, {"height": 0}, {"width": 2**31}, {"width": 4.0}),
        *({"height": None, "width": None}, {"coco_url": "http://x/b.jpg", "file_name": None}),
        *({"image_id": "x" * 300}, {"image_id": 77}, {"category_id": 2**70}, {"category_id": None}),
        *({"iscrowd": 1}, {"iscrowd": True}, {"iscrowd": 1.0}, {"segments_info": [{"id": 5}]}),
        *({"segments_info": None}, {"segmentation": {"size": [4, 4], "counts": [16]}}),
    ],
    ids=str,
)
def test_an_odd_entry_among_plain_ones_is_told_as_if_it_were_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
) -> None:
    images = [IMAGE | {"id": n} for n in range(1, 9)]
    marks = [MARK | {"id": n, "image_id": 1 + n % 8} for n in range(1, 20)]
    images[4] |= odd
    marks[9] |= odd
    content = {"images": images, "annotations": marks, "categories": [{"id": 1, "name": "cat"}]}
    together = loaded(tmp_path, content)
    monkeypatch.setattr(plain_entries, "image_columns", lambda values: None)
    monkeypatch.setattr(plain_entries, "are_outlines", lambda values, ids: False)
    assert together == loaded(tmp_path, content)
    assert len(together.texts) == 19
