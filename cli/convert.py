"""``segprep convert FORMAT SRC OUT``: one subcommand per source format, its options made from the
Reader's fields.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, cast

import click

from segprep import sources
from segprep.errors import BadInputError, UsageError
from segprep.types import Note, Reader, Skipped, no_progress

from . import formatting, options, output
from .declarations import Declared, declared
from .engines import on_engines
from .main import EXIT_SKIPPED, report
from .progress import bar

if TYPE_CHECKING:
    from segprep.conversion.result import Conversion

_PATH = click.Path(path_type=Path)
_MASK_MODE = (
    "Masks as palette PNG (VOC colors), or gray PNG for readers such as OpenCV; pixel values are"
    " the same."
)
_IMAGE_FORMAT = (
    "keep = JPEG and PNG unchanged, all else PNG; jpg = everything JPEG (quality 95, 4:4:4)."
)
_STRIP = "Remove metadata from JPEG and PNG images: EXIF (including place and time), comments."
_KEEP_ORDER = "Keep the source's class order, even if the background is not class 0."
_EXPLAIN = "Print the files of the sample STEM and the rule that paired them; convert nothing."
_VERIFY = "Read all files again; by default, files of unchanged size, time and inode are not read."
_ON_ERROR = "Bad inputs: stop = list all and write nothing; skip = skip them (exit 3)."

MUCH_COVERED = 0.2  # share of a class's area that stands in a table of its own


class Formats(formatting.ModuleGroup):
    """The modules of ``segprep.sources`` as subcommands."""

    room, own = sources.__name__, ("auto",)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["auto", *sources.names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "auto":
            return automatic
        return conversion_command(cmd_name, cmd_name) if cmd_name in sources.names() else None


def conversion_command(name: str, format: str) -> click.Command:
    """The command *name* that converts *format*."""
    reader = declared(f"{sources.__name__}.{format.replace('-', '_')}")

    def run(
        source: Path,
        out: Path,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        no_progress: bool,
        explain: str | None,
        **chosen: Any,
    ) -> None:
        from segprep.conversion import convert

        if explain is not None:
            _explain(sources.load(format), source, explain, chosen)
            return
        try:
            done = convert(format, source, out, progress=bar(not (no_progress or quiet)), **chosen)
        except BadInputError as error:
            _refused(error, out, as_json, verbose)
            click.get_current_context().exit(report(error))
        _show(done, as_json, quiet, verbose, bool(chosen["dry_run"]))
        click.get_current_context().exit(EXIT_SKIPPED if done.failed else 0)

    converter = formatting.Command(
        name,
        params=_parameters(reader),
        callback=run,
        help=_help(reader),
        short_help=reader.summary,
        no_args_is_help=True,
    )
    return on_engines(converter)


def _parameters(reader: Declared) -> list[click.Parameter]:
    """The arguments and options of the command that reads with *reader*."""
    return [
        click.Argument(["source"], type=_PATH, metavar="SRC"),
        click.Argument(["out"], type=_PATH, metavar="OUT"),
        *options.of_fields(reader),
        _choice("--mask-mode", ("palette", "gray"), _MASK_MODE),
        _choice("--image-format", ("keep", "jpg"), _IMAGE_FORMAT),
        click.Option(["--strip-metadata"], is_flag=True, help=_STRIP),
        options.shard(),
        click.Option(["--keep-order"], is_flag=True, help=_KEEP_ORDER),
        _choice("--on-error", ("stop", "skip"), _ON_ERROR),
        click.Option(["--verify"], is_flag=True, help=_VERIFY),
        click.Option(["--explain"], metavar="STEM", help=_EXPLAIN),
        *options.workers(),
        *options.writing(),
        *options.display(),
    ]


def _help(reader: Declared) -> str:
    """What ``segprep convert FORMAT --help`` says first."""
    examples = indent("\n".join(reader.examples), "    ")
    return f"{reader.summary}\n\n{reader.description}\n\n\b\nExamples:\n{examples}"


def _choice(name: str, values: tuple[str, ...], text: str) -> click.Option:
    """An option whose default is the first of *values*."""
    return click.Option(
        [name], type=click.Choice(values), default=values[0], show_default=True, help=text
    )


def _explain(reader: type[Reader], source: Path, stem: str, chosen: dict[str, Any]) -> None:
    """Print why the files of the sample *stem* belong together."""
    from segprep.conversion import archived

    with archived.opened(source, chosen.get("image_root", ()), no_progress) as archives:
        lines = _explained(reader, archives.place(source), stem, chosen)
        for line in archives.told(tuple(lines)):
            output.line(line)


def _explained(reader: type[Reader], source: Path, stem: str, chosen: dict[str, Any]) -> list[str]:
    """Why the files of the sample *stem* belong together."""
    sources.check_folder(source)
    names = {field.name for field in fields(reader)}  # type: ignore[arg-type]  # a dataclass
    options_of_reader = {key: value for key, value in chosen.items() if key in names}
    instance = cast("Any", reader)(source, **options_of_reader)
    lines = explain(stem) if (explain := getattr(instance, "explain", None)) else None
    if lines is None:
        scan = instance.scan()
        lines = [
            f"{item.stem}: {item.image} with {', '.join(map(str, item.labels))}"
            for item in scan.items
            if item.stem == stem
        ]
        lines += [f"{skip.path}: {skip.reason}" for skip in scan.skipped if skip.stem == stem]
    if not lines:
        hint = "its name is the image's without the extension; --stem path puts folders before it"
        raise UsageError("bad-option", f"there is no sample {stem!r}", hint)
    return list(lines)


def _show(done: "Conversion", as_json: bool, quiet: bool, verbose: bool, dry_run: bool) -> None:
    if quiet:
        output.skipped_count(done.skipped)
    if not quiet:
        output.skipped(done.skipped, verbose)
        output.notes(done.notes, verbose)
    if as_json:
        output.document(
            {
                "out": str(done.out),
                "converted": done.converted + done.kept,
                "new": done.converted,
                "unchanged": done.kept,
                "removed": list(done.removed),
                "skipped": output.plain_skipped(done.skipped),
                "classes": list(done.classes),
                "notes": output.plain_notes(done.notes),
                "unpainted": list(done.unpainted),
                "written": done.written,
                "covered": [asdict(loss) for loss in done.covered],
            }
        )
    elif not quiet:
        _show_covered(done)
        what = (
            "would be converted"
            if dry_run
            else "converted"
            if done.written
            else "unchanged, nothing to do"
        )
        parts = [f"{done.converted + done.kept} samples {what}"]
        parts += [f"{done.kept} of them unchanged"] if done.kept and done.written else []
        parts += [f"{len(done.removed)} removed"] if done.removed else []
        parts += [f"{len(done.skipped)} inputs skipped"] if done.skipped else []
        output.line(
            f"{', '.join(parts)} -> {done.out} ({len(done.classes)} classes:"
            f" {', '.join(done.classes[:8])}{' …' if len(done.classes) > 8 else ''})"
        )


def _show_covered(done: "Conversion") -> None:
    """A table of the classes that lose much of their area to shapes painted later."""
    rows = [
        (loss.name, f"{loss.hidden} of {loss.shapes}", f"{loss.share:.0%}", loss.by)
        for loss in done.covered
        if loss.share >= MUCH_COVERED
    ]
    if rows:
        columns = ("class", "shapes hidden", "area lost", "covered by")
        output.table("classes covered by later shapes", columns, rows)


def _refused(error: BadInputError, out: Path, as_json: bool, verbose: bool) -> None:
    """List every bad input; with --json as a document too."""
    listed = [skip for skip in error.skipped if isinstance(skip, Skipped)]
    output.skipped(listed, verbose)
    notes = [note for note in error.notes if isinstance(note, Note)]
    output.notes(notes, verbose)
    if as_json:
        output.document(
            {
                "out": str(out),
                "converted": 0,
                "skipped": output.plain_skipped(listed),
                "classes": [],
                "notes": output.plain_notes(notes),
                "error": error.code,
            }
        )


@click.command(
    "auto",
    context_settings={"ignore_unknown_options": True},
    no_args_is_help=True,
    short_help="Detect the format from the contents of SRC.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="SRC OUT [OPTIONS]")
@click.pass_context
def automatic(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Detect the format from the contents of SRC, say by what evidence, and convert it.

    OPTIONS are those of the detected format. If two formats are about as likely, both
    are named and nothing is done.

    \b
    Examples:
        segprep convert auto stage1_train/ out/
        segprep convert auto medical/ out/ --foreground dark
    """
    from segprep.conversion import archived

    source, stated = _stated(arguments)
    if source is None:
        raise click.UsageError("Missing argument 'SRC'.", ctx)
    quiet = bool({"-q", "--quiet"} & set(arguments))
    with archived.opened(source, (), bar(not quiet)) as archives:  # convert finds it unpacked
        name, sign = sources.recognize(
            archives.place(source),
            list(map(Path, stated["--image-root"])),
            masks="".join(stated["--masks"][-1:]),
        )
        if not quiet:
            output.aside(f"detected as {name}: {archives.outer(sign)}")
        command = conversion_command(name, name)
        with command.make_context(name, list(arguments), parent=ctx.parent) as inner:
            command.invoke(inner)


def _stated(arguments: Sequence[str]) -> tuple[Path | None, Mapping[str, list[str]]]:
    """SRC among *arguments*, and the values of each option, whatever format it is of."""
    flags = {
        name
        for format in sources.names()
        for param in conversion_command(format, format).params
        if isinstance(param, click.Option) and param.is_flag
        for name in param.opts
    }
    words, source, stated = iter(arguments), None, defaultdict[str, list[str]](list)
    for word in words:
        name, equals, text = word.partition("=")
        if not word.startswith("-"):
            source = source or Path(word)
        elif word not in flags and (word.startswith("--") or len(word) == 2):  # not -j4
            stated[name].append(text if equals else next(words, ""))
    return source, stated


@click.command(cls=Formats)
def command() -> None:
    """Convert a source format into a VOC-style dataset.

    \b
    Examples:
        segprep convert auto data/ out/             detect the format and say how
        segprep convert labelme before/ out/
        segprep convert labelme --help              the options of one format
    """
