"""Datasets in shards (``--shard``): every command does with one what it does with a flat one."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import fine, run
from PIL import Image

import segprep
from segprep import targets
from segprep.errors import TreeError, UsageError

SIZE = 4  # samples per shard
SHARD = re.compile(r"\b00\d[/_](?=[a-z])")


def pairs(folder: Path, count: int = 10, first: int = 0) -> Path:
    """Images and masks of three classes, no two of them equal."""
    rng = np.random.default_rng(first)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
        mask = np.zeros((64, 64), np.uint8)
        mask[number : number + 20, 8:40] = 1
        mask[40:, 30 + number :] = 2
        picture[mask > 0] //= 2
        Image.fromarray(picture).save(folder / "images" / f"n{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"n{number}.png")
    return folder


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with the same dataset, once flat and once in shards, and an untrained network."""
    root = tmp_path_factory.mktemp("sharded")
    pairs(root / "source")
    for name, size in (("flat", 0), ("sharded", SIZE)):
        shard = ("--shard", size) if size else ()
        fine("convert", "pairs", root / "source", root / name / "data", *shard, "-q")
        fine("split", root / name / "data", "--ratio", "50/30/20", "-q")
    return {name: root / name for name in ("flat", "sharded")}


def bare(text: str, home: Path) -> str:
    return SHARD.sub("", text).replace(str(home), "HOME")


def samples(folder: Path) -> dict[str, bytes]:
    """Pictures and lists below *folder*, by their name without a shard."""
    content = dict[str, bytes]()
    for path in folder.rglob("*"):
        name = bare(path.relative_to(folder).as_posix(), folder)
        if path.suffix in (".png", ".jpg", ".npz"):
            content[name] = path.read_bytes()
        elif path.is_file() and path.suffix == ".txt":
            content[name] = bare(path.read_text(), folder).encode()
    return content


def said(home: Path, *words: object) -> str:
    """What a command prints; exit 1 is a finding."""
    done = run(*words)
    assert done.exit_code in (0, 1), done.output + done.stderr
    return re.sub(r'"seconds.*', "", bare(done.stdout, home))


Command = Callable[[Path, Path], Any]


def printing(*words: object) -> Command:
    return lambda home, out: said(home, *words, home / "data", "--json")


def described(home: Path, out: Path) -> Any:
    content = json.loads(printing("info")(home, out))
    assert content["source"]["options"].pop("shard", 0) == (SIZE if home.name == "sharded" else 0)
    return content


def writing(name: str, *words: object) -> Command:
    def command(home: Path, out: Path) -> dict[str, bytes]:
        fine(name, home / "data", out / "new", *words)
        shards = [path.name for path in (out / "new" / "JPEGImages").iterdir()]
        assert ("000" in shards) == (home.name == "sharded"), shards
        assert not run("verify", out / "new").exit_code
        return samples(out / "new")

    return command


def merged(home: Path, out: Path) -> dict[str, bytes]:
    pairs(out / "more", 3, first=8)  # n8 and n9 are in both
    fine("convert", "pairs", out / "more", out / "other", "-q")
    fine("split", out / "other", "-q")
    fine("merge", home / "data", out / "other", out / "new")
    assert (out / "new/JPEGImages/000").is_dir() == (home.name == "sharded")
    return samples(out / "new")


def tiled(home: Path, out: Path) -> Any:
    writing("tile", "--size", 48, "--overlap", 16)(home, out)
    masks = out / "new" / "SegmentationClass"
    fine("tile", out / "new", out / "whole", "--undo", masks)
    scores = said(home, "miou", out / "whole", "-d", home / "data", "--json")
    assert json.loads(scores)["miou"] == 1.0
    return samples(out)


def exported(target: str) -> Command:
    def command(home: Path, out: Path) -> Any:
        fine("export", target, out / "new", "-d", home / "data")
        assert not run("verify", out / "new").exit_code
        files = {  # of Cityscapes the shards are the cities
            re.sub(r"/(data|00\d)/", "/", name): data for name, data in samples(out / "new").items()
        }
        return files, len([path for path in out.rglob("*") if path.is_file()])

    return command


def viewed(home: Path, out: Path) -> int:
    fine("view", home / "data", "--out", out / "page.html")
    return len(re.findall(r"n\d", bare((out / "page.html").read_text(), home)))


def scored(home: Path, out: Path) -> str:
    return said(home, "miou", home / "data/SegmentationClass", "-d", home / "data", "--json")


