"""``segprep export TARGET OUT``: one subcommand per target, its options made from the Writer's
fields.
"""

import re
from pathlib import Path
from shlex import quote
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from segprep import targets
from segprep.errors import BadInputError
from segprep.types import Skipped

from . import formatting, options, output
from .declarations import Declared, declared
from .engines import on_engines
from .main import EXIT_SKIPPED, report
from .progress import bar

if TYPE_CHECKING:
    from segprep.exporting import Export


_VERIFY = (
    "Read all files again; by default, files that have not changed since segprep wrote them are"
    " taken from their records."
)


class Targets(formatting.ModuleGroup):
    """The modules of ``segprep.targets`` as subcommands."""

    room = targets.__name__

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(targets.names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _target_command(cmd_name) if cmd_name in targets.names() else None


def _target_command(target: str) -> click.Command:
    """The command that exports to *target*."""
    writer = declared(f"{targets.__name__}.{target.replace('-', '_')}")

    def run(
        out: Path,
        dataset: Path,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        no_progress: bool,
        **chosen: Any,
    ) -> None:
        from segprep.exporting import export

        try:
            done = export(target, dataset, out, progress=bar(not (no_progress or quiet)), **chosen)
        except BadInputError as error:
            _refused(error, target, out, as_json)
            click.get_current_context().exit(report(error))
        _show(done, as_json, quiet, verbose)
        click.get_current_context().exit(EXIT_SKIPPED if done.skipped else 0)

    text = f"{writer.summary}\n\n{writer.description} OUT appears complete or not at all."
    text += "\n\n\b\nExamples:\n" + indent("\n".join(writer.examples), "    ")
    exporter = formatting.Command(
        target,
        params=_parameters(writer),
        callback=run,
        help=text,
        short_help=writer.summary,
        no_args_is_help=True,
    )
    return on_engines(exporter)


def _parameters(writer: Declared) -> list[click.Parameter]:
    path = click.Path(path_type=Path)
    return [
        click.Argument(["out"], type=path, metavar="OUT"),
        click.Option(
            ["--dataset", "-d"],
            type=path,
            default=Path(),
            show_default="the current folder",
            help="The dataset, a VOC-style tree. It is only read.",
        ),
        *options.of_fields(writer),
        click.Option(
            ["--on-error"],
            type=click.Choice(["stop", "skip"]),
            default="stop",
            show_default=True,
            help="Bad samples: stop = list all and write nothing; skip = skip them (exit 3).",
        ),
        click.Option(
            ["--zip", "archive"], is_flag=True, help="OUT is one zip file instead of a folder."
        ),
        click.Option(["--verify"], is_flag=True, help=_VERIFY),
        *options.workers(),
        *options.writing(),
        *options.display(),
    ]


def _show(done: "Export", as_json: bool, quiet: bool, verbose: bool) -> None:
    if quiet:
        output.skipped_count(done.skipped)
    else:
        output.skipped(done.skipped)
        output.notes(done.notes, verbose)
    if as_json:
        output.document(
            {
                "target": done.target,
                "out": str(done.out),
                "samples": done.samples,
                "files": done.files,
                "written": done.written,
                "skipped": output.plain_skipped(done.skipped),
                "notes": output.plain_notes(done.notes),
            }
        )
    elif not quiet:
        left = f", {len(done.skipped)} skipped" if done.skipped else ""
        output.line(
            f"{done.samples} samples {'exported' if done.written else 'would be exported'} as"
            f" {done.target}: {done.files} files{left} -> {done.out}"
        )
        if done.written and done.out.is_dir():
            for text in _loading(done.out):
                output.line(text)


def _loading(out: Path) -> list[str]:
    """The lines of the export's README.txt that load it, for this folder, whose name is quoted as a
    shell needs it.
    """
    text = (out / "README.txt").read_text("utf-8").partition("Load it:\n\n")[2]
    pattern = re.compile(r'"[^"\n]*"|\bOUT\b')
    return pattern.sub(
        lambda match: quote(str(out)) if match[0] == "OUT" else match[0].replace("OUT", str(out)),
        text.partition("\n\n")[0],
    ).splitlines()


def _refused(error: BadInputError, target: str, out: Path, as_json: bool) -> None:
    """List every bad sample; with --json as a document too."""
    listed = [entry for entry in error.skipped if isinstance(entry, Skipped)]
    output.skipped(listed)
    if as_json:
        output.document(
            {
                "target": target,
                "out": str(out),
                "samples": 0,
                "written": False,
                "skipped": output.plain_skipped(listed),
                "notes": [],
                "error": error.code,
            }
        )


@click.command(cls=Targets)
def command() -> None:
    """Export the dataset for another framework.

    \b
    Examples:
        segprep export voc voc/ -d out/       VOCdevkit/VOC2007, all images .jpg
        segprep export keras data/ -d out/    train_frames/, train_masks/, …
        segprep export keras --help           the options of one target
    """
