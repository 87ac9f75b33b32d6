"""Exports as one zip file: verified without unpacking, any flipped bit is found."""

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.errors import SegprepError


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three samples, exported to a zip file."""
    home = tmp_path_factory.mktemp("packed")
    for folder in ("images", "masks"):
        (home / "s" / folder).mkdir(parents=True)
    for n in range(3):
        Image.linear_gradient("L").resize((20, 16)).save(home / f"s/images/{n}.png")
        Image.new("L", (20, 16), n % 2).save(home / f"s/masks/{n}.png")
    words = ["convert", "pairs", str(home / "s"), str(home / "t"), "--classes", "a,b", "-q"]
    assert CliRunner().invoke(group, words).exit_code == 0
    words = ["export", "voc", str(home / "e.zip"), "-d", str(home / "t"), "--zip", "-q"]
    done = CliRunner().invoke(group, words)
    assert done.exit_code == 0, done.output
    return home / "e.zip"


def test_a_zip_export_is_intact(packed: Path) -> None:
    found = segprep.verify(packed)
    assert found.intact
    assert found.checked > 6
    assert segprep.verify(packed, sample=10).skipped > 0


def test_every_flipped_bit_of_a_zip_export_is_found(packed: Path, tmp_path: Path) -> None:
    data, rng, missed = packed.read_bytes(), random.Random(3), []
    spots = [*range(len(data) - 70, len(data)), *(rng.randrange(len(data)) for _ in range(230))]
    for spot in spots:
        broken = bytearray(data)
        broken[spot] ^= 1 << rng.randrange(8)
        (tmp_path / "x.zip").write_bytes(broken)
        try:
            intact = segprep.verify(tmp_path / "x.zip").intact
        except SegprepError:
            intact = False
        if intact:
            missed.append(spot)
    assert missed == []


def test_members_that_are_missing_added_or_twice_are_named(packed: Path, tmp_path: Path) -> None:
    shutil.copy(packed, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        first = next(name for name in archive.namelist() if name.endswith(".png"))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(first, b"other")
        archive.writestr("more.txt", b"more")
    kinds = {one.path: one.kind for one in segprep.verify(tmp_path / "x.zip").deviations}
    assert kinds["more.txt"] == "extra"
    assert first in kinds


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip file at all"])
def test_other_files_have_a_code(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(SegprepError) as refused:
        segprep.verify(tmp_path / "x.zip")
    assert refused.value.code == "no-manifest"