def opened(home: Path, out: Path) -> Any:
    dataset = segprep.open(home / "data")
    return [
        (bare(sample.stem, home), np.asarray(sample.image).sum(), sample.mask.sum())
        for sample in dataset
    ]


def trained(home: Path, out: Path) -> Any:
    short = ("--epochs", 1, "--size", 32, "--batch", 4, "--option", "base=4", "--device", "cpu")
    fine("train", home / "data", "--out", out / "run", *short, "-q")
    network = out / "run" / "last.pt"
    fine("predict", network, home / "data", "--split", "val", "--out", out / "masks")
    scores = said(home, "miou", out / "masks", "-d", home / "data", "--split", "val", "--json")
    return samples(out / "masks"), scores


def checked(home: Path, out: Path) -> Any:
    """--fix repairs the lists of a copy."""
    fine("convert", "pairs", home.parent / "source", out / "data", *_shard(home), "-q")
    fine("split", out / "data", "-q")
    (names := out / "data/ImageSets/Segmentation/train.txt").write_text(
        names.read_text() + names.read_text().splitlines()[0] + "\n"
    )
    assert "SEG4" in said(out, "check", out / "data", "--json")
    run("check", out / "data", "--fix")
    return bare(names.read_text(), out), said(out, "check", out / "data", "--json")


def _shard(home: Path) -> tuple[object, ...]:
    return ("--shard", SIZE) if home.name == "sharded" else ()


