"""What every export target owes, whatever its name; targets are found by name, so a new one needs
no line here.
"""

import pickle
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import get_type_hints

import pytest
from click.testing import CliRunner
from segprep_cli.main import group

import segprep
from segprep import targets
from segprep.errors import UsageError
from segprep.exporting.publish import MARKER
from segprep.types import Entry


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
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
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
    places = writer.choose(entries, place.lists(), [])
    seen: set[str] = set()
    for entry in entries:
        products = list(writer.files(entry, places[entry.stem], (tree.resolve(),), []))
        assert products
        for product in products:
            parts = PurePosixPath(product.name).parts
            assert not PurePosixPath(product.name).is_absolute()
            assert ".." not in parts
            assert (product.content is None) != (product.origin is None)
            assert product.name.casefold() not in seen
            seen.add(product.name.casefold())
    assert not seen & {text.casefold() for text in writer.texts(place.classes(), place.lists())}


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
    assert targets.summary(name).split(":")[0] in shown
    assert targets.examples(name)
    assert all(f"export {name} " in line for line in targets.examples(name))


def test_an_unknown_target_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        targets.load("kera")
    assert (caught.value.code, "keras" in caught.value.hint) == ("unknown-target", True)
