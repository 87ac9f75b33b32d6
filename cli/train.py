"""``segprep train [DATASET]``."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from . import options, output
from .progress import TrainingBar, clock

HELP = """Train a network on a dataset: any of segprep models, with the losses, optimisers and schedules of the tutorials.

Learns from the train list, validates on the val list after each epoch. Writes runs/train/ in the dataset: best.pt and last.pt (checkpoints),
config.toml (all settings), history.csv, results.txt, curves.png, tensorboard/. Settings come from --config FILE (TOML, the names below with _ for -)
and from options, which win. Interrupted, it goes on with --resume exactly as if it had not been. On several processes: torchrun.

\b
Examples:
    segprep train out/ --arch unet --epochs 50
    segprep train out/ --config train.toml --lr 3e-4
    segprep train out/ --resume                              go on after an interruption
    segprep train out/ --arch vgg-unet --weights vgg16.pth --freeze all --freeze-epochs 10
    segprep train out/ --loss focal+dice --class-weights 1,2 --schedule polynomial --warm-up 1
    segprep train out/ --save-augmented look/                what the network would see; nothing is trained
    segprep train out/ --sweep lr=1e-4,1e-3 --patience 3     one setting, several values
    torchrun --nproc-per-node 2 -m segprep_cli train out/    two GPUs
