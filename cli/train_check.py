"""``segprep train-check [DATASET]``."""

import re
from pathlib import Path
from typing import Any

import click

from . import formatting, options, output
from .progress import TrainingBar, clock

HELP = """In minutes on a CPU: can this dataset be learned, and which samples look wrong?

Trains a small U-Net on the train list for a fixed number of steps, and a control whose masks are
shuffled between the images. Both are scored on the val list, as is the majority class. Writes
runs/train-check/ in the dataset: report.html (open it), scores.json, history.csv, checkpoint.pt,
predictions/. After an interruption, the same command resumes. Exit code 0: learnable; 4: doubtful,
not learnable, or masks that look wrong; 5: undecided, after too little
time or too few steps.

\b
Examples:
    segprep train-check
    segprep train-check out/ --steps 2000              a longer look
    segprep train-check out/ --max-time 5m             stop after five minutes
    segprep train-check /read/only --out check/        results elsewhere
    segprep miou                                       then: the scores once more
"""
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
EXIT_DOUBTFUL, EXIT_UNDECIDED = 4, 5
FEW = 10


class Duration(click.ParamType[float]):
    """90, 90s, 5m, 1.5h: seconds as float."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", str(value).strip())
        if not match or float(match[1]) == 0:
            self.fail(f"{value!r} is not a duration: for example 90s, 5m or 1h", param, ctx)
        return float(match[1]) * UNITS[match[2]]


def _run(
    dataset: Path, as_json: bool, quiet: bool, verbose: bool, no_progress: bool, **values: Any
) -> None:
    from segprep.training.check import train_check

    with _TrainCheckBar(quiet, no_progress) as display:
        try:
            outcome = train_check(dataset, watch=display, **values)
        except KeyboardInterrupt:
            display.close()
            folder = Path(values["out"]) if values["out"] else dataset / "runs/train-check"
            kept = folder.with_name(f".{folder.name}-unfinished")
            where = (
                f" in {kept}, the best model so far as checkpoint.pt"
                if (kept / "checkpoint.pt").is_file()
                else ""
            )
            click.echo(err=True)
            output.aside(f"stopped; what was learned up to the last saved step is kept{where}")
            raise
    if not quiet:
        for note in outcome.notes:
            output.aside(f"note: {note}")
    if as_json:
        output.document(outcome.document())
    elif not quiet:
        _show(outcome, verbose)
    if outcome.verdict == "undecided":
        click.get_current_context().exit(EXIT_UNDECIDED)
    if outcome.verdict != "learnable" or outcome.wrong:
        click.get_current_context().exit(EXIT_DOUBTFUL)


def _show(outcome: Any, verbose: bool) -> None:
    output.line(f"{outcome.root}: {outcome.headline} (after {clock(outcome.seconds)})")
    for reason in outcome.reasons:
        output.line(f"  [{reason.cause}] {reason.message}")
    if outcome.stems:
        rows = [
            (
                row["name"],
                *(output.share(row[key]) for key in ("iou", "dice", "precision", "recall")),
                f"{row['pixels']:,}",
            )
            for row in outcome.document()["classes"]
        ]
        title = (
            f"mIoU {outcome.miou:.3f} on {len(outcome.stems)} val images; control"
            f" {outcome.control_miou:.3f}, majority class {outcome.baseline_miou:.3f}"
        )
        output.table(title, ("class", "IoU", "Dice", "precision", "recall", "pixels"), rows)
        _show_suspects(outcome, verbose)
    output.line(f"report: {outcome.report}")


def _show_suspects(outcome: Any, verbose: bool) -> None:
    chosen = outcome.suspects if verbose else outcome.wrong[:FEW]
    if not chosen:
        output.line("no mask stands out")
        return
    rows = [
        (
            row.stem,
            row.kind or "-",
            f"{row.score:.3f}",
            f"{row.iou:.3f}",
            "train" if row.training else "val",
        )
        for row in chosen
    ]
    title = "look at these first: the model, edges and colors speak against these masks"
    output.table(
        "all images, most suspect first" if verbose else title,
        ("sample", "what", "disagreement", "IoU", "list"),
        rows,
    )


class _TrainCheckBar(TrainingBar):
    """A bar on a terminal, else one line with the expected time."""

    told = False

    def __call__(self, moment: Any) -> None:
        if moment.what.startswith("["):  # what the data alone say, before the training
            if not self.silent:
                self.close()
                output.aside(moment.what)
            return
        if moment.left is not None and not self.told and not self.silent and not self.terminal:
            self.told = True
            output.aside(f"{moment.total} training steps, about {clock(moment.left)} to go")
        if self.terminal:
            self.draw(moment)


command = formatting.Command(
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
            help="Side of the training crops in pixels.",
        ),
        click.Option(
            ["--arch"], default=None, show_default="unet", help="The model: see segprep models."
        ),
        click.Option(
            ["--seed"],
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Random seed: same seed, same machine, same numbers.",
        ),
        click.Option(
            ["--device"], default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"
        ),
        click.Option(
            ["--like"],
            type=click.Path(path_type=Path),
            default=None,
            help="The config.toml of a training: check its model, input size and loss.",
        ),
        click.Option(
            ["--max-time"],
            type=Duration(),
            default=None,
            help="Stop after this time (90s, 5m, 1h) even if steps remain; the report says so.",
        ),
        click.Option(
            ["--classes"],
            metavar="FILE|a,b,c|N",
            help="Class names, or their number, where the dataset has no class list.",
        ),
        click.Option(
            ["--out", "-o"],
            type=click.Path(path_type=Path),
            default=None,
            show_default="runs/train-check in the dataset",
            help="Folder for the results.",
        ),
        options.no_lock(),
        *options.display(),
    ],
)
