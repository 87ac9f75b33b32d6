"""``segprep train [DATASET]``."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from . import formatting, options, output, train_output, train_settings
from .progress import TrainingBar, clock

HELP = """Train any model of segprep models on a dataset, with any loss, optimizer and schedule.

Trains on the train list and validates on the val list after each epoch. Writes runs/train/ in the
dataset: best.pt and last.pt (checkpoints), config.toml (all settings), history.csv, results.txt,
curves.png, tensorboard/. Settings come from --config FILE (TOML, the names below with _ for -) and
from options, which take precedence. After an interruption, --resume continues exactly where the run
stopped. For several processes, use torchrun.

\b
Examples:
    segprep train out/ --arch unet --epochs 50
    segprep train out/ --config train.toml --lr 3e-4
    segprep train out/ --from-check                          with the settings of train-check
    segprep train out/ --resume                              resume after an interruption
    segprep train out/ --arch vgg-unet --weights vgg16.pth --freeze all --freeze-epochs 10
    segprep train out/ --arch smp:Unet/resnet34     any model of segmentation-models-pytorch
    segprep train out/ --loss focal+dice --class-weights 1,2 --schedule polynomial --warm-up 1
    segprep train out/ --save-augmented look/                write what the model would see
    segprep train out/ --sweep lr=1e-4,1e-3 --patience 3     one setting, several values
    segprep train out/ --sweep lr=1e-4,1e-3 --sweep batch=4,8        each combination
    torchrun --nproc-per-node 2 -m segprep_cli train out/    two GPUs