"""


def _run(
    dataset: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    sweep_of: str | None,
    save_augmented: Path | None,
    option: tuple[str, ...],
    augmentation: tuple[str, ...],
    **given: Any,
) -> None:
    from segprep.errors import SegprepError
    from segprep.training.trainer.sweep import sweep
    from segprep.training.trainer.trainer import train

    fixed = {name: given.pop(name) for name in ("config", "out", "resume", "overwrite", "classes")}
    settings = {name: value for name, value in given.items() if value is not None}
    if sweep_of and fixed.pop("resume"):
        raise click.UsageError("--sweep goes on by itself where it was; --resume is for one run")
    settings |= {
        table: dict(map(_pair, listed))
        for table, listed in (("options", option), ("augmentation", augmentation))
        if listed
    }
    if save_augmented:
        _save(dataset, save_augmented, fixed, settings, as_json, quiet)
        return
    first = os.environ.get("RANK", "0") == "0"  # of several processes one speaks
    with _Display(quiet or not first, no_progress) as display:
        try:
            found: Any = (
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
        _tell(found, as_json, quiet, sweep_of)


def _tell(found: Any, as_json: bool, quiet: bool, sweep_of: str | None) -> None:
    for note in () if quiet or sweep_of else found.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        output.document(found.document())
    elif not quiet:
        (_show_sweep if sweep_of else _show)(found)


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
        output.line(
            f"{folder}: {(len(written) - 1) // 2} augmented images with their masks; look at"
            f" {written[-1].name}"
        )


def _pair(text: str) -> tuple[str, Any]:
    import tomllib

    name, _, value = text.partition("=")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value


def _how_to_go_on(dataset: Path, out: Path | None, sweep_of: str | None, epochs: int) -> None:
    if sweep_of:
        click.echo("\nstopped; the same command goes on where it was", err=True)
        return
    if not epochs:
        click.echo(
            "\nstopped before an epoch was finished; nothing was kept. Go on with the same command",
            err=True,
        )
        return
    elsewhere = f" --out {out}" if out else ""
    click.echo(
        "\nstopped; best.pt and last.pt hold what was learned up to the last finished epoch. Go"
        f" on: segprep train {dataset} --resume{elsewhere}",
        err=True,
    )


def _show(found: Any) -> None:
    best = found.best
    how = {"epochs": "all epochs done", "patience": "stopped early"}[found.stopped]
    output.line(
        f"{found.out}: {found.config.arch}, {found.parameters:,} parameters, {len(found.history)}"
        f" epochs in {clock(found.seconds)} ({how})"
    )
    output.line(
        f"best epoch {best.epoch}: {found.config.monitor} {getattr(best, found.config.monitor):.4f}"
    )
    if found.matrix is not None:
        rows = [
            (
                one["name"],
                *(output.share(one[key]) for key in ("iou", "dice", "precision", "recall")),
                f"{one['pixels']:,}",
            )
            for one in found.document()["classes"]
        ]
        output.table(
            f"mIoU {found.miou:.3f} on the validation list, at the images' own size",
            ("class", "IoU", "Dice", "precision", "recall", "pixels"),
            rows,
        )
    output.line(f"checkpoint: {found.out / 'best.pt'}")


def _show_sweep(found: Any) -> None:
    rows = [
        (
            str(one.value),
            str(one.epochs),
            str(one.best),
            output.share(one.score),
            output.share(one.miou),
            one.stopped,
            f"{one.seconds:.1f}",
        )
        for one in found.rows
    ]
    output.table(
        f"{found.setting}: {len(rows)} trainings",
        (found.setting, "epochs", "best epoch", found.monitor, "mIoU", "stopped", "seconds"),
        rows,
    )
    output.line(f"plot: {found.out / 'sweep.png'}")


class _Display(TrainingBar):
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
            click.echo(text, err=True)


def _params() -> list[click.Parameter]:
    from segprep.train_config import TABLES, Config

    found: list[click.Parameter] = [
        options.dataset(),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            default=None,
            help="Settings from a TOML file; options win over it.",
        ),
        click.Option(
            ["--out"],
            type=click.Path(path_type=Path),
            default=None,
            show_default="runs/train in the dataset",
            help="Folder of the run.",
        ),
        click.Option(["--resume"], is_flag=True, help="Go on with the run that lies there."),
        click.Option(["--overwrite"], is_flag=True, help="Replace the run that lies there."),
        click.Option(
            ["--classes"],
            default=None,
            help="FILE, a,b,c or a number, where the dataset has no class list.",
        ),
        click.Option(
            ["--sweep", "sweep_of"],
            default=None,
            metavar="NAME=A,B,…",
            help="Train once per value of a setting; epochs and score against it as CSV and plot.",
        ),
        click.Option(
            ["--option"],
            multiple=True,
            metavar="NAME=VALUE",
            help="An option of the network itself: base=16. Repeatable.",
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
    return [
        *found,
        *(_option(one) for one in fields(Config) if one.name not in TABLES),
        *options.display(),
    ]


def _option(one: Any) -> click.Option:
    """The option of a setting. Without it, the setting is the file's, or the default."""
    from typing import get_type_hints

    from segprep.train_config import Config

    kind, text = get_args(get_type_hints(Config, include_extras=True)[one.name])
    flag = f"--{one.name.replace('_', '-')}"
    if kind is bool:
        return click.Option(
            [f"{flag}/--no-{flag[2:]}", one.name],
            default=None,
            help=f"{text}  [default: {'yes' if one.default else 'no'}]",
        )
    default = (
        ""
        if one.default in (MISSING, "", ())
        else (
            f"  [default: {one.default:g}]"
            if isinstance(one.default, float)
            else f"  [default: {one.default}]"
        )
    )
    parser = (
        click.Choice(get_args(kind))
        if get_origin(kind) is Literal
        else _Numbers()
        if get_origin(kind) is tuple
        else kind
    )
    return click.Option([flag, one.name], type=parser, default=None, help=text + default)


class _Numbers(click.ParamType[tuple[float, ...]]):
    """1,2.5,3"""

    name = "A,B,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no list of numbers: for example 1,2", param, ctx)
        if not all(map(math.isfinite, numbers)):
            self.fail(f"{value!r} holds a number that is not finite", param, ctx)
        return numbers


command = click.Command(
    "train",
    callback=_run,
    help=HELP,
    short_help="Train a network: architectures, losses and schedules by name.",
    params=_params(),
)
