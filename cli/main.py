"""The ``segprep`` command. Subcommands are imported when used, so that ``segprep --help`` is
immediate.
"""

import errno
import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

COMMANDS = {
    "json2mask": "labelme JSON -> VOC-style dataset (convert labelme).",
    "convert": "Convert a source format into a VOC-style dataset.",
    "remap": "Merge, rename, drop or reorder classes; write a new dataset.",
    "merge": "Merge several datasets into a new one.",
    "tile": "Cut large images into tiles, or put predictions together.",
    "resize": "Write a dataset at another size.",
    "split": "Split a dataset into train, val and test (70/20/10).",
    "info": "Show what a dataset contains.",
    "verify": "Check every file of a dataset or export against its manifest.",
    "diff": "Compare two datasets: classes, samples, pixels per class.",
    "check": "Find what is wrong with a dataset, by cause.",
    "stats": "A dataset in numbers: classes, splits, sizes, colors, weights.",
    "view": "Write an offline page to browse a dataset.",
    "annotate": "Open the annotations of findings or suspects in labelme.",
    "train-check": "In minutes on a CPU: can this dataset be learned?",
    "train": "Train a model: architectures, losses and schedules by name.",
    "predict": "Predict masks for images, folders, datasets, videos.",
    "miou": "Score predictions: mIoU, Dice, precision, recall.",
    "models": "List the models of the trainer and their sizes.",
    "export": "Export the dataset for another framework.",
}
EXIT_USAGE, EXIT_SKIPPED, EXIT_LOCKED, EXIT_INTERRUPTED = 2, 3, 11, 130
_COLLECT = (100_000, 10, 10)  # Python's own, 700 objects, costs a seventh of what records cost
# where commands take what is easily given as one more argument
_PLACES = {
    "export": "The dataset is given with -d: segprep export TARGET OUT -d DATASET",
    "view": "The page is given with --out: segprep view DATASET --out FILE",
    "stats": "Files are given with --csv FILE and --plots DIR",
    "miou": "The truth is given with --dataset DATASET or --truth DIR",
    "predict": "The output is given with --out: segprep predict CHECKPOINT INPUT --out OUT",
    "split": "A split is written into its dataset: segprep split DATASET --ratio 70/20/10",
}
EPILOG = (
    "Exit codes: 0 success, 1 failed, 2 usage error, 3 finished but some inputs were skipped, 4"
    " doubtful, not learnable, or masks look wrong, 5 undecided, 11 locked by another run, 130"
    " interrupted."
)


def _likely(name: str) -> list[str]:
    """The commands that *name* may stand for: a format's or a target's own, or the nearest."""
    from difflib import get_close_matches

    from segprep import sources, targets

    owners = (("convert", ("auto", *sources.names())), ("export", targets.names()))
    own = [f"segprep {command} {name}" for command, names in owners if name in names]
    return own or get_close_matches(name, COMMANDS, n=1)


class Commands(click.Group):
    """Maps command NAME to ``command`` in the module NAME beside this one; the help texts above
    spare the imports.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(
            f".{cmd_name.replace('-', '_')}", __package__
        ).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except KeyboardInterrupt:  # click would say "Aborted!", and end with 1
            sys.exit(EXIT_INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            likely = _likely(args[0])
            hint = f" Did you mean {' or '.join(likely)}?" if likely else " See segprep --help."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is not None:
                error.ctx.close()  # the options before the wrong one have set limits
            from .wrong_options import fault

            if told := fault(error):
                ctx.exit(report(told))
            name = ctx.invoked_subcommand
            if name in _PLACES and "unexpected extra argument" in error.message:
                message = f"{error.message}. {_PLACES[name]}"
                raise click.UsageError(message, error.ctx) from error
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("\ninterrupted; re-run the command to resume", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            ctx.exit(_system_error(error))
        except (
            Exception
            # SegprepError is imported only now, so that --help stays quick; all else is raised
            # again
        ) as error:
            from segprep.errors import SegprepError

            if not isinstance(error, SegprepError):
                raise
            ctx.exit(report(error))


def _system_error(error: OSError) -> int:
    """Tell what the system refused; the exit code. Without a file name it was the output."""
    from pathlib import Path

    from segprep.errors import SegprepError, UsageError
    from segprep.files import write_error

    if error.errno == errno.ENAMETOOLONG:
        reason = f"{error.filename}: {error.strerror}"
        return report(UsageError("bad-option", reason, "give a shorter path"))
    if error.filename:
        return report(write_error(Path(error.filename), error))
    message = f"standard output: {error.strerror or error} (errno {error.errno})"
    hint = "what the command writes to OUT is not affected; redirect its output elsewhere"
    return report(SegprepError("write-failed", message, hint))


def report(error: Any) -> int:
    """Print *error* as: what and where, why, what to do next; return its exit code."""
    from segprep.errors import LockedError, UsageError
    from segprep.names import shown

    click.echo(f"segprep: error [{error.code}]: {shown(error.message)}", err=True)
    if error.hint:
        click.echo(f"  -> {shown(error.hint)}", err=True)
    return (
        EXIT_USAGE
        if isinstance(error, UsageError)
        else EXIT_LOCKED
        if isinstance(error, LockedError)
        else 1
    )


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from segprep import __version__, kernel

        click.echo(f"segprep {__version__} ({kernel.used()})")
        ctx.exit()


@click.command(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def group() -> None:
    """From annotations to a clean, split, documented dataset for semantic segmentation.

    \b
    segprep json2mask before/ out/      labelme JSON -> VOC-style dataset
    segprep convert auto data/ out/     masks in any supported format -> the same
    segprep split out/ --seed 1         train, val, test lists
    segprep train-check out/            can it be learned, and which masks look wrong?
    segprep miou predictions/ -d out/   exact scores
    """


def _terminated(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """The entry point: whatever the locale, names that it cannot show are escaped and do not
    crash.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminated)
    gc.set_threshold(*_COLLECT)
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # NumPy's idle threads would cost 0.1 s of CPU time and keep workers from being forked
    try:
        group(prog_name="segprep")
    except KeyboardInterrupt:  # before the command began
        _leave(EXIT_INTERRUPTED)
    except OSError as error:
        _leave(_system_error(error))
    except SystemExit as ended:
        if ended.code == EXIT_INTERRUPTED:
            _leave(EXIT_INTERRUPTED)
        try:
            sys.stdout.flush()
        except OSError as error:
            _leave(1 if isinstance(error, BrokenPipeError) else _system_error(error))
        gc.freeze()  # else the interpreter looks through all that was imported as it ends
        raise


def _leave(code: int) -> NoReturn:
    """End at once: an interrupted pool may never finish its own farewell; workers die with us."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)
