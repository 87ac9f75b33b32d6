"""Every format reads archives: the tree is the one that its folder gives."""

import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from folders import content

from segprep import sources
from segprep.conversion import convert

KIND = {"zip": ".zip", "gztar": ".tar.gz"}


@pytest.mark.parametrize("kind", KIND)
@pytest.mark.parametrize("name", sources.names())
def test_every_format_reads_archives(
    name: str, kind: str, tmp_path: Path, sibling: Callable[[str], ModuleType]
) -> None:
    (tmp_path / "source").mkdir()
    reader = sibling(name).example(tmp_path / "source")
    options = {f.name: getattr(reader, f.name) for f in fields(reader) if f.name != "root"}
    root = reader.root.resolve()
    shutil.make_archive(str(tmp_path / "packed"), kind, root.parent, root.name)
    archive = tmp_path / f"packed{KIND[kind]}"
    results = [
        convert(name, path, tmp_path / out, **options)
        for path, out in ((reader.root, "from-folder"), (archive, "from-archive"))
    ]
    assert results[0].converted == results[1].converted > 0
    assert content(tmp_path / "from-folder", "segprep.json", ".segprep.lock") == content(
        tmp_path / "from-archive", "segprep.json", ".segprep.lock"
    )
