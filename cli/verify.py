"""``segprep verify [DATASET]``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import formatting, options, output
from .engines import on_engines
from .progress import bar

if TYPE_CHECKING:
    from segprep.verification import Verification

HELP = """Check every file of a dataset or an export against the digests in its manifest.

Names every file that was changed, is missing, or was added to the folders of images and masks; one
flipped bit is enough. Exit code 1 if there is any.

\b
Examples:
    segprep verify out/
    segprep verify out/ --sample 10        read the files of 10 percent of the images
    segprep verify voc/ --json             an export
    segprep verify voc.zip                 an export as one file
"""


def _run(
    dataset: Path,
    sample: float,
    seed: int,
    jobs: int,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
) -> None:
    from segprep.verification import verify

    result = verify(
        dataset, sample=sample, seed=seed, jobs=jobs, progress=bar(not (no_progress or quiet))
    )
    if as_json:
        output.document(
            {
                "root": str(result.root),
                "intact": result.intact,
                "checked": result.checked,
                "skipped": result.skipped,
                "deviations": [asdict(deviation) for deviation in result.deviations],
                "other": list(result.other),
            }
        )
    elif not quiet:
        _show(result, verbose)
    click.get_current_context().exit(0 if result.intact else 1)


def _show(result: "Verification", verbose: bool) -> None:
    for deviation in result.deviations:
        output.line(f"{deviation.kind}: {deviation.path}: {deviation.reason}")
    for name in result.other if verbose else ():
        output.line(f"other: {name}: not written by segprep")
    counts = ", ".join(
        f"{number} {kind}"
        for kind in ("changed", "missing", "extra")
        if (number := sum(deviation.kind == kind for deviation in result.deviations))
    )
    rest = f", {result.skipped} not read (--sample)" if result.skipped else ""
    output.line(
        f"{result.root}: {counts or 'every file is as it was written'}"
        f" ({result.checked} files read{rest})"
    )
    if result.other and not verbose:
        files = "file" if len(result.other) == 1 else "files"
        output.line(f"{len(result.other)} other {files} beside the dataset (--verbose lists them)")


command = formatting.Command(
    "verify",
    callback=_run,
    help=HELP,
    short_help="Check every file of a dataset or export against its manifest.",
    params=[
        options.dataset(),
        click.Option(
            ["--sample"],
            type=float,
            default=100,
            show_default=True,
            metavar="PERCENT",
            help="Read only this percentage of the images and masks.",
        ),
        click.Option(
            ["--seed"], type=int, default=0, show_default=True, help="Random seed of --sample."
        ),
        *options.workers(),
        *options.display(),
    ],
)
on_engines(command)
