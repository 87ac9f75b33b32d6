"""``segprep train-check [DATASET]``."""

import re
from pathlib import Path
from typing import Any

import click

from . import options, output
from .progress import TrainingBar, clock

HELP = """In minutes on a CPU: can this dataset be learned, and which samples look wrong?

Trains a small U-Net on the train list for a fixed number of steps, and a control whose masks are shuffled between the images. Both, and the
commonest class everywhere, are judged on the val list. Writes runs/train-check/ in the dataset: report.html (open it), scores.json, history.csv,
checkpoint.pt, predictions/. Interrupted, the same command goes on. Exit code 0: learnable; 4: doubtful or not learnable.

\b
Examples:
    segprep train-check
    segprep train-check out/ --steps 2000              a longer look
    segprep train-check out/ --max-time 5m             cut after five minutes
    segprep train-check /read/only --out check/        results elsewhere
    segprep miou                                       then: the scores once more
"""
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
EXIT_DOUBTFUL = 4
FEW = 10


class Duration(click.ParamType[float]):
    """90, 90s, 5m, 1.5h: seconds as float."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", str(value).strip())
        if not found or float(found[1]) == 0:
            self.fail(f"{value!r} is no time: for example 90s, 5m or 1h", param, ctx)
        return float(found[1]) * UNITS[found[2]]


def _run(
    dataset: Path, as_json: bool, quiet: bool, verbose: bool, no_progress: bool, **given: Any
) -> None:
    from segprep.training.check import train_check

    with _Display(quiet, no_progress) as display:
        try:
            found = train_check(dataset, watch=display, **given)
        except KeyboardInterrupt:
            display.close()
            place = Path(given["out"]) if given["out"] else dataset / "runs/train-check"
            kept = place.with_name(f".{place.name}-unfinished")
            where = (
                f" in {kept}, the best network so far as checkpoint.pt"
                if (kept / "checkpoint.pt").is_file()
                else ""
            )
            click.echo(
                f"\nstopped; what was learned up to the last saved step is kept{where}", err=True
            )
            raise
    if not quiet:
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
    if as_json:
        output.document(found.document())
    elif not quiet:
        _show(found, verbose)
    if found.verdict != "learnable":
        click.get_current_context().exit(EXIT_DOUBTFUL)


def _show(found: Any, verbose: bool) -> None:
    output.line(f"{found.root}: {found.verdict.replace('_', ' ')} (after {clock(found.seconds)})")
    for reason in found.reasons:
        output.line(f"  [{reason.cause}] {reason.message}")
    if found.stems:
        rows = [
            (
                one["name"],
                *(output.share(one[key]) for key in ("iou", "dice", "precision", "recall")),
                f"{one['pixels']:,}",
            )
            for one in found.document()["classes"]
        ]
        title = (
            f"mIoU {found.miou:.3f} on {len(found.stems)} val images; control"
            f" {found.control_miou:.3f}, commonest class {found.baseline_miou:.3f}"
        )
        output.table(title, ("class", "IoU", "Dice", "precision", "recall", "pixels"), rows)
        listed = [
            (one.stem, f"{one.score:.3f}", f"{one.iou:.3f}", "train" if one.training else "val")
            for one in found.suspects
        ]
        output.table(
            "look at these first: mask and model disagree most",
            ("sample", "disagreement", "IoU", "list"),
            listed if verbose else listed[:FEW],
        )
    output.line(f"report: {found.report}")


class _Display(TrainingBar):
    """A bar on a terminal, else one line with the expected time."""

    told = False

    def __call__(self, moment: Any) -> None:
        if moment.left is not None and not self.told and not self.silent and not self.terminal:
            self.told = True
            click.echo(f"{moment.total} training steps, about {clock(moment.left)} to go", err=True)
        if self.terminal:
            self.draw(moment)


command = click.Command(
    "train-check",
    callback=_run,
    help=HELP,
    short_help="In minutes on a CPU: can this dataset be learned?",
    params=[
        options.dataset(),
        click.Option(
            ["--steps"],
            type=click.IntRange(1),
            default=None,
            show_default="600",
            help="Training steps of the main run; the control gets a quarter.",
        ),
        click.Option(
            ["--size"],
            type=click.IntRange(32, 1024),
            default=None,
            show_default="96",
            help="Side of the windows that are trained on, in pixels.",
        ),
        click.Option(
            ["--arch"], default="unet", show_default=True, help="The network: see segprep models."
        ),
        click.Option(
            ["--seed"],
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Same seed, same machine: same numbers.",
        ),
        click.Option(
            ["--device"], default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"
        ),
        click.Option(
            ["--max-time"],
            type=Duration(),
            default=None,
            help="Cut after this time (90s, 5m, 1h), whatever the steps; the report says so.",
        ),
        click.Option(
            ["--classes"],
            default=None,
            help="FILE, a,b,c or a number, where the dataset has no class list.",
        ),
        click.Option(
            ["--out"],
            type=click.Path(path_type=Path),
            default=None,
            show_default="runs/train-check in the dataset",
            help="Folder for the results.",
        ),
        *options.display(),
    ],
)
