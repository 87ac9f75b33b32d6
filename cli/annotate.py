"""``segprep annotate SRC [STEM ...]``."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from . import formatting, options, output

HELP = """Open in labelme just the annotations of a finding, of suspects or of given names.

SRC is the folder of labelme JSON files. labelme (extra `labelme`) is started as a separate program,
one file after the other. With --list, or if labelme is not installed, the files are printed for use
with another tool. Afterward, segprep json2mask converts only what changed.

\b
Examples:
    segprep annotate before/ --finding SEG810
    segprep annotate before/ --finding SEG603 --dataset out/      findings of the converted dataset
    segprep annotate before/ --suspects out/runs/train-check
    segprep annotate before/ img_004 img_017 --list
"""


def _run(
    src: Path,
    stems: tuple[str, ...],
    findings: tuple[str, ...],
    dataset: Path | None,
    suspects: Path | None,
    listed: bool,
    as_json: bool,
    jobs: int,
    **_: Any,
) -> None:
    from segprep.errors import UsageError, install_hint
    from segprep.files import listing
    from segprep.names import natural_key, shown, stem_of
    from segprep.names import unknown as unknown_name

    if not (stems or findings or suspects):
        raise UsageError(
            "bad-option", "which annotations?", "give names, --finding CODE or --suspects RUN"
        )
    if not src.is_dir():
        raise UsageError("bad-option", f"{src} is not a folder", "give the folder of annotations")
    chosen = {*stems, *_flagged(dataset or src, findings, jobs), *_suspected(suspects)}
    paths = [
        Path(folder, name)
        for folder, name in listing(str(src))
        if name.endswith(".json") and stem_of(name) in chosen
    ]
    paths.sort(key=lambda path: natural_key(str(path)))
    missing = sorted(chosen - {stem_of(path.name) for path in paths}, key=natural_key)
    unknown = next((stem for stem in missing if stem in stems), None)
    if as_json:
        output.document({"files": [str(path) for path in paths], "missing": missing})
    if unknown is not None:
        names = [stem_of(name) for _, name in listing(str(src)) if name.endswith(".json")]
        raise UsageError("bad-option", *unknown_name("annotation", unknown, names))
    program = shutil.which("labelme") or shutil.which(
        "labelme", path=str(Path(sys.executable).parent)
    )
    if as_json:
        return
    for path in paths:
        output.line(str(path))
    for stem in missing:
        click.echo(f"no annotation {shown(stem)}.json below {shown(src)}", err=True)
    if listed or not paths:
        return
    if program is None:
        output.aside("labelme is not installed; open the files above in your annotation tool")
        output.aside(f"  -> {install_hint('labelme')}")
        return
    lists = [src / "labels.txt", *([dataset / "class_names.txt"] if dataset else [])]
    labels = [f"--labels={path}" for path in lists if path.is_file()][:1]
    for path in paths:
        subprocess.run([program, *labels, "--", str(path)], check=False)
    again = f"segprep json2mask {shlex.quote(str(src))} {shlex.quote(str(dataset or 'OUT'))}"
    output.aside(f"now convert again (only what changed is processed): {again}")


def _flagged(dataset: Path, codes: tuple[str, ...], jobs: int) -> set[str]:
    """The stems of the findings with these codes."""
    if not codes:
        return set()
    from segprep import checking

    report = checking.check(dataset, select=codes, jobs=jobs)
    return {finding.stem for finding in report.findings if finding.stem}


def _suspected(run: Path | None) -> set[str]:
    """The stems that a train-check ranks as suspects; *run* is its folder or its scores.json."""
    if run is None:
        return set()
    import json

    from segprep.errors import UsageError
    from segprep.files import read_plain

    path = run / "scores.json" if run.is_dir() else run
    try:
        content = json.loads(read_plain(path))
        return {str(suspect["stem"]) for suspect in content["suspects"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(
            "bad-option", f"{path} does not hold suspects", "give the folder of a train-check"
        ) from error


command = formatting.Command(
    "annotate",
    callback=_run,
    help=HELP,
    short_help="Open the annotations of findings or suspects in labelme.",
    params=[
        click.Argument(["src"], type=click.Path(path_type=Path)),
        click.Argument(["stems"], nargs=-1),
        click.Option(
            ["--finding", "findings"],
            multiple=True,
            metavar="CODE",
            help="Annotations of the findings whose code starts with this. Repeatable.",
        ),
        click.Option(
            ["--dataset", "-d"],
            type=click.Path(path_type=Path),
            help="Look for findings in this dataset instead of SRC.",
        ),
        click.Option(
            ["--suspects"],
            type=click.Path(path_type=Path),
            metavar="RUN",
            help="Annotations of the suspects in this folder of a train-check.",
        ),
        click.Option(["--list", "listed"], is_flag=True, help="Print the files; open nothing."),
        *options.workers(),
        *options.display(),
    ],
)
