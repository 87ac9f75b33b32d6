"""A source as an archive: runs again, image roots, and what is told of it."""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import content
from PIL import Image

from segprep.conversion import Conversion, convert
from segprep.errors import BadInputError, SegprepError


def packed(folder: Path, path: Path) -> Path:
    """The zip file *path* of the content of *folder*."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder.parent).as_posix()
            if file.is_file():
                archive.write(file, name)
    return path


def source(folder: Path, count: int = 3) -> Path:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for n in range(count):
        pixels = np.random.default_rng(n).integers(0, 255, (12, 14, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{n}.png")
        mask = np.zeros((12, 14), np.uint8)
        mask[2:7, 3 : 7 + n] = 1
        Image.fromarray(mask).save(folder / "masks" / f"{n}.png")
    return folder


def run(archive: Path, out: Path, **options: Any) -> Conversion:
    return convert("pairs", archive, out, classes="background,cat", **options)


def test_the_manifest_names_the_archive(tmp_path: Path) -> None:
    archive = packed(source(tmp_path / "data"), tmp_path / "data.zip")
    done = run(archive, tmp_path / "out")
    assert "only folder, data/" in done.notes[0].message
    recorded = json.loads((tmp_path / "out" / "segprep.json").read_text())["source"]
    assert recorded["path"] == "../data.zip/data"
    assert list(recorded["archives"]) == ["../data.zip"]
    assert "segprep-" not in (tmp_path / "out" / "segprep.json").read_text()


def test_runs_again_only_what_changed(tmp_path: Path) -> None:
    folder, out = source(tmp_path / "data"), tmp_path / "out"
    archive = packed(folder, tmp_path / "data.zip")
    run(archive, out)
    manifest = (out / "segprep.json").read_bytes()
    again = run(archive, out)
    assert (again.converted, again.kept, again.written) == (0, 3, False)
    shutil.copy(folder / "images" / "0.png", folder / "images" / "7.png")
    shutil.copy(folder / "masks" / "0.png", folder / "masks" / "7.png")
    changed = run(packed(folder, archive), out)
    assert (changed.converted, changed.kept) == (1, 3)
    assert (out / "segprep.json").read_bytes() != manifest
    fresh = run(archive, tmp_path / "fresh")
    assert fresh.converted == 4
    assert content(out, "segprep.json", ".segprep.lock") == content(
        tmp_path / "fresh", "segprep.json", ".segprep.lock"
    )


def test_another_archive_needs_overwrite(tmp_path: Path) -> None:
    folder = source(tmp_path / "data")
    run(packed(folder, tmp_path / "a.zip"), tmp_path / "out")
    with pytest.raises(SegprepError) as caught:
        run(packed(folder, tmp_path / "b.zip"), tmp_path / "out")
    assert caught.value.code == "tree-exists"


def test_what_is_told_names_the_archive(tmp_path: Path) -> None:
    folder = source(tmp_path / "data")
    (folder / "images" / "1.png").write_bytes(b"\x89PNG\r\n")
    archive = packed(folder, tmp_path / "data.zip")
    with pytest.raises(BadInputError) as caught:
        run(archive, tmp_path / "out")
    (skipped,) = caught.value.skipped
    assert getattr(skipped, "path", "") == str(archive / "data" / "images" / "1.png")
    done = run(archive, tmp_path / "out", on_error="skip")
    assert done.converted + done.kept == 2
    manifest = (tmp_path / "out" / "segprep.json").read_text()
    assert '"path": "images/1.png"' in manifest


def test_image_roots_may_be_archives(tmp_path: Path) -> None:
    folder = source(tmp_path / "data")
    images = packed(folder / "images", tmp_path / "images.zip")
    masks = packed(folder / "masks", tmp_path / "masks.zip")
    os.rename(folder, tmp_path / "gone")
    for _ in range(2):
        done = run(masks, tmp_path / "out", image_root=(images,))
    assert (done.kept, done.written) == (3, False)
    inputs = (tmp_path / "out" / "records.jsonl").read_text()
    assert '"../../images.zip/images/0.png"' in inputs or '"../images.zip/images/0.png"' in inputs


def test_the_temporary_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    run(packed(source(tmp_path / "data"), tmp_path / "data.zip"), tmp_path / "out", jobs=2)
    assert not list((tmp_path / "temporary").iterdir())
