"""What the crash sweep disturbs: one folder src, one folder out, one command each."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from crash.faults import run
from PIL import Image


def picture(path: Path, shade: int, size: tuple[int, int] = (40, 30), **saving: object) -> None:
    Image.linear_gradient("L").resize(size).point(lambda v: (v + shade) % 256).convert("RGB").save(
        path, **saving
    )


def annotation(path: Path, label: str = "cat", image: str | None = None, at: int = 4) -> None:
    shape = {
        "label": label,
        "points": [[at, at], [at + 15, at], [at + 10, at + 12]],
        "shape_type": "polygon",
        "group_id": None,
    }
    path.write_text(
        json.dumps(
            {
                "shapes": [shape],
                "imagePath": image or f"{path.stem}.png",
                "imageData": None,
                "imageHeight": 30,
                "imageWidth": 40,
            }
        )
    )


def sample(folder: Path, stem: str, number: int, label: str = "cat", suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture(folder / f"{stem}{suffix}", 20 * number)
    annotation(folder / f"{stem}.json", label, f"{stem}{suffix}", 3 + number % 5)


@dataclass(frozen=True)
class Scenario:
    """*prepare* lays out src and out below the current folder; *command* is then disturbed; *exit*
    is what it ends with undisturbed.
    """

    prepare: Callable[[], None]
    command: tuple[str, ...]
    exit: int = 0
    apart: str = ""  # what lies below it belongs to each run by itself, and is not compared
    imports: tuple[str, ...] = ()  # so that no child has to
    # the command that finishes what an interrupted one began, if it is not the same one
    again: Callable[[], tuple[str, ...]] | None = None
    settled: Callable[[str, bytes], bytes] = lambda name, data: data  # a file less its durations


CONVERT = ("json2mask", "src", "out", "-j", "1", "--no-progress", "--objects")


def _source() -> None:
    for n in range(4):
        sample(
            Path("src"),
            f"s{n}",
            n,
            "cat" if n % 2 else "dog",
            ".bmp" if n == 2 else ".jpg" if n == 1 else ".png",
        )


def _fresh() -> None:
    _source()


def _skip() -> None:
    _source()
    Path("src/bad.json").write_text("{")


def _update() -> None:
    """One sample is new, one has changed, two have vanished; the tree is split and has runs."""
    for n in range(10):
        sample(Path("src"), f"s{n}", n, "cat" if n % 2 else "dog")
    run(CONVERT)
    run(("split", "out", "--seed", "1"))
    Path("out/runs/one").mkdir(parents=True)
    Path("out/runs/one/log.txt").write_text("keep me")
    held = (
        Path("out/ImageSets/Segmentation/val.txt").read_text().split()[0],
        Path("out/ImageSets/Segmentation/train.txt").read_text().split()[0],
    )
    for stem in held:
        Path(f"src/{stem}.json").unlink()
    changed = next(f"s{n}" for n in range(10) if f"s{n}" not in held)
    annotation(Path(f"src/{changed}.json"), "cat", f"{changed}.png", 9)
    sample(Path("src"), "t0", 3)


def _overwrite() -> None:
    for n in range(3):
        sample(Path("other"), f"o{n}", n, "bird")
    sample(Path("other"), "s1", 9, "bird")
    run(("json2mask", "other", "out", "-j", "1"))
    run(("split", "out", "--seed", "1"))
    _source()


def _fixed() -> None:
    _skip()
    run(CONVERT, 1)
    sample(Path("src"), "bad", 7)


def _classes() -> None:
    _source()
    run(CONVERT)
    run(("split", "out", "--seed", "1"))
    sample(Path("src"), "a", 5, "ant")


def _unsplit() -> None:
    _source()
    run(CONVERT)


def _resplit() -> None:
    _unsplit()
    run(("split", "out", "--seed", "1"))
    sample(Path("src"), "t0", 3)
    run(CONVERT)


def _tree(folder: str = "src") -> None:
    """A split dataset at *folder*, whose own source is gone."""
    for n in range(5):
        sample(Path("raw"), f"s{n}", n, "cat" if n % 2 else "dog")
    run(("json2mask", "raw", folder, "-j", "1", "--objects"))
    run(("split", folder, "--seed", "1"))
    shutil.rmtree("raw")


def _exported() -> None:
    _tree("other")
    run(("export", "keras", "out", "-d", "other", "-j", "1"))
    shutil.rmtree("other")
    _tree()


def _folded() -> None:
    _unsplit()
    run(("split", "out", "--seed", "1", "--folds", "3"))


def _merged() -> None:
    _tree()
    for n in range(2):
        sample(Path("raw"), f"m{n}", n + 7, "bird")
    run(("json2mask", "raw", "src/second", "-j", "1"))
    shutil.move("src", "trees")
    shutil.rmtree("raw")
    Path("src").mkdir()
    shutil.move("trees/second", "src/second")
    shutil.move("trees", "src/first")


def _predicted() -> None:
    """A dataset and predictions for it, which are its own masks."""
    _tree()
    shutil.copytree("src/SegmentationClass", "src/pred")


def _untidy() -> None:
    """A dataset that another tool made: a double name in a list, a PNG file called .jpg."""
    _tree("out")
    for name in ("segprep.json", "records.jsonl"):
        Path("out", name).unlink()
    shutil.rmtree("out/SegmentationObject")
    train = Path("out/ImageSets/Segmentation/train.txt")
    train.write_text(train.read_text() * 2)
    image = sorted(Path("out/JPEGImages").glob("*.png"))[0]
    image.rename(image.with_suffix(".jpg"))
    Path("src").mkdir()


def _empty_out() -> None:
    _tree()
    Path("out").mkdir()


def _trained() -> None:
    """A dataset, and an earlier training of it with another seed."""
    _tree()
    run((*TRAIN, "--seed", "1"))


def _predictable() -> None:
    """A dataset and a network for it."""
    _tree()
    run(TRAIN)
    shutil.move("out/best.pt", "src/best.pt")
    shutil.rmtree("out")


def _checkable() -> None:
    for n in range(14):
        sample(Path("raw"), f"s{n}", n, "cat" if n % 2 else "dog")
    run(("json2mask", "raw", "src", "-j", "1"))
    run(("split", "src", "--seed", "1", "--ratio", "70/30/0"))
    shutil.rmtree("raw")


def _timeless(name: str, data: bytes) -> bytes:
    """What a training wrote, less the seconds that it took."""
    if name.endswith(".pt"):
        return repr(_plain(torch.load(io.BytesIO(data), weights_only=True))).encode()
    if name.endswith("history.csv"):
        return b"\n".join(line.rpartition(b",")[0] for line in data.splitlines())
    if name.endswith(".json"):
        return repr(_plain(json.loads(data))).encode()
    if name.endswith(".html"):
        return b""  # it tells how long it took, and that it was interrupted
    return data


_OWN = ("seconds", "notes", "memory_mb", "source")  # of each run, or place, by itself


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in sorted(value.items()) if key not in _OWN}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _resumed() -> tuple[str, ...]:
    return (*TRAIN, "--resume") if Path("out/last.pt").exists() else TRAIN


torch.set_num_threads(1)  # a forked child would wait for its parent's threads
TRAIN = (
    *("train", "src", "--out", "out", "--arch", "mini-unet", "--epochs", "2", "--size", "32"),
    *("--batch", "2", "--save-every", "1", "--pictures", "2", "--device", "cpu", "--workers", "0"),
    *("--deterministic", "--no-tensorboard", "-q"),
)
CHECK = (
    *("train-check", "src", "--out", "out", "--steps", "4", "--size", "32", "--arch", "mini-unet"),
    *("--device", "cpu", "-q"),
)
PREDICT = (
    *("predict", "src/best.pt", "src", "--out", "out", "--split", "train", "--device", "cpu"),
    *("--mode", "ids", "--mode", "blend", "--count", "-q"),
)
PREDICTING = ("segprep_cli.predict", "segprep.training.inference.job")
TRAINING = ("segprep_cli.train", "segprep.training.trainer.trainer")
CHECKING = ("segprep_cli.train_check", "segprep.training.check")
REMAP = ("remap", "src", "out", "--map", "cat=dog", "-j", "1", "--no-progress")
EXPORT = ("export", "keras", "out", "-d", "src", "-j", "1", "--no-progress")
SCENARIOS = {
    "fresh": Scenario(_fresh, CONVERT),
    "skip": Scenario(_skip, (*CONVERT, "--on-error", "skip"), 3),
    "update": Scenario(_update, CONVERT),
    "overwrite": Scenario(_overwrite, (*CONVERT, "--overwrite")),
    "fixed": Scenario(_fixed, CONVERT),
    "classes": Scenario(_classes, CONVERT),
    "split": Scenario(_unsplit, ("split", "out", "--seed", "1")),
    "split-update": Scenario(_resplit, ("split", "out", "--update")),
    "split-overwrite": Scenario(
        _folded, ("split", "out", "--seed", "5", "--overwrite", "--folds", "2")
    ),
    "remap": Scenario(_tree, REMAP),
    "merge": Scenario(
        _merged, ("merge", "src/first", "src/second", "out", "-j", "1", "--no-progress")
    ),
    "tile": Scenario(
        _tree, ("tile", "src", "out", "--size", "32", "--overlap", "8", "-j", "1", "--no-progress")
    ),
    "resize": Scenario(_tree, ("resize", "src", "out", "--size", "24", "-j", "1", "--no-progress")),
    "miou": Scenario(
        _predicted,
        ("miou", "src/pred", "-d", "src", "--out", "out", "--samples", "5", "-j", "1", "-q"),
    ),
    "fix": Scenario(_untidy, ("check", "out", "--fix", "--yes", "-j", "1", "-q"), apart="runs/"),
    "stats": Scenario(
        _empty_out,
        ("stats", "src", "--csv", "out/a.csv", "--plots", "out/plots", "--overwrite", "-q"),
    ),
    "view": Scenario(
        _empty_out, ("view", "src", "--out", "out/view.html", "--overwrite", "-j", "1", "-q")
    ),
    "train": Scenario(_tree, TRAIN, again=_resumed, settled=_timeless, imports=TRAINING),
    "train-overwrite": Scenario(
        _trained, (*TRAIN, "--overwrite"), settled=_timeless, imports=TRAINING
    ),
    "train-check": Scenario(_checkable, CHECK, exit=4, settled=_timeless, imports=CHECKING),
    "predict": Scenario(_predictable, PREDICT, settled=_timeless, imports=(*TRAINING, *PREDICTING)),
    "export": Scenario(_tree, EXPORT),
    "export-overwrite": Scenario(_exported, (*EXPORT, "--overwrite")),
}