COMMANDS: dict[str, Command] = {
    "info": described,
    "check": printing("check"),
    "verify": printing("verify"),
    "stats": printing("stats"),
    "split": printing("split", "--update"),
    "fix": checked,
    "view": viewed,
    "remap": writing("remap", "--map", "class_2=class_1"),
    "resize": writing("resize", "--size", 32),
    "merge": merged,
    "tile": tiled,
    "miou": scored,
    "open": opened,
    "train, predict": trained,
    **{f"export {target}": exported(target) for target in targets.names()},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_gives_the_same(name: str, homes: dict[str, Path], tmp_path: Path) -> None:
    results = []
    for kind, home in homes.items():
        out = tmp_path / kind
        out.mkdir()
        result = COMMANDS[name](home, out)
        results.append(bare(result, out) if isinstance(result, str) else result)
    assert results[0]
    assert results[0] == results[1]


def stems(dataset: Path) -> list[str]:
    return list(segprep.open(dataset).stems)


def test_samples_lie_in_shards_that_lists_name(homes: dict[str, Path]) -> None:
    """Readers that join folder, line and extension find them."""
    data = homes["sharded"] / "data"
    assert stems(data) == [f"00{n // SIZE}/n{n}" for n in range(10)]
    listed = (data / "ImageSets/Segmentation/trainval.txt").read_text().split()
    for line in listed:
        assert (data / "JPEGImages" / f"{line}.png").is_file()
        assert (data / "SegmentationClass" / f"{line}.png").is_file()


def test_samples_keep_their_shards(tmp_path: Path) -> None:
    source, out = pairs(tmp_path / "source"), tmp_path / "out"
    convert = ("convert", "pairs", source, out, "--shard", SIZE)
    fine(*convert)
    before = samples(out)
    assert "nothing to do" in fine(*convert).stdout
    for kind in ("images", "masks"):
        (source / kind / "n1.png").unlink()
    pairs(source, 1, first=20)
    pairs(source, 3, first=10)
    fine(*convert)
    assert stems(out) == [
        *("000/n0", "000/n2", "000/n3", "000/n10"),
        *("001/n4", "001/n5", "001/n6", "001/n7"),
        *("002/n8", "002/n9", "002/n11", "002/n12", "003/n20"),
    ]
    now = samples(out)
    kept = {
        name: data for name, data in before.items() if name.endswith(".png") and "n1." not in name
    }
    assert kept.items() <= now.items()
    fine("verify", out)
    for kind in ("images", "masks"):
        for number in (*range(8, 13), 20):
            (source / kind / f"n{number}.png").unlink()
    fine(*convert)
    assert sorted(path.name for path in (out / "JPEGImages").iterdir()) == ["000", "001"]


def test_a_sample_that_is_back_is_in_its_list_again(tmp_path: Path) -> None:
    source, out = pairs(tmp_path / "source"), tmp_path / "out"
    convert = ("convert", "pairs", source, out, "--shard", 2)
    fine(*convert)
    fine("split", out)
    lists = segprep.open(out).lists
    moved = lists["test"][0].partition("/")[2]
    files = {kind: source / kind / f"{moved}.png" for kind in ("images", "masks")}
    contents = {kind: path.read_bytes() for kind, path in files.items()}
    for path in files.values():
        path.unlink()
    pairs(source, 1, first=20)  # takes its room
    fine(*convert)
    for kind, data in contents.items():
        files[kind].write_bytes(data)
    fine(*convert)
    fine("split", out, "--update")
    assert moved in [stem.partition("/")[2] for stem in segprep.open(out).lists["test"]]


def test_a_refused_run_and_the_next_one_give_what_a_clean_one_gives(tmp_path: Path) -> None:
    source, good = pairs(tmp_path / "source"), tmp_path / "good"
    fine("convert", "pairs", source, good, "--shard", SIZE)
    mask = source / "masks" / "n2.png"
    data = mask.read_bytes()
    mask.write_bytes(b"broken")
    out = tmp_path / "out"
    assert run("convert", "pairs", source, out, "--classes", 3, "--shard", SIZE).exit_code == 1
    mask.write_bytes(data)
    fine("convert", "pairs", source, out, "--classes", 3, "--shard", SIZE)
    assert samples(out) == samples(good) | samples(out)
    assert stems(out) == stems(good)
    (out / "JPEGImages/000/n2.png").unlink()
    fine("convert", "pairs", source, out, "--classes", 3, "--shard", SIZE)
    fine("verify", out)


def test_another_layout_is_another_call(homes: dict[str, Path]) -> None:
    source = homes["flat"].parent / "source"
    for kind, words in (("flat", ("--shard", 7)), ("sharded", ()), ("sharded", ("--shard", 7))):
        done = run("convert", "pairs", source, homes[kind] / "data", *words)
        assert done.exit_code == 1
        assert "--shard" in done.stderr


def test_a_new_dataset_may_have_other_shards(homes: dict[str, Path], tmp_path: Path) -> None:
    for name, home in homes.items():
        out = tmp_path / name
        fine("resize", home / "data", out, "--size", 32, "--shard", 0)
        assert stems(out) == [f"n{n}" for n in range(10)]
        fine("resize", home / "data", tmp_path / f"{name}5", "--size", 32, "--shard", 5)
        assert stems(tmp_path / f"{name}5")[-1] == "001/n9"


def test_groups_do_not_see_shards(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    pairs(source, 12)
    for kind in ("images", "masks"):
        for number in range(12):
            path = source / kind / f"n{number}.png"
            path.rename(path.with_name(f"p{number % 3}_{number}.png"))
    fine("convert", "pairs", source, out, "--shard", 3, "-q")
    for rule in (r"^(p\d)_", "numbering"):
        fine("split", out, "--group-by", rule, "--ratio", "34/33/33", "--overwrite")
        lists = segprep.open(out).lists
        for name in ("train", "val", "test"):
            assert len({stem.partition("/")[2][:2] for stem in lists[name]}) == 1


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_no_link_stands_for_a_shard(tmp_path: Path) -> None:
    source, out, other = pairs(tmp_path / "source"), tmp_path / "out", tmp_path / "other"
    other.mkdir()
    fine("convert", "pairs", source, out, "--shard", SIZE)
    (out / "JPEGImages" / "003").symlink_to(other)
    pairs(source, 5, first=10)
    done = run("convert", "pairs", source, out, "--shard", SIZE)
    assert done.exit_code == 1
    assert "003 is a symbolic link" in done.stderr
    assert not list(other.iterdir())


def test_readers_of_one_folder_get_one(homes: dict[str, Path], tmp_path: Path) -> None:
    for words in (("nnunet",), ("keras", "--flat")):
        out = tmp_path / words[0]
        fine("export", *words, out, "-d", homes["sharded"] / "data")
        assert list(out.rglob("000_n0*.png"))
        assert not list(out.rglob("00?/"))


def test_a_size_below_0_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--shard -1"):
        segprep.convert("pairs", pairs(tmp_path / "source"), tmp_path / "out", shard=-1)


def test_a_name_that_only_looks_like_a_shard_is_refused(
    homes: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    fine("convert", "pairs", homes["flat"].parent / "source", out, "--shard", SIZE)
    records = (out / "records.jsonl").read_text().replace("000/n0", "../n0")
    (out / "records.jsonl").write_text(records)
    with pytest.raises(TreeError):
        stems(out)
