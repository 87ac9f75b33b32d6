"""What every export target owes, whatever its name; targets are found by name, so a new one needs
no line here.
"""

import pickle
import zipfile
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import get_type_hints

import pytest
from click.testing import CliRunner
from segprep_cli.declarations import declared
from segprep_cli.main import group

import segprep
from segprep import targets
from segprep.errors import BadInputError, UsageError
from segprep.exporting.labeled import labeled
from segprep.exporting.publish import MARKER
from segprep.imaging.image import read_mask, write_mask
from segprep.types import Entry, Skipped
from segprep.writer import Gathered, Inventory, Part, Product


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below *folder* with its content and time of change."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree", objects=True)
    segprep.split(tmp_path / "tree", seed=1)
    return tmp_path / "tree"


@pytest.mark.parametrize("name", targets.names())
def test_contract(name: str, tree: Path, tmp_path: Path) -> None:
    assert Path(__file__).with_name(f"test_{name.replace('-', '_')}.py").exists(), (
        f"target {name!r} has no test of its own"
    )
    before = state(tree)
    done = segprep.export(name, tree, tmp_path / "one")
    assert (done.samples, done.written, done.skipped) == (12, True, ())
    segprep.export(name, tree, tmp_path / "two", jobs=2)
    assert state(tree) == before, "the dataset was touched"
    one, two = (
        {key: data for key, (data, _) in state(tmp_path / out).items()} for out in ("one", "two")
    )
    assert one == two
    assert len(one) == done.files + 1
    assert MARKER in one
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".segprep-export")]
    dry = segprep.export(name, tree, tmp_path / "dry", dry_run=True)
    assert (dry.samples, dry.written, (tmp_path / "dry").exists()) == (12, False, False)


@pytest.mark.parametrize("name", targets.names())
def test_files_are_pure_named_safely_and_pickle(name: str, tree: Path) -> None:
    writer = pickle.loads(pickle.dumps(targets.load(name)()))
    place = segprep.Tree(tree)
    entries = tuple(
        Entry(record.stem, tree / record.image, tree / record.mask, tree / str(record.objects))
        for record in place.records()
    )
    inventory = Inventory("tree", entries, place.lists(), place.classes())
    places = writer.choose(inventory).places
    seen: set[str] = set()
    parts: dict[str, tuple[bytes, ...]] = {}
    for entry in entries:
        sample, _ = labeled(
            entry, (tree.resolve(),), place.classes(), limit=writer.max_pixels, gray_bits=16
        )
        results = list(writer.files(sample, places[entry.stem]))
        assert results
        for part in (one for one in results if isinstance(one, Part)):
            parts[part.name] = (*parts.get(part.name, ()), part.content)
        for product in (one for one in results if isinstance(one, Product)):
            assert not PurePosixPath(product.name).is_absolute()
            assert ".." not in PurePosixPath(product.name).parts
            assert (product.content is None) != (product.origin is None)
            if product.append:
                continue
            assert product.name.casefold() not in seen
            seen.add(product.name.casefold())
    texts = writer.texts(inventory, Gathered(parts, ("3 pixels of something",)))
    assert not seen & {text.casefold() for text in texts}
    readme = texts["README.txt"].decode()
    assert "Load it:" in readme
    assert "3 pixels of something" in readme


@pytest.mark.parametrize("name", targets.names())
def test_a_value_that_no_class_has_is_refused(name: str, tree: Path, tmp_path: Path) -> None:
    path = segprep.Tree(tree).mask_path("img4")
    mask = read_mask(path)
    mask[3:5, 4] = 77
    write_mask(path, mask)
    with pytest.raises(BadInputError) as caught:
        segprep.export(name, tree, tmp_path / "out")
    (one,) = caught.value.skipped
    assert isinstance(one, Skipped)
    assert (one.stem, one.code, "77 (2 pixels)" in one.reason) == ("img4", "unknown-value", True)
    assert "segprep remap" in one.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", targets.names())
def test_one_zip_holds_the_same_files(name: str, tree: Path, tmp_path: Path) -> None:
    segprep.export(name, tree, tmp_path / "out")
    segprep.export(name, tree, tmp_path / "one.zip", archive=True)
    segprep.export(name, tree, tmp_path / "two.zip", archive=True, jobs=2)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    folder = {key: data for key, (data, _) in state(tmp_path / "out").items()}
    with zipfile.ZipFile(tmp_path / "one.zip") as file:
        packed = {member: file.read(member) for member in file.namelist()}
    assert packed.keys() == folder.keys()
    assert {key for key in folder if packed[key] != folder[key]} <= {MARKER}
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".segprep-export")]


@pytest.mark.parametrize("name", targets.names())
def test_every_field_is_an_option_with_help_and_a_default(name: str) -> None:
    writer = targets.load(name)
    hints = get_type_hints(writer, include_extras=True)
    assert all(hints[one.name].__metadata__[-1].endswith(".") for one in fields(writer))  # type: ignore[arg-type]
    shown = (
        CliRunner()
        .invoke(group, ["export", name, "--help"], prog_name="segprep", terminal_width=200)
        .output
    )
    assert all(f"--{one.name.replace('_', '-')}" in shown for one in fields(writer))  # type: ignore[arg-type]
    told = declared(writer.__module__)
    assert told.summary.split(":")[0] in shown
    assert told.examples
    assert all(f"export {name} " in line for line in told.examples)


def test_an_unknown_target_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        targets.load("kera")
    assert (caught.value.code, "keras" in caught.value.hint) == ("unknown-target", True)