"""


def _run(
    dataset: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    sweep_of: tuple[str, ...],
    from_check: Path | None,
    save_augmented: Path | None,
    option: tuple[str, ...],
    augmentation: tuple[str, ...],
    **values: Any,
) -> None:
    from segprep.errors import SegprepError
    from segprep.training.trainer.sweep import sweep
    from segprep.training.trainer.trainer import train

    fixed = {name: values.pop(name) for name in ("config", "out", "resume", "overwrite", "classes")}
    settings = {name: value for name, value in values.items() if value is not None}
    if from_check is not None:
        fixed["config"] = _of_check(dataset, from_check, fixed["config"])
    if sweep_of and fixed.pop("resume"):
        raise click.UsageError("--sweep resumes by itself; --resume is for one run")
    settings |= {
        table: dict(map(_pair, listed))
        for table, listed in (("options", option), ("augmentation", augmentation))
        if listed
    }
    if save_augmented:
        _save(dataset, save_augmented, fixed, settings, as_json, quiet)
        return
    first = os.environ.get("RANK", "0") == "0"  # of several processes one speaks
    with _EpochBar(quiet or not first, no_progress) as display:
        try:
            result: Any = (
                sweep(dataset, sweep_of, watch=display, **fixed, **settings)
                if sweep_of
                else train(dataset, watch=display, **fixed, **settings)
            )
        except KeyboardInterrupt:
            display.close()
            if first:
                _how_to_go_on(dataset, fixed["out"], sweep_of, display.epochs)
            raise
        except SegprepError:
            if first:
                raise
            click.get_current_context().exit(1)
    if first:
        _tell(result, as_json, quiet, sweep_of)


def _of_check(dataset: Path, run: Path, config: Path | None) -> Path:
    """The settings that the train-check in *run* (default: the dataset's own) has left."""
    from segprep.dataset.tree import RUNS, find
    from segprep.errors import UsageError

    if config is not None:
        raise click.UsageError("--config and --from-check both name the settings; give one")
    folder = find(dataset).root / RUNS / "train-check" if run == Path() else run
    path = folder / "config.toml"
    if not path.is_file():
        raise UsageError(
            "bad-config",
            f"{folder} holds no config.toml of a train-check",
            "run segprep train-check first, or name the folder of its results",
        )
    return path


def _tell(result: Any, as_json: bool, quiet: bool, sweep_of: tuple[str, ...]) -> None:
    for note in () if quiet or sweep_of else result.notes:
        output.aside(f"note: {note}")
    if as_json:
        output.document(result.document())
    elif not quiet:
        (train_output.sweep if sweep_of else train_output.run)(result)


def _save(
    dataset: Path,
    folder: Path,
    fixed: Mapping[str, Any],
    settings: Mapping[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    from segprep.training.trainer.windows import save_augmented

    written = save_augmented(dataset, folder, fixed["config"], classes=fixed["classes"], **settings)
    if as_json:
        output.document({"out": str(folder), "files": [path.name for path in written]})
    elif not quiet:
        count = sum(path.name.startswith("image_") for path in written)
        output.line(
            f"{folder}: {count} augmented images with their masks; look at {written[-1].name}"
        )


def _pair(text: str) -> tuple[str, Any]:
    import tomllib

    name, _, value = text.partition("=")
    for form in (value, f"[{value}]"):  # 5, reflect and [2, 3] as in a file; 2,3 as well
        try:
            return name.strip(), tomllib.loads(f"value = {form}")["value"]
        except tomllib.TOMLDecodeError:
            pass
    return name.strip(), value


def _how_to_go_on(dataset: Path, out: Path | None, sweep_of: tuple[str, ...], epochs: int) -> None:
    if sweep_of:
        click.echo("\nstopped; the same command resumes", err=True)
        return
    if not epochs:
        click.echo(
            "\nstopped before an epoch was finished; nothing was kept: run the same command again",
            err=True,
        )
        return
    elsewhere = f" --out {out}" if out else ""
    click.echo(err=True)
    output.aside(
        "stopped; best.pt and last.pt hold what was learned up to the last finished epoch. Go"
        f" on: segprep train {dataset} --resume{elsewhere}"
    )


class _EpochBar(TrainingBar):
    """A bar on a terminal; a line per epoch; nothing if quiet."""

    def __init__(self, quiet: bool, no_progress: bool) -> None:
        super().__init__(quiet, no_progress)
        self.left: float | None = None
        self.epochs = 0  # finished ones

    def __call__(self, moment: Any) -> None:
        self.left = moment.left if moment.left is not None else self.left
        if re.search(r"epoch \d+/\d+: ", moment.what):
            self.epochs += 1
            left = (
                f", about {clock(self.left)} to go"
                if self.left and moment.done < moment.total
                else ""
            )
            self._line(moment.what + left)
        elif self.terminal:
            self.draw(moment)

    def _line(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, highlight=False, markup=False)
        elif not self.silent:
            output.aside(text)


def _params() -> list[click.Parameter]:
    return [
        *_general(),
        *_more(),
        *train_settings.settings(),
        options.no_lock(),
        *options.display(),
    ]


def _general() -> list[click.Parameter]:
    return [
        options.dataset(),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            default=None,
            help="Settings from a TOML file; options win over it.",
        ),
        click.Option(
            ["--out", "-o"],
            type=click.Path(path_type=Path),
            default=None,
            show_default="runs/train in the dataset",
            help="Folder of the run.",
        ),
        click.Option(
            ["--from-check"],
            type=click.Path(path_type=Path),
            is_flag=False,
            flag_value=Path(),
            default=None,
            metavar="[RUN]",
            help="Settings that a train-check found; default: runs/train-check in the dataset.",
        ),
        click.Option(["--resume"], is_flag=True, help="Resume the run in --out."),
        click.Option(["--overwrite"], is_flag=True, help="Replace the run in --out."),
        click.Option(
            ["--classes"],
            metavar="FILE|a,b,c|N",
            help="Class names, or their number, where the dataset has no class list.",
        ),
    ]


def _more() -> list[click.Parameter]:
    return [
        click.Option(
            ["--sweep", "sweep_of"],
            multiple=True,
            metavar="NAME=A,B,…",
            help="Train once per value of a setting (of each combination, if repeated); epochs and"
            " score against it as CSV and plot.",
        ),
        click.Option(
            ["--option"],
            multiple=True,
            metavar="NAME=VALUE",
            help="An option of the model itself: base=16. Repeatable.",
        ),
        click.Option(
            ["--augmentation"],
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter of docs/augmentation.md: rotation=5. Repeatable.",
        ),
        click.Option(
            ["--save-augmented"],
            type=click.Path(path_type=Path),
            default=None,
            help="Write 32 augmented samples there to look at; train nothing.",
        ),
    ]


command = formatting.Command(
    "train",
    callback=_run,
    help=HELP,
    short_help="Train a model: architectures, losses and schedules by name.",
    params=_params(),
)
