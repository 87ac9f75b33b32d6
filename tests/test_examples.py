"""What documents and examples/ show is real: output, the example of a format, the demo."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import README, ROOT, blocks, help_of, load
from PIL import Image

import segprep
from segprep import sources

ENVIRONMENT = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def run(*arguments: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout.decode()
    assert done.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of examples/."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def test_the_tour_shows_real_output(home: Path) -> None:
    tour = next(block for block in blocks(README, "console") if "note [" in block)
    seen = []
    for line in tour.splitlines():
        if line.startswith("$ "):
            seen += [
                line,
                *run("-m", "segprep_cli", *line.split()[2:], cwd=home)
                .replace(str(home), "/home/you/segprep")
                .splitlines(),
            ]
    assert [line.rstrip() for line in seen] == tour.splitlines()


def test_readme_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples" / "shapes", tmp_path / "before")
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(README, "python")
    scope: dict[str, object] = {}
    exec(block, scope)
    assert getattr(scope["mask"], "shape", None) == (180, 240)


def test_the_bad_input_of_the_readme_is_real(home: Path) -> None:
    shown = next(block for block in blocks(README, "") if "bad-input" in block)
    (home / "bad").mkdir()
    for n in range(1, 13):
        for path in (home / "examples" / "shapes").glob(f"scene_{n:02}.*"):
            shutil.copy(path, home / "bad")
    spoil(home / "bad" / "scene_01.json", 2, points=[[10, 10]], shape_type="circle")
    spoil(home / "bad" / "scene_05.json", 0, label="dics")
    names = "_background_,box,disc,leaf,ring,triangle"
    done = subprocess.run(
        [sys.executable, "-m", "segprep_cli", "json2mask", "bad", "none", "--classes", names],
        cwd=home, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.replace(f"{home}{os.sep}", "").splitlines() == shown.splitlines()


def spoil(path: Path, shape: int, **fields: object) -> None:
    content = json.loads(path.read_bytes())
    content["shapes"][shape].update(fields)
    path.write_text(json.dumps(content), "utf-8")


def test_the_worked_example_of_a_format_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (module,) = blocks(ROOT / "CONTRIBUTING.md", "python")
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "indexed.py").write_text(module, "utf-8")
    for folder, kind in (("images", "RGB"), ("masks", "L")):
        (tmp_path / "source" / folder).mkdir(parents=True)
        Image.new(kind, (8, 6), 1 if kind == "L" else "gray").save(
            tmp_path / "source" / folder / "cat.png"
        )
    Image.new("L", (8, 6)).save(tmp_path / "source" / "masks" / "lonely.png")
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path / "added")])
    monkeypatch.delitem(sys.modules, "segprep.sources.indexed", raising=False)
    assert "indexed" in sources.names()
    assert sources.load("indexed").recognize(tmp_path / "source")
    done = segprep.convert(
        "indexed", tmp_path / "source", tmp_path / "out", on_error="skip", names="cat"
    )
    assert [one.code for one in done.failed] == ["image-missing"]
    assert (segprep.read_mask(tmp_path / "out" / "SegmentationClass" / "cat.png") == 1).all()
    assert "--names" in help_of("convert", "indexed")
    monkeypatch.delitem(sys.modules, "segprep.sources.indexed")
    monkeypatch.delattr(sources, "indexed")


def test_the_demo_runs_and_runs_again(home: Path) -> None:
    for _ in range(2):
        text = run("examples/demo.py", "shown", "3", cwd=home)
        assert [line for line in text.splitlines() if line.startswith("$ ")] == [
            f"$ segprep json2mask examples/shapes {Path('shown', 'shapes')}",
            f"$ segprep split {Path('shown', 'shapes')} --seed 1",
            f"$ segprep info {Path('shown', 'shapes')}",
            f"$ segprep train-check {Path('shown', 'shapes')} --steps 3",
            (
                f"$ segprep miou --dataset {Path('shown', 'shapes')} --out"
                f" {Path('shown', 'scores')} --overwrite"
            ),
        ]
        named = [home / line.split()[0] for line in text.splitlines()[-3:]]
        assert [path.name for path in named] == [
            "picture.png",
            "report.html",
            "confusion_matrix.png",
        ]
        assert all(path.is_file() for path in named)
    with Image.open(home / "shown" / "picture.png") as picture:
        assert picture.width > 1200
        assert picture.height > 1200


def test_the_demo_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "mine.txt").write_text("mine")
    load(ROOT / "examples" / "demo.py").main(tmp_path, 2)
    assert (tmp_path / "shapes" / "mine.txt").read_text() == "mine"


def test_the_python_example_runs(home: Path) -> None:
    text = run("examples/convert_and_split.py", "examples/shapes", "from-python", cwd=home)
    assert (
        text
        == "30 new, 0 as they were; {'train': 21, 'val': 6, 'test': 3}; _background_, box, disc,"
        " leaf, ring, triangle\n"
    )


def test_the_example_annotations_can_be_made_again(tmp_path: Path) -> None:
    load(ROOT / "examples" / "make_shapes.py").make(tmp_path)
    bundled = sorted((ROOT / "examples" / "shapes").iterdir())
    assert [path.name for path in bundled] == sorted(path.name for path in tmp_path.iterdir())
    assert sum(path.stat().st_size for path in bundled) < 800_000
    for path in bundled:
        if path.suffix == ".json":
            old, new = (json.loads(one.read_bytes()) for one in (path, tmp_path / path.name))
            assert (old.pop("imageData") is None) == (new.pop("imageData") is None)
            assert old == new
